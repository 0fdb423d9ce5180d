import * as Comlink from 'comlink';
import { type ErrorImage, errorToImage } from '../../src/base/errors.ts';
import type { StorageBackend, StorageFile, StorageProvider } from '../../src/storage/storage.ts';

/** The worker's end of remote.ts: calls a method of an object that it keeps under a number. */

export type Target = StorageProvider | StorageBackend | StorageFile;

export interface Answer {
  value?: unknown;
  /** The answer is an object that stays in the worker. */
  kept?: { id: number; properties: Record<string, unknown> };
  error?: ErrorImage;
}

export interface RemoteStorage {
  call(id: number, method: string, args: unknown[]): Promise<Answer>;
  isOpfsAvailable(): Promise<boolean>;
}

/** The number of the provider. */
export const PROVIDER_ID = 0;

export function serveStorage(served: {
  provider: StorageProvider;
  isOpfsAvailable: () => Promise<boolean>;
}): void {
  const targets: Target[] = [served.provider];

  const answer = (value: unknown): Answer => {
    if (typeof value !== 'object' || value === null || !('close' in value)) return { value };
    const target = value as StorageBackend | StorageFile;
    const properties =
      'capabilities' in target
        ? { kind: target.kind, capabilities: target.capabilities }
        : { name: target.name };
    return { kept: { id: targets.push(target) - 1, properties } };
  };

  const remote: RemoteStorage = {
    async call(id, method, args) {
      try {
        const target = targets[id] as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
        return answer(await target[method]!(...args));
      } catch (thrown) {
        return { error: errorToImage(thrown) };
      }
    },
    isOpfsAvailable: served.isOpfsAvailable,
  };
  Comlink.expose(remote);
}
