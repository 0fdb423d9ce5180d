import * as Comlink from 'comlink';
import { errorFromImage } from '../../src/base/errors.ts';
import type { StorageProvider } from '../../src/storage/storage.ts';
import { PROVIDER_ID, type RemoteStorage } from './remote-host.ts';

/** A provider in a worker, as if it were here: each call is passed on, and what it answers is passed back. */
export function remoteProvider(worker: Worker, kind: StorageProvider['kind']): StorageProvider {
  const remote = Comlink.wrap<RemoteStorage>(worker);

  const stub = (id: number, properties: Record<string, unknown>): unknown =>
    new Proxy(properties, {
      get(_, key) {
        // Whatever is awaited is asked whether it is a promise.
        if (typeof key !== 'string' || key === 'then') return undefined;
        if (key in properties) return properties[key];
        return async (...args: unknown[]) => {
          const { error, kept, value } = await remote.call(id, key, args);
          if (error) throw errorFromImage(error);
          return kept ? stub(kept.id, kept.properties) : value;
        };
      },
    });

  return stub(PROVIDER_ID, { kind }) as StorageProvider;
}
