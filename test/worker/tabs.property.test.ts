/** Tabs that are opened, killed, closed and stopped at random points, while all of them write. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Collection, Database } from '../../src/base/api.ts';
import { type Tab, TabWorld } from './tab-world.ts';

const CONFIG = { dimensions: 2, metric: 'dot' as const };
let locations = 0;

type Step =
  | { kind: 'insert'; tab: number; records: number }
  | { kind: 'delete'; tab: number }
  | { kind: 'increment'; tab: number }
  | { kind: 'define'; tab: number }
  | { kind: 'kill' | 'close' | 'suspend' | 'resume'; tab: number }
  | { kind: 'doom'; tab: number; operations: number }
  | { kind: 'open' | 'checkpoint' | 'settle'; tab: number };

const tabNumber = fc.nat(4);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('insert' as const),
      tab: tabNumber,
      records: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), tab: tabNumber }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('increment' as const), tab: tabNumber }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('define' as const), tab: tabNumber }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('doom' as const), tab: tabNumber, operations: fc.nat(12) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('kill' as const, 'close' as const, 'suspend' as const, 'resume' as const),
      tab: tabNumber,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('open' as const, 'checkpoint' as const, 'settle' as const),
      tab: tabNumber,
    }),
  },
);

/** A transaction begun by one writer is passed on to the next and waits to be begun there once more, when nobody will end it. */
const PASSED_ON: Step[] = [
  { kind: 'open', tab: 1 },
  { kind: 'increment', tab: 1 },
  { kind: 'insert', tab: 0, records: 2 },
  { kind: 'suspend', tab: 1 },
  { kind: 'settle', tab: 3 },
  { kind: 'delete', tab: 1 },
  { kind: 'delete', tab: 2 },
  { kind: 'insert', tab: 3, records: 4 },
  { kind: 'doom', tab: 4, operations: 10 },
  { kind: 'insert', tab: 3, records: 2 },
  { kind: 'delete', tab: 0 },
  { kind: 'delete', tab: 0 },
  { kind: 'delete', tab: 0 },
  { kind: 'settle', tab: 4 },
  { kind: 'increment', tab: 4 },
  { kind: 'checkpoint', tab: 1 },
  { kind: 'insert', tab: 0, records: 3 },
  { kind: 'doom', tab: 2, operations: 11 },
  { kind: 'resume', tab: 1 },
  { kind: 'resume', tab: 1 },
  { kind: 'increment', tab: 2 },
  { kind: 'doom', tab: 2, operations: 2 },
  { kind: 'checkpoint', tab: 2 },
  { kind: 'resume', tab: 3 },
  { kind: 'checkpoint', tab: 1 },
  { kind: 'increment', tab: 4 },
  { kind: 'delete', tab: 4 },
  { kind: 'insert', tab: 3, records: 3 },
];

describe('tabs that come and go at random', () => {
  it('lose nothing that was acknowledged, do nothing twice, and leave no call unanswered', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const history = new History(`random-${++locations}`);
        await history.run(steps);
        await history.check();
      }),
      { numRuns: 60, endOnFailure: true, examples: [[PASSED_ON]] },
    );
  });
});

interface OpenTab {
  tab: Tab;
  database: Database;
  isSuspended: boolean;
  isClosing: boolean;
}

/** What the tabs have been asked and told. */
class History {
  readonly #location: string;
  readonly #world = new TabWorld();
  readonly #tabs: OpenTab[] = [];
  /** Calls that must be answered unless their tab dies. */
  readonly #running = new Set<Promise<void>>();
  #records = 0;
  readonly #inserted = new Set<string>();
  readonly #deleted = new Map<string, number>();
  /** Of tabs that died before the answer. */
  readonly #unknown = new Set<string>();
  #increments = 0;
  #unknownIncrements = 0;
  readonly #failures: string[] = [];

  constructor(location: string) {
    this.#location = location;
  }

