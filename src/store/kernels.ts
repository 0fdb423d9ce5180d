import type { KernelVariant, Platform } from './platform.ts';

/** The variants of the kernel, each loaded when it is first needed. */
export class Kernels {
  readonly #platform: Platform;
  readonly #loaded = new Map<KernelVariant, WebAssembly.Module>();

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  async load(variant: KernelVariant): Promise<WebAssembly.Module> {
    const loaded = this.#loaded.get(variant) ?? (await this.#platform.loadKernel(variant));
    this.#loaded.set(variant, loaded);
    return loaded;
  }
}
