/**
 * The manifest is the root of a database: which files are live, and from which sequence the log must be replayed.
 * It is replaced atomically, then its copy is, and only then are the files that they no longer name removed; so
 * whichever of them is found after a crash, every file that it names is there. Only salvaging reads the copy's body.
 *
 *   0  16  file header, kind "manifest"
 *  16   4  length of the body
 *  20   4  CRC32C of the body
 *  24      body: JSON
 */
import type { OpenOptions } from '../base/api.ts';
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { IsovecError } from '../base/errors.ts';
import { checkFileHeader, encodeFileHeader, FILE_HEADER_BYTES } from '../base/file-header.ts';

export const MANIFEST_NAME = 'manifest';
export const MANIFEST_COPY_NAME = 'manifest-copy';

/** What a whole file's checksum is made with. */
export type ChecksumName = NonNullable<OpenOptions['checksum']>;

/** The checksum of a whole file, as far as the manifest counts it. */
export interface FileDigest {
  checksum: ChecksumName;
  /** In hexadecimal digits. */
  value: string;
  /** In Base64: the hash function's state, to go on from when the file grows. CRC32C needs none. */
  state?: string;
}

/** A live file. */
export interface LiveFile {
  /** Bytes behind these are left over from an interrupted checkpoint. */
  bytes: number;
  digest: FileDigest;
}

export interface Manifest<State> {
  /** Goes up by one with every replacement. */
  generation: number;
  /** Everything up to this sequence is in the files named here; the log is replayed from the next. */
  coveredSequence: number;
  /** Milliseconds since 1970. */
  writtenAt: number;
  /** The live files besides the log, by name. */
  files: Record<string, LiveFile>;
  /** What the files mean: the caller's, plain JSON. */
  state: State;
}

export function encodeManifest<State>(manifest: Manifest<State>): Uint8Array<ArrayBuffer> {
  const body = new TextEncoder().encode(JSON.stringify(manifest));
  return new ByteWriter(FILE_HEADER_BYTES + 8 + body.length)
    .raw(encodeFileHeader('manifest'))
    .u32(body.length)
    .u32(crc32c(body))
    .raw(body)
    .bytes();
}

/** @throws IsovecError CORRUPTION, FORMAT_VERSION */
export function decodeManifest<State>(bytes: Uint8Array, file = MANIFEST_NAME): Manifest<State> {
  checkFileHeader(bytes, 'manifest', file);
  const reader = new ByteReader(bytes, file);
  reader.raw(FILE_HEADER_BYTES);
  const length = reader.u32();
  const checksum = reader.u32();
  if (length !== reader.remaining)
    throw reader.fail(`${reader.remaining} bytes of body instead of ${length}`);
  const body = reader.raw(length);
  if (crc32c(body) !== checksum) throw reader.fail('a body that does not match its checksum');
  return JSON.parse(new TextDecoder().decode(body)) as Manifest<State>;
}

/** @param found what is there without it */
export function manifestMissing(found: readonly string[]): IsovecError {
  const beside = found.length > 0 ? `, though ${found[0]} is there` : '';
  return new IsovecError('CORRUPTION', `${MANIFEST_NAME}: missing${beside}`, {
    details: { file: MANIFEST_NAME, found },
  });
}

export function olderThanCopy(): IsovecError {
  return new IsovecError(
    'CORRUPTION',
    `${MANIFEST_NAME}: older than its copy, so its newest content is lost`,
    {
      details: { file: MANIFEST_NAME, offset: 0 },
    },
  );
}
