/** Keeps memory up to date with what other processes write to the same place. */
import { assert } from '../base/errors.ts';
import { Mutex } from '../base/mutex.ts';
import { JournalFollower } from '../journal/follow-log.ts';
import type { Frame } from '../journal/frame.ts';
import type { Manifest } from '../journal/manifest.ts';
import { NO_ROW } from '../tables/id-hash.ts';
import type { RecordExtent } from '../tables/rows-file.ts';
import type { CollectionState } from './collection-state.ts';
import type { Collections } from './collections.ts';
import type { Engine } from './engine.ts';
import { loadCollection, loadNewExtents } from './load-collection.ts';
import type { DatabaseState, StoredCollection } from './manifest-state.ts';
import { decodeOperations } from './operations.ts';
import { areSame } from './payload.ts';

/** Without the lock, files may be replaced while they are read. More than once in a row is already rare. */
const ATTEMPTS_MAX = 5;

export class Follower {
  readonly #engine: Engine;
  readonly #journal: JournalFollower<DatabaseState>;
  readonly #mutex = new Mutex();
  #refreshing: Promise<void> | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
    const { storage, journal, events } = engine;
    this.#journal = new JournalFollower(storage, journal, (message) =>
      events.emit('warning', { code: 'CORRUPTION', message }),
    );
  }

  /** With the lock held: everything that others have written. */
  catchUp(): Promise<void> {
    return this.#mutex.run(() => this.#follow(true));
  }

  /** Without the lock: what others have announced. @param isWriter answers whether the lock has been got meanwhile */
  refresh(isWriter: () => boolean): Promise<void> {
    this.#refreshing ??= this.#mutex
      .run(() => this.#attempt(isWriter))
      .finally(() => {
        this.#refreshing = undefined;
      });
    return this.#refreshing;
  }

  async #attempt(isWriter: () => boolean): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      if (isWriter()) return;
      try {
        await this.#follow(false);
        return;
      } catch (error) {
        if (attempt === ATTEMPTS_MAX) throw error;
      }
    }
  }

  async #follow(isLocked: boolean): Promise<void> {
    const journal = this.#journal;
    const deliver = (frame: Frame) => this.#engine.takeIn(readOperations(frame), frame.sequence);
    await journal.follow(deliver, isLocked);
    const manifest = await journal.newerManifest();
    if (!manifest) return;
    if (this.#isUpTo(manifest)) {
      await this.#adopt(manifest);
      await journal.follow(deliver, isLocked);
    } else await this.#reload(manifest, isLocked);
  }

  /** Does memory hold all that the manifest's files do, in the same rows? Operations give rows in one way only. */
  #isUpTo({ coveredSequence, state }: Manifest<DatabaseState>): boolean {
    const { journal, collections } = this.#engine;
    return (
      journal.lastSequence >= coveredSequence &&
      state.collections.every(({ id, epoch, config }) => {
        const held = collections.get(id);
        if (held === undefined) return true;
        const { quantization, fields } = held.config;
        return held.epoch === epoch && quantization === config.quantization && areSame(fields, config.fields);
      })
    );
  }

  /** A checkpoint: what was held because it was in the log only is in files now. */
  async #adopt(manifest: Manifest<DatabaseState>): Promise<void> {
    const { collections } = this.#engine;
    const grown: { stored: StoredCollection; extents: RecordExtent[] }[] = [];
    for (const stored of manifest.state.collections)
      if (collections.has(stored.id))
        grown.push({ stored, extents: await loadNewExtents(this.#engine, stored, manifest.files) });
    for (const { stored, extents } of grown) collections.get(stored.id)!.adopt(stored, extents);
    await this.#journal.adopt(manifest);
  }

  /** A compaction, or more than the log still tells: everything is loaded as on opening. */
  async #reload(manifest: Manifest<DatabaseState>, isLocked: boolean): Promise<void> {
    const engine = this.#engine;
    const fresh = engine.createCollections();
    fresh.nextCollectionId = manifest.state.nextCollectionId;
    fresh.receipts.restore(manifest.state.receipts ?? []);
    for (const stored of manifest.state.collections)
      fresh.set(stored.id, await loadCollection(engine, stored, manifest.files, () => {}));
    const deliver = (frame: Frame) => fresh.applyAll(readOperations(frame));
    const takeOver = await this.#journal.replayFrom(manifest, deliver, isLocked);
    const oldFiles = [...engine.collections.values()].map(({ files }) => files);
    becomeAll(engine.collections, fresh);
    const takenOver = takeOver();
    assert(engine.journal.generation === manifest.generation, 'files and manifest are taken over together');
    await takenOver;
    for (const files of oldFiles) void files.close();
    engine.onBacklog();
  }
}

function readOperations({ payload, sequence }: Frame): ReturnType<typeof decodeOperations> {
  return decodeOperations(payload, `log entry ${sequence}`);
}

/** The collections as they were loaded anew; whoever holds one of the old ones sees it become the new. */
function becomeAll(held: Collections, fresh: Collections): void {
  for (const [id, state] of held) {
    const renewed = fresh.get(id);
    if (renewed) become(state, renewed);
    else {
      state.isDropped = true;
      held.delete(id);
    }
  }
  for (const [id, state] of fresh) if (!held.has(id)) held.set(id, state);
  held.nextCollectionId = fresh.nextCollectionId;
  held.receipts = fresh.receipts;
}

/** The same collection as it was loaded anew, its rows in other numbers. */
function become(state: CollectionState, fresh: CollectionState): void {
  const { config, rows, files, tail, index, sample, epoch, deaths, graphSteps, graphPages } = fresh;
  const { text, storedText, payload } = fresh;
  if (state.scans.size > 0) {
    const newRows = new Uint32Array(state.rows.rowCount).fill(NO_ROW);
    for (let row = 0; row < newRows.length; row++)
      if (state.rows.isLive(row)) newRows[row] = rows.find(state.rows.idBytes(row));
    for (const scan of state.scans) scan.renumber(newRows);
  }
  Object.assign(state, { config, rows, files, tail, index, sample, epoch, deaths, graphSteps, graphPages });
  Object.assign(state, { text, storedText, payload });
}
