import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK_HEADER_BYTES, checkBlock, decodeBlockHeader } from '../../src/tables/block.ts';
import { bodyInBlock, encodeRecordBlocks } from '../../src/tables/records-file.ts';
import { decodeVectors, encodeVectors, vectorStrideBytes } from '../../src/tables/vectors-file.ts';

describe('the records file', () => {
  it('gives back every body from its block', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 9000 }), { minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(bodies, fc.nat(1000), (given, firstRow) => {
        let row = firstRow;
        for (const block of encodeRecordBlocks(
          (at) => given[at - firstRow]!,
          firstRow,
          firstRow + given.length,
        )) {
          const header = decodeBlockHeader(block.bytes, 'f');
          expect(header).toMatchObject({ firstRow: row, rowCount: block.rowCount });
          expect(header.payloadBytes).toBe(block.bytes.length - BLOCK_HEADER_BYTES);
          const payload = checkBlock(header, block.bytes, 'f', 0);
          for (let index = 0; index < header.rowCount; index++, row++)
            expect(bodyInBlock(payload, header.rowCount, index, 'f')).toEqual(given[row - firstRow]);
        }
        expect(row).toBe(firstRow + given.length);
      }),
      { numRuns: 20 },
    );
  });

  it('never reads outside a block, whatever its table of offsets says', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 64 }), (payload) => {
        try {
          expect(bodyInBlock(payload, 2, 1, 'f').length).toBeLessThanOrEqual(payload.length);
        } catch (error) {
          expect(error).toMatchObject({ code: 'CORRUPTION' });
        }
      }),
    );
  });
});

describe('the vectors file', () => {
  const DIMENSIONS = 5;
  const vectors = fc.array(
    fc.option(fc.float32Array({ minLength: DIMENSIONS, maxLength: DIMENSIONS, noNaN: true }), {
      nil: undefined,
    }),
    { minLength: 1, maxLength: 50 },
  );

  it('gives back every vector bit by bit, and zeros for dead rows', () => {
    fc.assert(
      fc.property(vectors, fc.nat(1000), (given, firstRow) => {
        const bytes = encodeVectors((row) => given[row - firstRow], DIMENSIONS, firstRow, given.length);
        const expected = given.map((vector) => vector ?? new Float32Array(DIMENSIONS));
        expect(decodeVectors(bytes, DIMENSIONS, firstRow, 'f')).toEqual(expected);
      }),
    );
  });

  it('names the row of which a byte has changed', () => {
    const bytes = encodeVectors(() => new Float32Array(DIMENSIONS).fill(1), DIMENSIONS, 10, 3);
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at]! ^= 1;
      const row = 10 + Math.floor(at / vectorStrideBytes(DIMENSIONS));
      expect(() => decodeVectors(changed, DIMENSIONS, 10, 'f')).toThrow(
        expect.objectContaining({ code: 'CORRUPTION', details: expect.objectContaining({ file: 'f', row }) }),
      );
    }
  });
});
