import { readFile, statfs } from 'node:fs/promises';
import { setImmediate } from 'node:timers';
import { IsovecError } from '../base/errors.ts';
import { FsProvider } from '../storage/fs.ts';
import { networkWarning } from '../storage/fs-network.ts';
import { FileLocks } from '../storage/lock-file.ts';
import { MemoryProvider } from '../storage/memory.ts';
import type { KernelVariant, Platform } from '../store/platform.ts';

const KERNELS: Record<KernelVariant, () => URL> = {
  float32: () => new URL('./isovec.wasm', import.meta.url),
  codes: () => new URL('./isovec-codes.wasm', import.meta.url),
};

/** Compiled once, however many databases are opened. */
const compiled: Partial<Record<KernelVariant, Promise<WebAssembly.Module>>> = {};

async function compileKernel(variant: KernelVariant): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(KERNELS[variant]()));
}

/** What this user may still write to the disk. Nothing where the file system does not say. */
async function diskSpace(location: string): Promise<{ availableBytes?: number }> {
  const found = await statfs(location).catch(() => undefined);
  return found ? { availableBytes: found.bavail * found.bsize } : {};
}

/** Node, Deno and Bun. */
export const nodePlatform: Platform = {
  async storage(kind, location) {
    if (kind === 'memory') return { provider: new MemoryProvider() };
    if (kind === 'fs' || kind === 'auto') {
      const warning = await networkWarning(location);
      return {
        provider: new FsProvider(),
        locks: new FileLocks(),
        estimate: () => diskSpace(location),
        ...(warning !== undefined && { warning }),
      };
    }
    throw new IsovecError(
      'UNSUPPORTED',
      `storage '${kind}' is for browsers; here there are 'fs' and 'memory'`,
      {
        details: { path: 'options.storage' },
      },
    );
  },

  loadKernel(variant) {
    compiled[variant] ??= compileKernel(variant);
    return compiled[variant];
  },

  async loadThreads(options, events) {
    const { nodeThreads } = await import('./node-threads.ts');
    return nodeThreads(options, events);
  },

  yieldTurn(callback) {
    // Not unref()ed: beside a timer, an unref()ed one waits for it, and indexing takes up to twice as long.
    setImmediate(callback);
  },
};
