import { IsovecError } from '../base/errors.ts';
import type { StorageBackend } from '../storage/storage.ts';
import { decodeManifest, MANIFEST_COPY_NAME, type Manifest } from './manifest.ts';

/** What was found under the copy's name: neither where there is none. */
export interface ManifestCopy<State> {
  manifest?: Manifest<State>;
  damage?: IsovecError;
}

/** Damage to the copy costs nothing while the manifest is there. @throws IsovecError FORMAT_VERSION */
export async function loadManifestCopy<State>(storage: StorageBackend): Promise<ManifestCopy<State>> {
  try {
    const bytes = await storage.load(MANIFEST_COPY_NAME);
    return bytes ? { manifest: decodeManifest<State>(bytes, MANIFEST_COPY_NAME) } : {};
  } catch (error) {
    if (error instanceof IsovecError && error.code === 'CORRUPTION') return { damage: error };
    throw error;
  }
}
