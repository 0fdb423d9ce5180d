import { IsovecError } from '../../base/errors.ts';
import type { LiveFile } from '../../journal/manifest.ts';
import type { StorageBackend, StorageFile } from '../../storage/storage.ts';
import { checkDataHeader, DATA_HEADER_BYTES, type DataFileKind } from '../../tables/data-header.ts';
import { nameInHeader } from '../../tables/recognize-file.ts';
import { openHasher } from '../digest.ts';
import type { Findings } from './findings.ts';

/** Read and checked at a time: a few milliseconds. */
const PIECE_BYTES = 1024 * 1024;

/** A file that the manifest names, open for reading. */
export interface SurveyedFile {
  file: StorageFile;
  /** How much of it counts and is there. */
  bytes: number;
}

/**
 * Reads what the manifest counts of a file, with whatever is specific to its kind, and then against its checksum.
 * @param read is not called for a file that is missing, or another's
 */
export async function surveyFile(
  storage: StorageBackend,
  name: string,
  kind: DataFileKind,
  live: LiveFile | undefined,
  findings: Findings,
  read: (surveyed: SurveyedFile) => Promise<void>,
): Promise<void> {
  findings.filesChecked++;
  if (!live) {
    findings.add(name, 'reference', 'belongs to a collection, but the manifest does not name it');
    return;
  }
  const file = await openIfThere(storage, name);
  if (!file) {
    findings.add(name, 'missing', 'is missing');
    return;
  }
  try {
    const sizeBytes = await file.size();
    const bytes = Math.min(sizeBytes, live.bytes);
    if (sizeBytes < live.bytes) findings.add(name, 'missing', `ends before ${live.bytes} bytes,`, sizeBytes);
    if (await isOurs(file, kind, bytes, findings)) await read({ file, bytes });
    await checkDigest(file, bytes, live, findings);
  } finally {
    await file.close();
  }
}

export async function openIfThere(storage: StorageBackend, name: string): Promise<StorageFile | undefined> {
  try {
    return await storage.open(name);
  } catch (error) {
    if (error instanceof IsovecError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

/** @returns false for another file in its place; a header that is only damaged says nothing of what follows */
async function isOurs(
  file: StorageFile,
  kind: DataFileKind,
  bytes: number,
  findings: Findings,
): Promise<boolean> {
  const header = await file.read(0, Math.min(DATA_HEADER_BYTES, bytes));
  try {
    checkDataHeader(header, kind, file.name);
    return true;
  } catch (error) {
    if (!isDamage(error)) throw error;
    const found = nameInHeader(header);
    const isOurs = found === undefined || found === file.name;
    findings.add(
      file.name,
      isOurs ? 'checksum' : 'format',
      isOurs ? 'a damaged header' : `the header of ${found}, another file in its place,`,
      0,
    );
    return isOurs;
  }
}

async function checkDigest(
  file: StorageFile,
  bytes: number,
  { digest, bytes: expectedBytes }: LiveFile,
  findings: Findings,
): Promise<void> {
  const hasher = await openHasher(digest.checksum);
  for (let at = 0; at < bytes; at += PIECE_BYTES) {
    const piece = await file.read(at, Math.min(PIECE_BYTES, bytes - at));
    hasher.update(piece);
    findings.read(piece.length);
  }
  // Where a problem is known already, this says nothing new.
  if (bytes === expectedBytes && hasher.digest().value !== digest.value && !findings.has(file.name))
    findings.add(file.name, 'checksum', `does not match its ${digest.checksum} checksum`);
}

export function isDamage(error: unknown): error is IsovecError {
  return error instanceof IsovecError && error.code === 'CORRUPTION';
}
