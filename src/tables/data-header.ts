/**
 * The first bytes of every file of a collection say whose it is, so that one put in another's place is known.
 *
 *   0  16  file header
 *  16   4  number of the collection
 *  20   4  epoch or generation: as in the file's name
 *  24   4  CRC32C of the 24 bytes before
 *  28   4  zero
 */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { checkFileHeader, encodeFileHeader, FILE_HEADER_BYTES } from '../base/file-header.ts';

export const DATA_HEADER_BYTES = 32;

export const DATA_FILE_KINDS = ['rows', 'records', 'vectors', 'graph', 'codes', 'payload', 'text'] as const;

export type DataFileKind = (typeof DATA_FILE_KINDS)[number];

/** What tells a collection's file from all others. */
export interface DataFileIdentity {
  collectionId: number;
  kind: DataFileKind;
  /** Tells apart the files of one kind: the epoch, or the generation of the manifest that first names it. */
  number: number;
}

export function dataFileName({ collectionId, kind, number }: DataFileIdentity): string {
  return `data-${collectionId}-${kind}-${number}`;
}

export function encodeDataHeader({ collectionId, kind, number }: DataFileIdentity): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(DATA_HEADER_BYTES).raw(encodeFileHeader(kind)).u32(collectionId).u32(number);
  return writer.u32(crc32c(writer.bytes())).u32(0).bytes();
}

/** @param bytes at least the first DATA_HEADER_BYTES of the file @throws IsovecError CORRUPTION, FORMAT_VERSION */
export function checkDataHeader(bytes: Uint8Array, kind: DataFileKind, file: string): void {
  checkFileHeader(bytes, kind, file);
  const reader = new ByteReader(bytes.subarray(0, DATA_HEADER_BYTES), file);
  reader.raw(FILE_HEADER_BYTES);
  const collectionId = reader.u32();
  const number = reader.u32();
  if (reader.u32() !== crc32c(bytes.subarray(0, FILE_HEADER_BYTES + 8)) || reader.u32() !== 0)
    throw reader.fail('a header that does not match its checksum');
  const name = dataFileName({ collectionId, kind, number });
  if (name !== file) throw reader.fail(`the header of ${name}`);
}
