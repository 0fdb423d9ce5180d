/**
 * A small file that is read whole and replaced atomically: the roots of what is stored.
 *
 *   0  16  file header
 *  16   4  length of the body
 *  20   4  CRC32C of the body
 *  24      body: JSON
 */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { checkFileHeader, encodeFileHeader, FILE_HEADER_BYTES, type FileKind } from '../base/file-header.ts';

export function encodeJsonFile(kind: FileKind, value: unknown): Uint8Array<ArrayBuffer> {
  const body = new TextEncoder().encode(JSON.stringify(value));
  return new ByteWriter(FILE_HEADER_BYTES + 8 + body.length)
    .raw(encodeFileHeader(kind))
    .u32(body.length)
    .u32(crc32c(body))
    .raw(body)
    .bytes();
}

/** @throws IsovecError CORRUPTION, FORMAT_VERSION */
export function decodeJsonFile(kind: FileKind, bytes: Uint8Array, file: string): unknown {
  checkFileHeader(bytes, kind, file);
  const reader = new ByteReader(bytes, file);
  reader.raw(FILE_HEADER_BYTES);
  const length = reader.u32();
  const checksum = reader.u32();
  if (length !== reader.remaining)
    throw reader.fail(`${reader.remaining} bytes of body instead of ${length}`);
  const body = reader.raw(length);
  if (crc32c(body) !== checksum) throw reader.fail('a body that does not match its checksum');
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch (error) {
    throw reader.fail(`a body that is not JSON: ${error}`);
  }
}
