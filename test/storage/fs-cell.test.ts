import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FsCell } from '../../src/storage/fs-cell.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'isovec-cell-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('a glance at a cell', () => {
  it('sees at once what was written in this process, by whichever end', async () => {
    const ends = [new FsCell(join(folder, 'cell'), false), new FsCell(join(folder, 'cell'), false)] as const;
    for (let value = 1; value < 5; value++) {
      ends[value % 2]!.write(Uint8Array.of(value, value));
      await undefined;
      expect(ends.map((end) => Array.from(end.glance()))).toEqual([
        [value, value],
        [value, value],
      ]);
    }
    for (const end of ends) end.close();
  });

  it('sees what others have written in the next turn of the event loop', async () => {
    const cell = new FsCell(join(folder, 'cell'), true);
    expect(cell.glance()).toEqual(new Uint8Array());
    for (let value = 1; value < 5; value++) {
      writeFileSync(join(folder, 'cell'), Uint8Array.of(value));
      await nextTurn();
      expect(cell.glance()).toEqual(Uint8Array.of(value));
    }
    cell.close();
  });

  it('sees it soon in a turn that does not end, as in a loop that waits for nothing but queries', async () => {
    const cell = new FsCell(join(folder, 'cell'), true);
    for (let value = 1; value < 5; value++) {
      cell.glance();
      writeFileSync(join(folder, 'cell'), Uint8Array.of(value));
      const sinceMs = performance.now();
      while (cell.glance()[0] !== value && performance.now() - sinceMs < 1000) await undefined;
      expect(cell.glance()).toEqual(Uint8Array.of(value));
    }
    cell.close();
  });

  it('gives the same array as long as nothing has changed', async () => {
    const cell = new FsCell(join(folder, 'cell'), false);
    cell.write(Uint8Array.of(1, 2, 3));
    const seen = cell.glance();
    await nextTurn();
    expect(cell.glance()).toBe(seen);
    cell.write(Uint8Array.of(1, 2, 4));
    expect(cell.glance()).toEqual(Uint8Array.of(1, 2, 4));
    cell.close();
  });
});
