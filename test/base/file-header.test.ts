import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../src/base/bytes.ts';
import { crc32c } from '../../src/base/crc32c.ts';
import { checkFileHeader, encodeFileHeader, FORMAT_VERSION } from '../../src/base/file-header.ts';

/** A header as another version would write it. */
function headerOfVersion(version: number): Uint8Array {
  const writer = new ByteWriter().raw(encodeFileHeader('log').subarray(0, 10)).u16(version);
  return writer.u32(crc32c(writer.bytes())).bytes();
}

describe('the header of every file', () => {
  it('is accepted as it was written', () => {
    checkFileHeader(encodeFileHeader('log'), 'log', 'f');
    checkFileHeader(headerOfVersion(FORMAT_VERSION), 'log', 'f');
  });

  it.each([
    [
      'a file of something else',
      new TextEncoder().encode('SQLite format 3\0'),
      'CORRUPTION',
      /not an isovec file/,
    ],
    ['a file that is too short', encodeFileHeader('log').subarray(0, 15), 'CORRUPTION', /too short/],
    ['a newer format', headerOfVersion(FORMAT_VERSION + 1), 'FORMAT_VERSION', /newer isovec/],
    ['a version that never was', headerOfVersion(0), 'CORRUPTION', /never existed/],
    ['a file of another kind', encodeFileHeader('graph'), 'CORRUPTION', /where 2 \(log\) belongs/],
  ])('refuses %s', (_, bytes, code, message) => {
    expect(() => checkFileHeader(bytes, 'log', 'f')).toThrow(
      expect.objectContaining({
        code,
        message: expect.stringMatching(message),
        details: { file: 'f', offset: 0 },
      }),
    );
  });

  it('refuses any byte that has changed', () => {
    for (let at = 0; at < 16; at++) {
      const bytes = encodeFileHeader('log');
      bytes[at]! ^= 0x10;
      expect(() => checkFileHeader(bytes, 'log', 'f')).toThrow();
    }
  });
});
