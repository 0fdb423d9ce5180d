import type { StorageBackend } from '../../src/storage/storage.ts';

/** Counts the handles that are open of each file. */
export class OpenHandles {
  readonly #counts = new Map<string, number>();

  /** Files of which any are. */
  get names(): string[] {
    return [...this.#counts.keys()].sort();
  }

  of(backend: StorageBackend): StorageBackend {
    const { open } = backend;
    backend.open = async (name, options) => {
      const file = await open.call(backend, name, options);
      this.#count(name, 1);
      const { close } = file;
      let isOpen = true;
      file.close = async () => {
        await close.call(file);
        if (isOpen) this.#count(name, -1);
        isOpen = false;
      };
      return file;
    };
    return backend;
  }

  #count(name: string, change: number): void {
    const count = (this.#counts.get(name) ?? 0) + change;
    if (count > 0) this.#counts.set(name, count);
    else this.#counts.delete(name);
  }
}
