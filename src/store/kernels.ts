import type { Quantization } from '../base/api.ts';
import type { BuildThreads } from '../search/build-threads.ts';
import type { KernelVariant, Platform } from './platform.ts';

/** The variants of the kernel, each loaded when it is first needed. */
export class Kernels {
  /** Set where several threads may build graphs. */
  threads: BuildThreads | undefined;
  readonly #platform: Platform;
  readonly #loaded = new Map<KernelVariant, WebAssembly.Module>();

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** The smallest that will do. */
  async load(quantization: Quantization, linkCodes?: boolean): Promise<WebAssembly.Module> {
    const variant = quantization === 'none' && !linkCodes ? 'float32' : 'codes';
    const loaded = this.#loaded.get(variant) ?? (await this.#platform.loadKernel(variant));
    this.#loaded.set(variant, loaded);
    return loaded;
  }
}
