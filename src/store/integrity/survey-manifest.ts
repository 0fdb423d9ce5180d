import type { IntegrityProblem } from '../../base/api.ts';
import { decodeManifest, MANIFEST_COPY_NAME, MANIFEST_NAME, type Manifest } from '../../journal/manifest.ts';
import type { StorageBackend } from '../../storage/storage.ts';
import { type DatabaseState, filesOf, growingFileNames } from '../manifest-state.ts';
import type { Findings } from './findings.ts';
import { isDamage } from './survey-file.ts';

/**
 * The newest manifest that is intact, of the two that there are.
 * @param otherwise makes one where neither can be read
 * @returns undefined where there is neither, and none could be made: so no database
 * @throws IsovecError FORMAT_VERSION
 */
export async function surveyManifest(
  storage: StorageBackend,
  findings: Findings,
  otherwise: () => Promise<Manifest<DatabaseState> | undefined>,
): Promise<Manifest<DatabaseState> | undefined> {
  // The copy first: a writer replaces it last.
  const copy = await load(storage, MANIFEST_COPY_NAME, findings);
  const manifest = await load(storage, MANIFEST_NAME, findings);
  if (!copy && !findings.has(MANIFEST_COPY_NAME)) findings.add(MANIFEST_COPY_NAME, 'missing', 'is missing');
  if (!manifest && !findings.has(MANIFEST_NAME)) findings.add(MANIFEST_NAME, 'missing', 'is missing');
  const made = manifest || copy ? undefined : await otherwise();
  if (!manifest && !copy && !made) return undefined;
  if (manifest && copy && copy.generation > manifest.generation)
    findings.add(MANIFEST_NAME, 'checksum', 'older than its copy, so its newest content is damaged,', 0);
  const newest = manifest && manifest.generation >= (copy?.generation ?? 0) ? manifest : (copy ?? made!);
  checkState(newest, findings);
  return newest;
}

async function load(
  storage: StorageBackend,
  name: string,
  findings: Findings,
): Promise<Manifest<DatabaseState> | undefined> {
  try {
    const bytes = await storage.load(name);
    if (!bytes) return undefined;
    findings.filesChecked++;
    findings.read(bytes.length);
    return decodeManifest<DatabaseState>(bytes, name);
  } catch (error) {
    if (!isDamage(error)) throw error;
    const { offset } = (error.details ?? {}) as Pick<IntegrityProblem, 'offset'>;
    findings.problems.push({ file: name, kind: 'checksum', message: error.message, offset: offset ?? 0 });
    return undefined;
  }
}

/** Cross-references within it. */
function checkState({ files, state }: Manifest<DatabaseState>, findings: Findings): void {
  const tell = (what: string) => findings.add(MANIFEST_NAME, 'reference', what);
  const { collections, nextCollectionId } = state;
  const named = new Set<string>();
  for (const [at, collection] of collections.entries()) {
    const { id, name, epoch, rowCount, deadCount } = collection;
    if (collections.findIndex((each) => each.id === id || each.name === name) !== at)
      tell(`two collections are number ${id} or "${name}"`);
    if (id >= nextCollectionId) tell(`collection ${id} is there, though ${nextCollectionId} comes next`);
    if (deadCount > rowCount) tell(`"${name}" has ${deadCount} dead rows of ${rowCount}`);
    if (JSON.stringify(collection.files) !== JSON.stringify(growingFileNames(id, epoch)))
      tell(`"${name}" has files of other names than its own`);
    for (const file of filesOf(collection)) named.add(file);
  }
  for (const file of Object.keys(files)) if (!named.has(file)) tell(`${file} belongs to no collection`);
}
