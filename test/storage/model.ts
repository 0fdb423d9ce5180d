import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { StorageBackend, StorageFile, StorageProvider } from '../../src/storage/storage.ts';
import type { StorageUnderTest } from './contract.ts';
import { expectBytes, someBytes } from './helpers.ts';

/** Every operation, in any order, against a plain Map: what a backend answers is what the Map holds. */

type Operation =
  | { kind: 'write'; file: string; at: number; length: number; seed: number }
  | { kind: 'append'; file: string; length: number; seed: number }
  | { kind: 'truncate'; file: string; at: number }
  | { kind: 'read'; file: string; at: number; length: number }
  | { kind: 'flush' | 'closeFile' | 'removeFile'; file: string }
  | { kind: 'replace'; whole: string; length: number; seed: number }
  | { kind: 'removeWhole'; whole: string }
  | { kind: 'reopen' };

/** Reaches over several blocks (48 KB) of IndexedDB, the one backend that has any. */
const OFFSET_MAX = 200_000;

const file = fc.constantFrom('alpha', 'beta/Γ');
const whole = fc.constantFrom('whole', 'other whole');
const at = fc.oneof(fc.nat(OFFSET_MAX), fc.nat(50), fc.constantFrom(49_152, 65_536, 98_304));
const length = fc.oneof(fc.nat(3000), fc.nat(150_000), fc.constantFrom(0, 49_152, 98_304));
const seed = fc.nat(1000);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('write' as const), file, at, length, seed }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('append' as const), file, length, seed }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('truncate' as const), file, at }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('read' as const), file, at, length }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('flush' as const, 'flush' as const, 'closeFile' as const, 'removeFile' as const),
      file,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('replace' as const), whole, length, seed }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('removeWhole' as const), whole }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
);

export function describeAgainstModel(under: StorageUnderTest): void {
  it('agrees with a plain Map over any sequence of operations and reopenings', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 40 }), async (operations) => {
        const location = under.newLocation();
        const provider = await under.makeProvider();
        const run = new Run(provider, location);
        try {
          await run.open();
          for (const next of operations) await run.apply(next);
          await run.reopen();
          await run.compareEverything();
        } finally {
          await run.close();
          await provider.destroy(location);
        }
      }),
      { numRuns: 40 },
    );
  });
}

class Run {
  readonly #provider: StorageProvider;
  readonly #location: string;
  readonly #files = new Map<string, Uint8Array>();
  readonly #wholes = new Map<string, Uint8Array>();
  readonly #open = new Map<string, StorageFile>();
  #backend: StorageBackend | undefined;

  constructor(provider: StorageProvider, location: string) {
    this.#provider = provider;
    this.#location = location;
  }

  async open(): Promise<void> {
    this.#backend = await this.#provider.open(this.#location, { create: true, readOnly: false });
  }

  async close(): Promise<void> {
    this.#open.clear();
    await this.#backend?.close();
  }

  /** Only what has been flushed is sure to be there again. */
  async reopen(): Promise<void> {
    for (const open of this.#open.values()) await open.flush();
    await this.close();
    await this.open();
  }

  async apply(next: Operation): Promise<void> {
    switch (next.kind) {
      case 'write':
        return this.#write(next.file, next.at, someBytes(next.length, next.seed));
      case 'append':
        return this.#append(next.file, someBytes(next.length, next.seed));
      case 'truncate':
        return this.#truncate(next.file, next.at);
      case 'read':
        return this.#read(next.file, next.at, next.length);
      case 'flush':
        return (await this.#opened(next.file)).flush();
      case 'closeFile':
        return this.#closeFile(next.file);
      case 'removeFile':
        return this.#removeFile(next.file);
      case 'replace':
        return this.#replace(next.whole, someBytes(next.length, next.seed));
      case 'removeWhole':
        this.#wholes.delete(next.whole);
        return this.#backend!.remove(next.whole);
      case 'reopen':
        return this.reopen();
    }
  }

  async compareEverything(): Promise<void> {
    const names = [...this.#files.keys(), ...this.#wholes.keys()];
    expect((await this.#backend!.list()).sort()).toEqual(names.sort());
    for (const [name, content] of this.#files) {
      const opened = await this.#opened(name);
      expect(await opened.size()).toBe(content.length);
      expectBytes(await opened.read(0, content.length), content);
    }
    for (const [name, content] of this.#wholes) expectBytes(await this.#backend!.load(name), content);
  }

  async #opened(name: string): Promise<StorageFile> {
    const opened = this.#open.get(name) ?? (await this.#backend!.open(name, { create: true }));
    this.#open.set(name, opened);
    if (!this.#files.has(name)) this.#files.set(name, new Uint8Array(0));
    return opened;
  }

  async #write(name: string, offset: number, bytes: Uint8Array): Promise<void> {
    await (await this.#opened(name)).write(offset, bytes);
    const before = this.#files.get(name)!;
    if (bytes.length === 0) return;
    const after = new Uint8Array(Math.max(before.length, offset + bytes.length));
    after.set(before);
    after.set(bytes, offset);
    this.#files.set(name, after);
  }

  async #append(name: string, bytes: Uint8Array): Promise<void> {
    const end = await (await this.#opened(name)).append(bytes);
    const before = this.#files.get(name)!;
    expect(end).toBe(before.length);
    const after = new Uint8Array(end + bytes.length);
    after.set(before);
    after.set(bytes, end);
    this.#files.set(name, after);
  }

  async #truncate(name: string, size: number): Promise<void> {
    await (await this.#opened(name)).truncate(size);
    const after = new Uint8Array(size);
    after.set(this.#files.get(name)!.subarray(0, size));
    this.#files.set(name, after);
  }

  async #read(name: string, offset: number, count: number): Promise<void> {
    const opened = await this.#opened(name);
    const content = this.#files.get(name)!;
    const start = Math.min(offset, content.length);
    const end = Math.min(start + count, content.length);
    expect(await opened.size()).toBe(content.length);
    expectBytes(await opened.read(start, end - start), content.subarray(start, end));
  }

  async #closeFile(name: string): Promise<void> {
    await this.#open.get(name)?.close();
    this.#open.delete(name);
  }

  async #removeFile(name: string): Promise<void> {
    await this.#closeFile(name);
    await this.#backend!.remove(name);
    this.#files.delete(name);
  }

  async #replace(name: string, bytes: Uint8Array): Promise<void> {
    await this.#backend!.replace(name, bytes);
    this.#wholes.set(name, bytes);
    expectBytes(await this.#backend!.load(name), bytes);
  }
}
