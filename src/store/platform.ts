import type { OpenOptions, StorageStats } from '../base/api.ts';
import type { BuildThreads } from '../search/build-threads.ts';
import type { LockProvider } from '../storage/lock.ts';
import type { StorageProvider } from '../storage/storage.ts';
import type { Events } from './events.ts';

/** What the store needs of the runtime that it runs in. Each runtime has one: see src/runtime. */
export interface Platform {
  /** @throws IsovecError UNSUPPORTED for a kind of storage that this runtime does not have */
  storage(kind: NonNullable<OpenOptions['storage']>, location: string): Promise<PlatformStorage>;
  /** The compiled kernel. */
  loadKernel(variant: KernelVariant): Promise<WebAssembly.Module>;
  /** What threads build graphs with, where memory can be shared between threads.
   *  @param events are told when they fail later */
  loadThreads?(options: OpenOptions, events: Events): Promise<BuildThreads | undefined>;
  /** Calls back when what is waiting (messages, I/O) has had its turn. */
  yieldTurn(callback: () => void): void;
}

/** `float32` holds vectors only; `codes`, which is larger, any kind of code. */
export type KernelVariant = 'float32' | 'codes';

export interface PlatformStorage {
  provider: StorageProvider;
  /** Left out where every opening is a place of its own. */
  locks?: LockProvider;
  /** How much room there is, and how safe it is, as far as this runtime can tell. */
  estimate?: () => Promise<Omit<StorageStats, 'retries'>>;
  /** Set when 'auto' had to take less than the best, or the place is not a safe one. */
  warning?: string;
}
