import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../src/base/bytes.ts';
import { checkDataHeader, DATA_HEADER_BYTES, encodeDataHeader } from '../../src/tables/data-header.ts';
import { IdHash, NO_ROW } from '../../src/tables/id-hash.ts';
import { IdStore } from '../../src/tables/id-store.ts';
import { RowTable } from '../../src/tables/row-table.ts';
import {
  decodeRowsFile,
  encodeExtents,
  encodeIdBlocks,
  type RecordExtent,
} from '../../src/tables/rows-file.ts';
import { encodeDeaths } from '../../src/tables/write-block.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('ids of several rows', () => {
  it('are those of each row, whatever characters they have', () => {
    const id = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.string({ unit: 'grapheme', maxLength: 12 }),
      fc.uuid(),
    );
    const given = fc.record({
      ids: fc.uniqueArray(id, { minLength: 1, maxLength: 60 }),
      seed: fc.array(fc.nat()),
    });
    fc.assert(
      fc.property(given, ({ ids, seed }) => {
        const table = new RowTable();
        for (const each of ids) table.put(bytes(each));
        const rows = Uint32Array.from(seed, (number) => number % ids.length);
        expect(table.idsOf(rows)).toEqual(Array.from(rows, (row) => table.id(row)));
      }),
    );
  });
});

describe('the id hash', () => {
  it('does what a Map does, through growth and deletion', () => {
    const step = fc.record({ key: fc.nat(300), isDelete: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 1500, size: 'max' }), (steps) => {
        const ids = new IdStore();
        const hash = new IdHash(ids);
        const model = new Map<number, number>();
        for (const { key, isDelete } of steps) {
          const expected = model.get(key) ?? NO_ROW;
          if (isDelete) {
            expect(hash.delete(bytes(`key ${key}`))).toBe(expected);
            model.delete(key);
          } else {
            ids.append(bytes(`key ${key}`), 0);
            expect(hash.set(ids.rowCount - 1)).toBe(expected);
            model.set(key, ids.rowCount - 1);
          }
        }
        for (let key = 0; key <= 300; key++)
          expect(hash.find(bytes(`key ${key}`))).toBe(model.get(key) ?? NO_ROW);
      }),
      { numRuns: 30 },
    );
  });
});

describe('the ids of rows', () => {
  const id = fc.oneof(fc.string({ minLength: 1, maxLength: 40 }), fc.constant('x'.repeat(1000)));
  const entries = fc.array(fc.record({ id, position: fc.nat(0xffff_ffff) }), {
    minLength: 1,
    maxLength: 300,
  });

  it('are found in any order, from blocks that were read and from rows that came since', () => {
    fc.assert(
      fc.property(entries, entries, fc.array(fc.nat(599), { maxLength: 100 }), (stored, added, asked) => {
        const writer = new ByteWriter();
        for (const { id, position } of stored) writer.u16(bytes(id).length).u32(position).raw(bytes(id));
        const ids = new IdStore();
        ids.take(writer.bytes(), stored.length, 'rows');
        for (const { id, position } of added) ids.append(bytes(id), position);
        const all = [...stored, ...added];
        expect(ids.rowCount).toBe(all.length);
        for (const row of [...all.keys(), ...asked]) {
          const expected = all[row % all.length]!;
          ids.find(row % all.length);
          expect(ids.position).toBe(expected.position);
          expect([...ids.bytes.subarray(ids.start, ids.end)]).toEqual([...bytes(expected.id)]);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('are refused from a block with more or fewer than it says', () => {
    const payload = new ByteWriter().u16(1).u32(0).raw(bytes('a')).u16(2).u32(1).raw(bytes('bc')).bytes();
    const refused = expect.objectContaining({ code: 'CORRUPTION' });
    for (const count of [0, 1, 3, 100])
      expect(() => new IdStore().take(payload, count, 'rows')).toThrow(refused);
    for (let end = 0; end < payload.length; end++)
      expect(() => new IdStore().take(payload.subarray(0, end), 2, 'rows')).toThrow(refused);
    new IdStore().take(payload, 2, 'rows');
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
        const deaths = [...Array(rows.rowCount).keys()].filter((row) => !rows.isLive(row));
        const extents: RecordExtent[] = [{ firstRow: 0, rowCount: rows.rowCount, offset: 2 ** 40, bytes: 7 }];
        const file = fileOf(
          ...encodeIdBlocks(rows, 0, rows.rowCount),
          encodeExtents(extents),
          encodeDeaths(deaths),
        );
        const found = decodeRowsFile(file, FILE);
        const restored = new RowTable();
        for (const block of found.ids) restored.restoreBlock(block.payload, block.rowCount, FILE);
        restored.restoreDeaths(found.deaths);
        expect(found.extents).toEqual(extents);
        expect(restored.liveCount).toBe(model.size);
        expect([...restored.rowsInOrder()]).toEqual([...rows.rowsInOrder()]);
        for (const [id, row] of model) expect(restored.find(bytes(id))).toBe(row);
      }),
      { numRuns: 50 },
    );
  });

  it('that was read with one id in two live rows refuses to look for any, every time', () => {
    const { rows } = lived([
      { id: 'a', isDelete: false },
      { id: 'b', isDelete: false },
      { id: 'a', isDelete: true },
      { id: 'a', isDelete: false },
    ]);
    const { ids } = decodeRowsFile(fileOf(...encodeIdBlocks(rows, 0, rows.rowCount)), FILE);
    const restored = new RowTable();
    for (const { payload, rowCount } of ids) restored.restoreBlock(payload, rowCount, FILE);
    for (let attempt = 0; attempt < 3; attempt++)
      expect(() => restored.find(bytes('b'))).toThrow(expect.objectContaining({ code: 'CORRUPTION' }));
    expect(restored.id(1)).toBe('b');
  });

  it('refuses a file of which any byte has changed', () => {
    const { rows } = lived([
      { id: 'a', isDelete: false },
      { id: 'b', isDelete: false },
      { id: 'a', isDelete: true },
    ]);
    const file = fileOf(...encodeIdBlocks(rows, 0, 2), encodeDeaths([0]));
    const refused = expect.objectContaining({ code: 'CORRUPTION' });
    for (let at = 0; at < file.length; at++) {
      const changed = file.slice();
      changed[at]! ^= 1;
      expect(() => decodeRowsFile(changed, FILE)).toThrow(refused);
    }
    const blockEnds = [DATA_HEADER_BYTES, file.length - 24];
    for (let end = 0; end < file.length; end++)
      if (!blockEnds.includes(end))
        expect(() => decodeRowsFile(file.subarray(0, end), FILE)).toThrow(refused);
  });

  it('refuses the file of another collection, kind or epoch', () => {
    for (const file of ['data-2-rows-0', 'data-1-rows-1', 'data-1-records-0'])
      expect(() => decodeRowsFile(fileOf(), file)).toThrow(expect.objectContaining({ code: 'CORRUPTION' }));
    expect(() => checkDataHeader(fileOf(), 'records', FILE)).toThrow(/kind/);
  });
});

const FILE = 'data-1-rows-0';

function fileOf(...blocks: Uint8Array[]): Uint8Array {
  const header = encodeDataHeader({ collectionId: 1, kind: 'rows', number: 0 });
  return Uint8Array.from([header, ...blocks].flatMap((part) => [...part]));
}
