import { expect } from 'vitest';
import type { ErrorCode } from '../../src/base/errors.ts';

/** Pseudo-random bytes, the same for the same seed. */
export function someBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let at = 0; at < length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state;
  }
  return bytes;
}

/** As `toEqual`, which takes seconds for a megabyte. */
export function expectBytes(actual: Uint8Array | undefined, expected: Uint8Array): void {
  expect(actual).toBeInstanceOf(Uint8Array);
  expect(actual!.length).toBe(expected.length);
  const index = expected.findIndex((byte, at) => actual![at] !== byte);
  expect({ index, byte: actual![index] }, 'the first byte that differs').toEqual({
    index: -1,
    byte: undefined,
  });
}

/** Matches an IsovecError, also one that came out of a worker. */
export function failsWith(code: ErrorCode, details: Record<string, unknown> = {}) {
  return expect.objectContaining({
    name: 'IsovecError',
    code,
    ...(Object.keys(details).length > 0 && { details: expect.objectContaining(details) }),
  });
}
