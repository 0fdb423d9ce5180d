import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFileHeader } from '../../src/base/file-header.ts';
import { IdHash, NO_ROW } from '../../src/tables/id-hash.ts';
import { RowTable } from '../../src/tables/row-table.ts';
import {
  decodeRowsFile,
  decodeTombstones,
  encodeExtents,
  encodeIdBlocks,
  encodeTombstones,
  type RecordExtent,
} from '../../src/tables/rows-file.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('the id hash', () => {
  it('does what a Map does, through growth and deletion', () => {
    const step = fc.record({ key: fc.nat(300), isDelete: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 1500, size: 'max' }), (steps) => {
        const keys: Uint8Array[] = [];
        const hash = new IdHash((row) => keys[row]!);
        const model = new Map<number, number>();
        for (const { key, isDelete } of steps) {
          const expected = model.get(key) ?? NO_ROW;
          if (isDelete) {
            expect(hash.delete(bytes(`key ${key}`))).toBe(expected);
            model.delete(key);
          } else {
            keys.push(bytes(`key ${key}`));
            expect(hash.set(keys.at(-1)!, keys.length - 1)).toBe(expected);
            model.set(key, keys.length - 1);
          }
        }
        for (let key = 0; key <= 300; key++)
          expect(hash.find(bytes(`key ${key}`))).toBe(model.get(key) ?? NO_ROW);
      }),
      { numRuns: 30 },
    );
  });
});

/** Puts and deletes of few ids, so that they meet. */
const life = fc.array(fc.record({ id: fc.nat(20).map((id) => `id${id}`), isDelete: fc.boolean() }), {
  maxLength: 100,
});

function lived(steps: { id: string; isDelete: boolean }[]): { rows: RowTable; model: Map<string, number> } {
  const rows = new RowTable();
  const model = new Map<string, number>();
  for (const { id, isDelete } of steps)
    if (isDelete) {
      expect(rows.delete(bytes(id))).toBe(model.get(id) ?? NO_ROW);
      model.delete(id);
    } else {
      const { row, replaced } = rows.put(bytes(id));
      expect(replaced).toBe(model.get(id) ?? NO_ROW);
      model.set(id, row);
    }
  return { rows, model };
}

describe('the row table', () => {
  it('knows which id stands in which row, and the order of insertion', () => {
    fc.assert(
      fc.property(life, (steps) => {
        const { rows, model } = lived(steps);
        expect(rows.liveCount).toBe(model.size);
        expect(rows.rowCount).toBe(steps.filter(({ isDelete }) => !isDelete).length);
        for (const [id, row] of model) {
          expect(rows.find(bytes(id))).toBe(row);
          expect(rows.id(row)).toBe(id);
        }
        // A Map keeps a replaced key in its place, and so does the table.
        expect([...rows.rowsInOrder()]).toEqual([...model.values()]);
      }),
    );
  });

  it('comes back from its file as it was', () => {
    fc.assert(
      fc.property(life, (steps) => {
        const { rows, model } = lived(steps);
        const extents: RecordExtent[] = [{ firstRow: 0, rowCount: rows.rowCount, offset: 2 ** 40, bytes: 7 }];
        const file = Uint8Array.from(
          [
            encodeFileHeader('rows'),
            ...encodeIdBlocks(rows, 0, rows.rowCount),
            encodeExtents(extents),
          ].flatMap((part) => [...part]),
        );
        const isDead = decodeTombstones(encodeTombstones(rows, rows.rowCount), 't');
        const restored = new RowTable();
        const found: RecordExtent[] = [];
        decodeRowsFile(file, 'f', {
          row: (id, position) => restored.restore(id, position, isDead(restored.rowCount)),
          extent: (extent) => found.push(extent),
        });
        expect(found).toEqual(extents);
        expect(restored.liveCount).toBe(model.size);
        expect([...restored.rowsInOrder()]).toEqual([...rows.rowsInOrder()]);
        for (const [id, row] of model) expect(restored.find(bytes(id))).toBe(row);
      }),
      { numRuns: 50 },
    );
  });

  it('refuses a file of which any byte has changed', () => {
    const { rows } = lived([
      { id: 'a', isDelete: false },
      { id: 'b', isDelete: false },
      { id: 'a', isDelete: true },
    ]);
    const file = Uint8Array.from(
      [encodeFileHeader('rows'), ...encodeIdBlocks(rows, 0, 2)].flatMap((part) => [...part]),
    );
    const tombstones = encodeTombstones(rows, 2);
    const visitor = { row: () => {}, extent: () => {} };
    const refused = expect.objectContaining({ code: 'CORRUPTION' });
    for (let at = 0; at < file.length; at++) {
      const changed = file.slice();
      changed[at]! ^= 1;
      expect(() => decodeRowsFile(changed, 'f', visitor)).toThrow(refused);
      expect(() => decodeRowsFile(file.subarray(0, at === 16 ? 15 : at), 'f', visitor)).toThrow(refused);
    }
    for (let at = 0; at < tombstones.length; at++) {
      const changed = tombstones.slice();
      changed[at]! ^= 1;
      // The row count is checked by the length that it asks for.
      if (at < 20 || at > 23) expect(() => decodeTombstones(changed, 't')).toThrow(refused);
    }
  });
});
