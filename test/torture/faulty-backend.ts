import { IsovecError } from '../../src/base/errors.ts';
import { MemoryBackend, type MemoryFiles } from '../../src/storage/memory.ts';
import type { StorageFile } from '../../src/storage/storage.ts';

export type Fault = 'EIO' | 'ENOSPC';
export type Call = 'open' | 'write' | 'truncate' | 'flush' | 'replace' | 'remove';

export interface FaultPlan {
  fault: Fault;
  /** Which call fails first, from 0. */
  at: number;
  /** Every later call that takes space (for EIO: every later call) fails too, until `heal`. */
  lasts: boolean;
  /** Half of what a failing write was to write is written. */
  isShort: boolean;
}

/** On a full disk these still work. */
const NEEDS_NO_SPACE: ReadonlySet<Call> = new Set(['remove', 'truncate']);

/** Memory of which one call fails, or all from one on. */
export class FaultyBackend extends MemoryBackend {
  /** What failed first. */
  failed: { call: Call; name: string } | undefined;
  #plan: FaultPlan | undefined;
  #calls = 0;

  constructor(files: MemoryFiles, plan?: FaultPlan) {
    super('faulty', files);
    this.#plan = plan;
  }

  /** Calls that could have failed so far. */
  get calls(): number {
    return this.#calls;
  }

  /** Space returns. */
  heal(): void {
    this.#plan = undefined;
  }

  override async open(name: string, options: { create?: boolean } = {}): Promise<StorageFile> {
    if (options.create) this.#check('open', name);
    const file = await super.open(name, options);
    const { write, truncate, flush } = file;
    file.write = (offset, bytes) => this.#write(name, bytes, (part) => write.call(file, offset, part));
    file.truncate = async (size) => {
      this.#check('truncate', name);
      await truncate.call(file, size);
    };
    file.flush = async () => {
      this.#check('flush', name);
      await flush.call(file);
    };
    return file;
  }

  override async remove(name: string): Promise<void> {
    this.#check('remove', name);
    await super.remove(name);
  }

  override async replace(name: string, content: Uint8Array): Promise<void> {
    this.#check('replace', name);
    await super.replace(name, content);
  }

  async #write(name: string, bytes: Uint8Array, write: (part: Uint8Array) => Promise<void>): Promise<void> {
    const isShort = this.#plan?.isShort;
    try {
      this.#check('write', name);
    } catch (error) {
      if (isShort) await write(bytes.subarray(0, bytes.length >> 1));
      throw error;
    }
    await write(bytes);
  }

  #check(call: Call, name: string): void {
    const number = this.#calls++;
    const plan = this.#plan;
    if (!plan || number < plan.at) return;
    if (number > plan.at && !plan.lasts) return;
    if (number > plan.at && plan.fault === 'ENOSPC' && NEEDS_NO_SPACE.has(call)) return;
    this.failed ??= { call, name };
    const details = { file: name };
    if (plan.fault === 'ENOSPC')
      throw new IsovecError('QUOTA_EXCEEDED', `no space left to ${call}`, { details });
    throw new IsovecError('STORAGE_IO', `cannot ${call}: input or output`, { details });
  }
}
