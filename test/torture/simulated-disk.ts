/**
 * Storage that remembers everything that was done to it, in order. From that record crash-images.ts makes every state
 * that a power loss could have left.
 *
 * What counts as durable is what the storage contract promises and no more: `flush()` covers the file's content and
 * its name, `replace()` itself, and `remove()` nothing until the name is flushed or replaced again.
 */
import { IsovecError } from '../../src/base/errors.ts';
import { GrowableBytes, MemoryBackend, MemoryFiles } from '../../src/storage/memory.ts';
import type {
  SharedCell,
  StorageBackend,
  StorageCapabilities,
  StorageFile,
} from '../../src/storage/storage.ts';

/** One change. `file` tells apart files that bore the same name one after the other. */
export type DiskEvent =
  | { kind: 'create'; name: string; file: number }
  | { kind: 'write'; file: number; offset: number; bytes: Uint8Array }
  | { kind: 'truncate'; file: number; size: number }
  | { kind: 'flush'; file: number }
  | { kind: 'replace'; name: string; file: number; content: Uint8Array }
  | { kind: 'remove'; name: string };

/** Files by name, as a backend would find them. */
export type DiskImage = Map<string, Uint8Array>;

export class SimulatedDisk {
  /** What was there before the first event, all of it durable. */
  readonly initial: DiskImage;
  readonly events: DiskEvent[] = [];
  readonly files = new MemoryFiles();
  /** Whether several may write: then there are cells, too. */
  readonly sharedWrites: boolean;
  readonly #numbers = new Map<string, number>();
  #nextNumber = 0;

  constructor(image: DiskImage = new Map(), sharedWrites = false) {
    this.initial = image;
    this.sharedWrites = sharedWrites;
    for (const [name, content] of image) {
      const bytes = new GrowableBytes();
      bytes.write(0, content);
      this.files.set(name, bytes);
      this.#numbers.set(name, this.#nextNumber++);
    }
  }

  /** As the file numbers of the initial image are given out. */
  get initialNames(): string[] {
    return [...this.initial.keys()];
  }

  numberOf(name: string): number {
    return this.#numbers.get(name)!;
  }

  newNumber(name: string): number {
    this.#numbers.set(name, this.#nextNumber);
    return this.#nextNumber++;
  }
}

/**
 * A backend on a simulated disk.
 * @param turns how many microtasks each change waits before it happens: varies what overlaps what
 */
export class SimulatedBackend implements StorageBackend {
  readonly kind = 'memory';
  readonly capabilities: StorageCapabilities;
  readonly #disk: SimulatedDisk;
  readonly #memory: MemoryBackend;
  readonly #turns: () => number;
  readonly #readOnly: boolean;
  #isKilled = false;
  /** Changes left to make, if that is to be its death, and how much of the last one if it is a write. */
  #deadline: { changes: number; share: number } | undefined;
  #tellDied: () => void = () => {};
  /** Resolves at the death that was called for. */
  readonly died = new Promise<void>((resolve) => {
    this.#tellDied = resolve;
  });

  constructor(disk: SimulatedDisk, turns: () => number, readOnly = false) {
    this.#disk = disk;
    const { sharedWrites } = disk;
    this.capabilities = { persistent: true, durableFlush: true, sharedReads: true, sharedWrites };
    this.#memory = new MemoryBackend('simulated', disk.files, readOnly);
    this.#turns = turns;
    this.#readOnly = readOnly;
  }

  /** The process is gone: what it had not done by now never happens, and nobody hears of it. */
  kill(): void {
    this.#isKilled = true;
  }

  /** The process is to be killed when it makes the change behind so many. @param share of a write that is made then */
  dieAfter(changes: number, share: number): void {
    this.#deadline = { changes, share };
  }

