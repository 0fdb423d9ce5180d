import { describe, expect, it } from 'vitest';
import type { MemoryFiles } from '../../src/storage/memory.ts';
import type { LocalDatabase } from '../../src/store/database.ts';
import { openLocal } from '../../src/store/open.ts';
import { Receipts } from '../../src/store/receipts.ts';
import type { Call } from '../../src/worker/protocol.ts';
import { CallServer } from '../../src/worker/server.ts';
import { memoryPlatform } from './memory-platform.ts';

const CLIENT = 2 ** 52 + 1;
const operation = (number: number, settledBefore = 0) => ({ client: CLIENT, number, settledBefore });

describe('receipts', () => {
  it('are dropped once their client has been answered, and when there are too many', () => {
    const receipts = new Receipts();
    for (let number = 1; number <= 2000; number++) receipts.add({ ...operation(number), outcome: number });
    expect(receipts.find(operation(2000 - 1024))).toBeUndefined();
    expect(receipts.find(operation(2000 - 1023))).toBe(2000 - 1023);
    receipts.add({ ...operation(2001, 2000), outcome: 7 });
    expect(receipts.stored()).toEqual([
      [
        CLIENT,
        [
          [2000, 2000],
          [2001, 7],
        ],
      ],
    ]);
    for (let client = 1; client <= 63; client++)
      receipts.add({ client, number: 1, settledBefore: 1, outcome: 0 });
    expect(receipts.find(operation(2001))).toBe(7);
    receipts.add({ client: 64, number: 1, settledBefore: 1, outcome: 0 });
    expect(receipts.find(operation(2001))).toBeUndefined();
    const again = new Receipts();
    again.restore(JSON.parse(JSON.stringify(receipts.stored())));
    expect(again.stored()).toEqual(receipts.stored());
  });

  it.each([
    ['from the log', async () => {}],
    ['from the manifest', (database: LocalDatabase) => database.checkpoint()],
  ])('answer what has been carried out, after a crash, %s', async (_, settle) => {
    const files = new Map<string, MemoryFiles>();
    const open = () => openLocal({ ...memoryPlatform(files), storage: withoutLocks(files) }, 'x', {});
    const writer = await open();
    const config = { dimensions: 1, metric: 'dot' as const };
    const collection = { name: 'c', id: 1 };
    const write = (method: 'insert', id: string): Call => {
      const packed = {
        records: [{ fields: { id }, dimensions: 1 }],
        vectors: new Float32Array([1]),
        isSingle: false,
      };
      return { type: 'write', collection, method, packed, priority: undefined };
    };
    const calls: Call[] = [
      { type: 'openCollection', name: 'c', config },
      write('insert', 'a'),
      write('insert', 'b'),
      { type: 'delete', collection, which: ['b', 'none'], priority: undefined },
      { type: 'openCollection', name: 'gone', config },
      { type: 'database', method: 'dropCollection', args: ['gone'] },
    ];
    const before = new CallServer(writer);
    const answers = [];
    for (const [index, call] of calls.entries())
      answers.push(await before.answer(index + 1, structuredClone(call), operation(index + 1)));
    await before.answer(50, { type: 'begin', transaction: 50 });
    const within: Call = { type: 'within', transaction: 50, collection: 'c', method: 'delete', given: 'a' };
    await before.answer(51, within);
    const end: Call = { type: 'end', transaction: 50, isCommit: true };
    answers.push(await before.answer(52, end, operation(52)));
    expect(answers.every(({ ok }) => ok)).toBe(true);
    await settle(writer);
    // As a crash leaves it: never closed.
    const next = await open();
    const after = new CallServer(next);
    for (const [index, call] of [...calls, end].entries()) {
      const number = index < calls.length ? index + 1 : 52;
      expect(await after.answer(number, call, operation(number))).toEqual(answers[index]);
    }
    expect(await next.collections()).toMatchObject([{ name: 'c', count: 0 }]);
  });
});

function withoutLocks(files: Map<string, MemoryFiles>) {
  return async () => ({ provider: (await memoryPlatform(files).storage('auto', 'x')).provider });
}
