import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../src/base/bytes.ts';
import { crc32c } from '../../src/base/crc32c.ts';
import { BLOCK_HEADER_BYTES, checkBlock, decodeBlockHeader } from '../../src/tables/block.ts';
import { entryInBlock } from '../../src/tables/record-entry.ts';
import { salvageEntries, writeRecordBlock } from '../../src/tables/records-file.ts';
import { RowTable } from '../../src/tables/row-table.ts';
import { decodeVectors, vectorChecksum, vectorStrideBytes } from '../../src/tables/vectors-file.ts';
import { writeVectors } from '../../src/tables/write-vectors.ts';

describe('the records file', () => {
  const encoder = new TextEncoder();
  const tableOf = (count: number): RowTable => {
    const rows = new RowTable();
    for (let row = 0; row < count; row++) rows.put(encoder.encode(`id${row}`));
    return rows;
  };

  it('gives back every record from its block', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 9000 }), { minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(bodies, fc.nat(1000), (given, firstRow) => {
        let row = firstRow;
        const rows = tableOf(firstRow + given.length);
        const writer = new ByteWriter();
        const endRow = firstRow + given.length;
        while (row < endRow) {
          const start = writer.length;
          const rowCount = writeRecordBlock(writer, rows, (at) => given[at - firstRow]!, row, endRow);
          const bytes = writer.bytes().subarray(start);
          const header = decodeBlockHeader(bytes, 'f');
          expect(header).toMatchObject({ firstRow: row, rowCount });
          expect(header.payloadBytes).toBe(bytes.length - BLOCK_HEADER_BYTES);
          const payload = checkBlock(header, bytes, 'f', 0);
          for (let index = 0; index < header.rowCount; index++, row++)
            expect(entryInBlock(payload, header.rowCount, index, 'f')).toEqual({
              position: row,
              id: encoder.encode(`id${row}`),
              body: given[row - firstRow],
            });
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
          expect(entryInBlock(payload, 2, 1, 'f').body.length).toBeLessThanOrEqual(payload.length);
        } catch (error) {
          expect(error).toMatchObject({ code: 'CORRUPTION' });
        }
      }),
    );
  });
});

describe('a damaged block of records', () => {
  it('gives back every entry but the one that a changed byte belongs to', () => {
    const bodies = Array.from({ length: 20 }, (_, index) => new Uint8Array(index).fill(index));
    const rows = new RowTable();
    for (let row = 0; row < 25; row++) rows.put(Uint8Array.of(row));
    const writer = new ByteWriter();
    expect(writeRecordBlock(writer, rows, (row) => bodies[row - 5]!, 5, 25)).toBe(20);
    const payload = writer.bytes().subarray(BLOCK_HEADER_BYTES);
    for (let at = 0; at < payload.length; at++) {
      const changed = payload.slice();
      changed[at]! ^= 0x11;
      const found = salvageEntries(changed, 5, 20);
      expect(found.filter((entry) => entry === undefined).length).toBe(at < 80 ? 0 : 1);
      for (const [index, entry] of found.entries())
        if (entry)
          expect(entry).toEqual({ position: index + 5, id: rows.idBytes(index + 5), body: bodies[index] });
    }
    for (let end = 0; end < payload.length; end++)
      for (const entry of salvageEntries(payload.subarray(0, end), 5, 20))
        if (entry) expect(bodies).toContainEqual(entry.body);
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
      fc.property(vectors, fc.nat(1000), fc.boolean(), (given, firstRow, areChecksumsKnown) => {
        const writer = new ByteWriter(DIMENSIONS * 4).u32(7);
        const storedOf = (row: number) => {
          const vector = given[row - firstRow];
          return vector && { vector, checksum: areChecksumsKnown ? vectorChecksum(vector) : undefined };
        };
        const checksum = writeVectors(writer, storedOf, DIMENSIONS, firstRow, given.length);
        const expected = given.map((vector) => vector ?? new Float32Array(DIMENSIONS));
        expect(decodeVectors(writer.bytes(), DIMENSIONS, firstRow, 'f')).toEqual(expected);
        expect(checksum).toBe(crc32c(writer.bytes()));
      }),
    );
  });

  it('names the row of which a byte has changed', () => {
    const writer = new ByteWriter();
    const vector = new Float32Array(DIMENSIONS).fill(1);
    writeVectors(writer, () => ({ vector, checksum: undefined }), DIMENSIONS, 10, 3);
    const bytes = writer.bytes().slice();
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