  /** @returns how much of a write of so many bytes is made before the process is gone */
  cut(length: number): number {
    const isDying = this.#deadline?.changes === 0 && !this.#isKilled;
    return isDying ? Math.floor(length * this.#deadline!.share) : length;
  }

  list(): Promise<string[]> {
    return this.#memory.list();
  }

  async open(name: string, options: { create?: boolean } = {}): Promise<StorageFile> {
    if (options.create && !this.#disk.files.has(name)) {
      await this.turn();
      if (!this.#disk.files.has(name) && !this.#readOnly)
        this.#disk.events.push({ kind: 'create', name, file: this.#disk.newNumber(name) });
    }
    const file = await this.#memory.open(name, options);
    return new SimulatedFile(file, this.#disk, this.#disk.numberOf(name), this);
  }

  async remove(name: string): Promise<void> {
    await this.turn();
    const isThere = this.#disk.files.has(name);
    await this.#memory.remove(name);
    if (isThere) this.#disk.events.push({ kind: 'remove', name });
  }

  async replace(name: string, content: Uint8Array): Promise<void> {
    await this.turn();
    this.#disk.events.push({
      kind: 'replace',
      name,
      file: this.#disk.newNumber(name),
      content: content.slice(),
    });
    await this.#memory.replace(name, content);
  }

  load(name: string): Promise<Uint8Array | undefined> {
    return this.#memory.load(name);
  }

  /** Never flushed, so a crash may leave any of what was ever written to it. */
  cell(name: string): SharedCell {
    const cell = this.#memory.cell(name);
    return {
      read: () => cell.read(),
      write: (bytes) => {
        if (this.#isKilled) return;
        if (!this.#disk.files.has(name))
          this.#disk.events.push({ kind: 'create', name, file: this.#disk.newNumber(name) });
        const file = this.#disk.numberOf(name);
        this.#disk.events.push({ kind: 'write', file, offset: 0, bytes: bytes.slice() });
        cell.write(bytes);
      },
    };
  }

  usageBytes(): Promise<number> {
    return this.#memory.usageBytes();
  }

  close(): Promise<void> {
    return this.#memory.close();
  }

  #die(): void {
    this.#isKilled = true;
    this.#tellDied();
  }

  /** Waits as long as the disk would, for ever once the process is gone. */
  async turn(): Promise<void> {
    for (let turns = this.#turns(); turns > 0; turns--) await undefined;
    if (this.#deadline && this.#deadline.changes-- <= 0) this.#die();
    if (this.#isKilled) await new Promise(() => {});
    if (this.#readOnly) throw new IsovecError('READ_ONLY', 'the simulated disk was opened read-only');
  }
}

class SimulatedFile implements StorageFile {
  readonly name: string;
  readonly #memory: StorageFile;
  readonly #disk: SimulatedDisk;
  readonly #number: number;
  readonly #backend: SimulatedBackend;

  constructor(memory: StorageFile, disk: SimulatedDisk, number: number, backend: SimulatedBackend) {
    this.name = memory.name;
    this.#memory = memory;
    this.#disk = disk;
    this.#number = number;
    this.#backend = backend;
  }

  size(): Promise<number> {
    return this.#memory.size();
  }

  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#memory.read(offset, length);
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    // What the caller does with its buffer afterwards must not reach the record.
    const copy = bytes.slice(0, this.#backend.cut(bytes.length));
    if (copy.length < bytes.length) {
      this.#disk.events.push({ kind: 'write', file: this.#number, offset, bytes: copy });
      await this.#memory.write(offset, copy);
    }
    await this.#backend.turn();
    this.#disk.events.push({ kind: 'write', file: this.#number, offset, bytes: copy });
    await this.#memory.write(offset, copy);
  }

  async append(bytes: Uint8Array): Promise<number> {
    const offset = await this.#memory.size();
    await this.write(offset, bytes);
    return offset;
  }

  async truncate(size: number): Promise<void> {
    await this.#backend.turn();
    this.#disk.events.push({ kind: 'truncate', file: this.#number, size });
    await this.#memory.truncate(size);
  }

  async flush(): Promise<void> {
    await this.#backend.turn();
    this.#disk.events.push({ kind: 'flush', file: this.#number });
    await this.#memory.flush();
  }

  close(): Promise<void> {
    return this.#memory.close();
  }
}
