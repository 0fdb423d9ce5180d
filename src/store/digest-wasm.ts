/** SHA-256 and BLAKE3, by hash-wasm: loaded only by those who choose them. */
import { createBLAKE3, createSHA256 } from 'hash-wasm';
import type { FileDigest } from '../journal/manifest.ts';
import type { FileHasher } from './digest.ts';

/** @param state of a hasher before, in Base64, to go on from */
export async function openWasmHasher(
  checksum: Exclude<FileDigest['checksum'], 'crc32c'>,
  state: string | undefined,
): Promise<FileHasher> {
  const hasher = await (checksum === 'sha256' ? createSHA256() : createBLAKE3());
  if (state === undefined) hasher.init();
  else hasher.load(Uint8Array.from(atob(state), (character) => character.charCodeAt(0)));
  return {
    update(bytes) {
      hasher.update(bytes);
    },
    digest() {
      const saved = hasher.save();
      const value = hasher.digest('hex');
      hasher.load(saved);
      return { checksum, value, state: btoa(String.fromCharCode(...saved)) };
    },
  };
}
