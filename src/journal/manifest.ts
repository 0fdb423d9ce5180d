/**
 * The manifest is the root of a database: which files are live, and from which sequence the log must be replayed.
 * It is replaced atomically, then its copy is, and only then are the files that they no longer name removed; so
 * whichever of them is found after a crash, every file that it names is there. Only salvaging reads the copy's body.
 */
import type { OpenOptions } from '../base/api.ts';
import { IsovecError } from '../base/errors.ts';
import { decodeJsonFile, encodeJsonFile } from './json-file.ts';

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
  files: Readonly<Record<string, LiveFile>>;
  /** What the files mean: the caller's, plain JSON. */
  state: State;
}

export function encodeManifest<State>(manifest: Manifest<State>): Uint8Array<ArrayBuffer> {
  return encodeJsonFile('manifest', manifest);
}

/** @throws IsovecError CORRUPTION, FORMAT_VERSION */
export function decodeManifest<State>(bytes: Uint8Array, file = MANIFEST_NAME): Manifest<State> {
  return decodeJsonFile('manifest', bytes, file) as Manifest<State>;
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
