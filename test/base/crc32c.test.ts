import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c, crc32cWithin, joinCrc32c } from '../../src/base/crc32c.ts';

/** Bit by bit, straight from the polynomial. */
function plainCrc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

describe('CRC32C', () => {
  it('gives the values of RFC 3720, appendix B.4', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index))).toBe(0x46dd794e);
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  });

  it('of two parts is joined from those of the parts, however long the second', () => {
    const first = fc.uint8Array({ maxLength: 100 });
    const second = fc.uint8Array({ maxLength: 3000, size: 'max' });
    fc.assert(
      fc.property(first, second, (a, b) => {
        const whole = new Uint8Array([...a, ...b]);
        expect(joinCrc32c(crc32c(a), crc32c(b), b.length)).toBe(plainCrc32c(whole));
      }),
    );
    const long = new Uint8Array(300_001).fill(7);
    expect(joinCrc32c(crc32c(long.subarray(0, 1)), crc32c(long.subarray(1)), 300_000)).toBe(crc32c(long));
  });

  it('of a part of a buffer equals that of the part alone', () => {
    const bytes = Uint8Array.from({ length: 200 }, (_, index) => index * 31);
    const words = new Int32Array(bytes.buffer);
    fc.assert(
      fc.property(fc.nat(200), fc.nat(200), fc.nat(2 ** 32 - 1), (one, other, previous) => {
        const [start, end] = [Math.min(one, other), Math.max(one, other)];
        expect(crc32cWithin(bytes, words, start, end, previous)).toBe(
          crc32c(bytes.subarray(start, end), previous),
        );
      }),
    );
  });

  it('equals the plain definition, in one piece or in two', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, cut) => {
        expect(crc32c(bytes)).toBe(plainCrc32c(bytes));
        expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).toBe(plainCrc32c(bytes));
      }),
    );
  });
});
