/**
 * Checksums of whole files, made as the files are written. A file that grows is not read again: hashing goes on from
 * the state that the manifest keeps.
 */
import { crc32c, joinCrc32c } from '../base/crc32c.ts';
import type { ChecksumName, FileDigest } from '../journal/manifest.ts';

export interface FileHasher {
  /** @param checksum the CRC32C of these bytes, where it is known */
  update(bytes: Uint8Array, checksum?: number): void;
  /** Of everything so far; hashing may go on. */
  digest(): FileDigest;
}

/** @param from what to begin with: a kind of checksum, or the digest of a file that now grows */
export async function openHasher(from: ChecksumName | FileDigest): Promise<FileHasher> {
  const { checksum, value, state } = typeof from === 'string' ? { checksum: from } : { ...from };
  if (checksum === 'crc32c') return crc32cHasher(value);
  const { openWasmHasher } = await import('./digest-wasm.ts');
  return openWasmHasher(checksum, state);
}

function crc32cHasher(value = '0'): FileHasher {
  let crc = Number.parseInt(value, 16);
  return {
    update(bytes, checksum) {
      crc = checksum === undefined ? crc32c(bytes, crc) : joinCrc32c(crc, checksum, bytes.length);
    },
    digest: () => ({ checksum: 'crc32c', value: crc.toString(16).padStart(8, '0') }),
  };
}
