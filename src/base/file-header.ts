import { ByteReader, ByteWriter } from './bytes.ts';
import { crc32c } from './crc32c.ts';
import { IsovecError } from './errors.ts';

/**
 * The first bytes of every isovec file. None of them changes once written.
 *
 *   0  8  magic     "isovec\r\n": the line end shows a transfer that mangled text
 *   8  2  kind      what the file holds
 *  10  2  version   of the format, one number for the whole database
 *  12  4  checksum  CRC32C of the twelve bytes before
 */
export const FILE_HEADER_BYTES = 16;

/** Raised by one with every change to what is on disk. */
export const FORMAT_VERSION = 1;

export const FILE_KINDS = {
  manifest: 1,
  log: 2,
  rows: 3,
  vectors: 4,
  records: 5,
  graph: 6,
  archive: 7,
  'archive-index': 8,
  codes: 9,
  text: 11,
  payload: 10,
} as const;

export type FileKind = keyof typeof FILE_KINDS;

const MAGIC = Uint8Array.from([0x69, 0x73, 0x6f, 0x76, 0x65, 0x63, 0x0d, 0x0a]);

export function encodeFileHeader(kind: FileKind): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(FILE_HEADER_BYTES).raw(MAGIC).u16(FILE_KINDS[kind]).u16(FORMAT_VERSION);
  return writer.u32(crc32c(writer.bytes())).bytes();
}

/**
 * @param bytes at least the first FILE_HEADER_BYTES of the file
 * @throws IsovecError FORMAT_VERSION for a file of a newer isovec, CORRUPTION for one that is not ours,
 *         is damaged or is of another kind
 */
export function checkFileHeader(bytes: Uint8Array, kind: FileKind, file: string): void {
  const refuse = (code: 'CORRUPTION' | 'FORMAT_VERSION', message: string) =>
    new IsovecError(code, `${file}: ${message}`, { details: { file, offset: 0 } });
  if (bytes.length < FILE_HEADER_BYTES)
    throw refuse('CORRUPTION', `too short for a file header (${bytes.length} bytes)`);
  if (MAGIC.some((byte, index) => bytes[index] !== byte))
    throw refuse('CORRUPTION', 'not an isovec file (its first bytes are not the magic)');
  const reader = new ByteReader(bytes.subarray(0, FILE_HEADER_BYTES), file);
  reader.raw(MAGIC.length);
  const foundKind = reader.u16();
  const version = reader.u16();
  if (reader.u32() !== crc32c(bytes.subarray(0, FILE_HEADER_BYTES - 4)))
    throw refuse('CORRUPTION', 'the file header does not match its checksum');
  if (version > FORMAT_VERSION)
    throw refuse(
      'FORMAT_VERSION',
      `written by a newer isovec (format ${version}; this one reads up to ${FORMAT_VERSION})`,
    );
  if (version < 1) throw refuse('CORRUPTION', `format version ${version} never existed`);
  if (foundKind !== FILE_KINDS[kind])
    throw refuse('CORRUPTION', `file kind ${foundKind} where ${FILE_KINDS[kind]} (${kind}) belongs`);
}
