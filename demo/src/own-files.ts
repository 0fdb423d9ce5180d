/** The visitor's own text files, as documents to index. */
import { splitIntoPassages } from '../corpus/split.ts';
import type { DocumentMetadata } from './library.ts';

/** About 2,000 passages, or two minutes of embedding. */
const FILE_BYTES_MAX = 1024 * 1024;

/** A file that cannot be indexed, and why, for the visitor to read. */
export class UnreadableFileError extends Error {}

export const ownFileId = (name: string): string => `file:${name}`;

/** @throws UnreadableFileError for a file that is empty, too large, or not text in UTF-8 */
export async function readOwnFile(file: File): Promise<DocumentMetadata & { id: string }> {
  if (file.size > FILE_BYTES_MAX)
    throw new UnreadableFileError(
      `“${file.name}” is too large: ${megabytes(file.size)}, and 1 MB is the most.`,
    );
  const passages = splitIntoPassages(decode(file.name, await file.arrayBuffer()));
  if (passages.length === 0) throw new UnreadableFileError(`“${file.name}” is empty.`);
  return { id: ownFileId(file.name), title: file.name, passageCount: passages.length, pending: passages };
}

function decode(name: string, bytes: ArrayBuffer): string {
  const refusal = `“${name}” is not a text file in UTF-8. Text files such as .txt, .md or .csv can be added.`;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    // Zero bytes are valid UTF-8, and the mark of a binary file.
    if (text.includes('\0')) throw new UnreadableFileError(refusal);
    return text;
  } catch (error) {
    throw new UnreadableFileError(refusal, { cause: error });
  }
}

const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`;