  async run(steps: Step[]): Promise<void> {
    const first = await this.#open();
    const collection = await first.database.collection('c', CONFIG);
    await collection.insert({ id: 'counter', vector: [1, 1], metadata: { count: 0 } });
    await this.#open();
    for (const each of steps) {
      await this.#take(each);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async check(): Promise<void> {
    for (const { tab } of this.#tabs) if (!tab.isDead) tab.resume();
    const last = await this.#open();
    await Promise.all(this.#running);
    const collection = await last.database.collection('c');
    const found: string[] = [];
    for await (const { id } of collection.scan()) if (id !== 'counter') found.push(id);
    expect(this.#failures).toEqual([]);
    expect(new Set(found).size).toBe(found.length);
    const present = new Set(found);
    for (const id of this.#inserted)
      if (!this.#unknown.has(id)) expect([id, present.has(id)]).toEqual([id, !this.#deleted.has(id)]);
    for (const id of found) expect(this.#inserted.has(id) || this.#unknown.has(id)).toBe(true);
    for (const [id, count] of this.#deleted) if (!this.#unknown.has(id)) expect([id, count]).toEqual([id, 1]);
    const { count } = (await collection.get('counter'))!.metadata as { count: number };
    expect(count).toBeGreaterThanOrEqual(this.#increments);
    expect(count).toBeLessThanOrEqual(this.#increments + this.#unknownIncrements);
    // Even then one may die.
    for (const { tab, database } of this.#tabs) await Promise.race([database.close(), tab.died]);
  }

  async #open(): Promise<OpenTab> {
    const tab = this.#world.tab();
    const open = { tab, database: await tab.open(this.#location), isSuspended: false, isClosing: false };
    this.#tabs.push(open);
    return open;
  }

  async #take(step: Step): Promise<void> {
    const alive = this.#tabs.filter(({ tab }) => !tab.isDead);
    const chosen = alive[step.tab % alive.length];
    if (step.kind === 'open' || !chosen) {
      if (alive.every(({ isSuspended }) => !isSuspended)) await this.#open();
      return;
    }
    const { tab, database } = chosen;
    switch (step.kind) {
      case 'insert':
        return this.#insert(chosen, step.records);
      case 'delete':
        return this.#delete(chosen);
      case 'increment':
        return this.#call(
          chosen,
          () => this.#increment(database),
          () => this.#unknownIncrements++,
        );
      case 'define':
        return this.#define(chosen);
      case 'checkpoint':
        return this.#call(chosen, () => database.checkpoint());
      case 'kill':
        return tab.kill();
      case 'doom':
        tab.operationsLeft = step.operations;
        return;
      case 'close':
        this.#tabs.splice(this.#tabs.indexOf(chosen), 1);
        chosen.isClosing = true;
        if (chosen.isSuspended) tab.resume();
        return this.#call(chosen, () => database.close());
      case 'suspend':
      case 'resume':
        chosen.isSuspended = step.kind === 'suspend';
        return tab[step.kind]();
      case 'settle':
        if (this.#tabs.some(({ isSuspended }) => isSuspended)) return;
        await Promise.all(this.#running);
    }
  }

  #insert(chosen: OpenTab, count: number): void {
    const ids = Array.from({ length: count }, () => `r${++this.#records}`);
    this.#call(
      chosen,
      async () => {
        const collection = await chosen.database.collection('c');
        await collection.insert(ids.map((id) => ({ id, vector: [1, 1] })));
        for (const id of ids) this.#inserted.add(id);
      },
      () => {
        for (const id of ids) this.#unknown.add(id);
      },
    );
  }

  #delete(chosen: OpenTab): void {
    const id = [...this.#inserted].find((each) => !this.#deleted.has(each));
    if (id === undefined) return;
    this.#deleted.set(id, 0);
    this.#call(
      chosen,
      async () => {
        const collection = await chosen.database.collection('c');
        const { deleted } = await collection.delete(id);
        this.#deleted.set(id, this.#deleted.get(id)! + deleted);
      },
      () => this.#unknown.add(id),
    );
  }

  async #increment(database: Database): Promise<void> {
    try {
      await database.transaction(async (tx) => {
        const counter: Pick<Collection, 'get' | 'update'> = tx.collection('c');
        const { count } = (await counter.get('counter'))!.metadata as { count: number };
        await counter.update({ id: 'counter', metadata: { count: count + 1 } });
      });
      this.#increments++;
    } catch (error) {
      // Its writer went away: nothing is stored.
      if ((error as { code?: string }).code !== 'ABORTED') throw error;
    }
  }

  #define(chosen: OpenTab): void {
    const name = `d${++this.#records}`;
    this.#call(chosen, async () => {
      await chosen.database.collection(name, CONFIG);
      await chosen.database.dropCollection(name);
    });
  }

  /** @param whenUnknown called when the tab dies before it is answered, or was closed before it could ask */
  #call(chosen: OpenTab, call: () => Promise<void>, whenUnknown: () => void = () => {}): void {
    const { tab } = chosen;
    let isOver = false;
    const answered = call()
      .catch((error: unknown) => {
        if (chosen.isClosing && (error as { code?: string }).code === 'CLOSED') whenUnknown();
        else if (!isOver) this.#failures.push(String(error));
      })
      .finally(() => {
        isOver = true;
      });
    const died = tab.died.then(() => {
      if (!isOver) whenUnknown();
      isOver = true;
    });
    const running = Promise.race([answered, died]).then(() => {
      this.#running.delete(running);
    });
    this.#running.add(running);
  }
}
