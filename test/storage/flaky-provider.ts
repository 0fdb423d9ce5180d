import { IsovecError } from '../../src/base/errors.ts';
import type { StorageBackend, StorageFile, StorageProvider } from '../../src/storage/storage.ts';

/** What one attempt does. 'done': it is carried out, and then fails all the same. */
export type Fault = 'none' | 'transient' | 'transient, done' | 'permanent';

/** Fails as it is told to, while it is open. `append` and `close` never do. */
export class FlakyProvider implements StorageProvider {
  readonly kind: StorageProvider['kind'];
  readonly #provider: StorageProvider;
  readonly #nextFault: () => Fault;
  /** Of operations that can fail. */
  attempts = 0;

  constructor(provider: StorageProvider, nextFault: () => Fault) {
    this.#provider = provider;
    this.kind = provider.kind;
    this.#nextFault = nextFault;
  }

  async open(location: string, options: { create: boolean; readOnly: boolean }): Promise<StorageBackend> {
    const backend = await this.#attempt(() => this.#provider.open(location, options));
    let isClosed = false;
    return flaky(
      backend,
      (operation) => (isClosed ? operation() : this.#attempt(operation)),
      () => {
        isClosed = true;
      },
    );
  }

  exists(location: string): Promise<boolean> {
    return this.#attempt(() => this.#provider.exists(location));
  }

  destroy(location: string): Promise<void> {
    return this.#attempt(() => this.#provider.destroy(location));
  }

  async #attempt<T>(operation: () => Promise<T>): Promise<T> {
    this.attempts++;
    const fault = this.#nextFault();
    if (fault === 'none') return operation();
    if (fault === 'transient, done') await operation();
    const isTransient = fault !== 'permanent';
    throw new IsovecError(
      'STORAGE_IO',
      `a ${fault} fault`,
      isTransient ? { details: { transient: true } } : {},
    );
  }
}

type Attempt = <T>(operation: () => Promise<T>) => Promise<T>;

function flaky(backend: StorageBackend, attempt: Attempt, onClose: () => void): StorageBackend {
  return {
    kind: backend.kind,
    capabilities: backend.capabilities,
    list: () => attempt(() => backend.list()),
    open: async (name, options) => flakyFile(await attempt(() => backend.open(name, options)), attempt),
    remove: (name) => attempt(() => backend.remove(name)),
    replace: (name, content) => attempt(() => backend.replace(name, content)),
    load: (name) => attempt(() => backend.load(name)),
    ...(backend.cell && { cell: backend.cell.bind(backend) }),
    usageBytes: () => attempt(() => backend.usageBytes()),
    close: () => {
      onClose();
      return backend.close();
    },
  };
}

function flakyFile(file: StorageFile, attempt: Attempt): StorageFile {
  return {
    name: file.name,
    size: () => attempt(() => file.size()),
    read: (offset, length) => attempt(() => file.read(offset, length)),
    write: (offset, bytes) => attempt(() => file.write(offset, bytes)),
    append: (bytes) => file.append(bytes),
    truncate: (size) => attempt(() => file.truncate(size)),
    flush: () => attempt(() => file.flush()),
    close: () => file.close(),
  };
}
