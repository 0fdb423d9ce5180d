/** What log and archive still say of the collections: all that is known of them where no manifest can be read. */
import { ARCHIVE_FILE_PREFIX } from '../../journal/archive.ts';
import { readArchiveFile } from '../../journal/archive-file.ts';
import { sizeOf } from '../../journal/creation.ts';
import { type LogVisitor, surveyLog } from '../../journal/survey-log.ts';
import type { StorageBackend } from '../../storage/storage.ts';
import type { ResolvedConfig } from '../config.ts';
import { type ConfigureOperation, changedConfig, decodeOperations, type Operation } from '../operations.ts';
import { salvageOperations } from './salvage-operations.ts';
import { isDamage } from './survey-file.ts';

/** By number of the collection. */
export class Definitions {
  readonly created = new Map<number, { name: string; config: ResolvedConfig }>();
  readonly dropped = new Set<number>();
  /** As vectors of theirs have them. */
  readonly dimensions = new Map<number, number>();

  take(operation: Operation): void {
    switch (operation.kind) {
      case 'create':
        this.#create(operation.collectionId, operation.name, operation.config);
        break;
      case 'configure':
        this.#configure(operation);
        break;
      case 'drop':
        this.dropped.add(operation.collectionId);
        break;
      case 'put':
        this.dimensions.set(operation.collectionId, operation.vector.length);
    }
  }

  /** One more than any number that was ever given out, as far as is known. */
  get nextCollectionId(): number {
    return Math.max(0, ...this.created.keys(), ...this.dropped, ...this.dimensions.keys()) + 1;
  }

  #configure({ collectionId, change }: ConfigureOperation): void {
    const known = this.created.get(collectionId);
    if (known) known.config = changedConfig(known.config, change);
  }

  #create(id: number, name: string, config: ResolvedConfig): void {
    // No two have one name at a time, and numbers only go up.
    for (const [other, { name: otherName }] of this.created)
      if (other < id && otherName === name) this.dropped.add(other);
    this.created.set(id, { name, config });
  }
}

/** @param coveredSequence the log is read from behind it */
export async function readDefinitions(
  storage: StorageBackend,
  coveredSequence: number,
): Promise<Definitions> {
  const definitions = new Definitions();
  const takeAll = (payload: Uint8Array, file: string) => {
    try {
      for (const operation of decodeOperations(payload, file)) definitions.take(operation);
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
  };
  const names = (await storage.list()).filter((name) => name.startsWith(ARCHIVE_FILE_PREFIX)).sort();
  for (const name of names)
    try {
      for await (const { payload } of readArchiveFile(storage, name, await sizeOf(storage, name)))
        takeAll(payload, name);
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
  const damaged: Uint8Array[] = [];
  const visitor: LogVisitor = {
    frame: ({ payload }, file) => takeAll(payload, file),
    damage: (_, bytes) => {
      if (bytes) damaged.push(bytes);
    },
    read: () => {},
  };
  await surveyLog(storage, { coveredSequence }, visitor);
  for (const bytes of damaged)
    for (const operation of salvageOperations(bytes).operations) definitions.take(operation);
  return definitions;
}
