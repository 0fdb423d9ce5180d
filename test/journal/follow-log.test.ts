import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JournalFollower } from '../../src/journal/follow-log.ts';
import { bytesPayload } from '../../src/journal/frame.ts';
import { Journal } from '../../src/journal/journal.ts';
import * as replaying from '../../src/journal/replay.ts';
import { GrowableBytes, MemoryBackend, MemoryFiles } from '../../src/storage/memory.ts';
import type { StorageBackend } from '../../src/storage/storage.ts';

/** One context with a journal open, and what it has taken in. */
class Context {
  readonly taken: string[] = [];
  readonly warnings: string[];
  readonly #journal: Journal<object>;
  readonly #follower: JournalFollower<object>;

  private constructor(journal: Journal<object>, storage: StorageBackend, warnings: string[]) {
    this.#journal = journal;
    this.#follower = new JournalFollower(storage, journal, (message) => warnings.push(message));
    this.warnings = warnings;
  }

  static async open(
    files: MemoryFiles,
    readOnly = false,
    backend = new MemoryBackend('shared', files, readOnly),
  ): Promise<Context> {
    const warnings: string[] = [];
    const journal = await Journal.open<object>(
      backend,
      {},
      {
        durability: 'strict',
        syncIntervalMs: 1000,
        segmentBytesMax: 120,
        segmentAgeMaxMs: Number.POSITIVE_INFINITY,
        readOnly,
        create: !readOnly,
        onWarning: (message) => warnings.push(message),
        onFailed: () => {},
        onFlushed: () => {},
      },
    );
    const context = new Context(journal, backend, warnings);
    await journal.replay(replaying, context.#take, () => {});
    return context;
  }

  /** With the lock: what others did comes first. */
  async append(text: string, isAnnounced = true): Promise<void> {
    await this.catchUp(true);
    await this.#journal.append(bytesPayload(new TextEncoder().encode(text)), () => this.taken.push(text));
    if (isAnnounced) this.#journal.announce();
  }

  async checkpoint(): Promise<void> {
    await this.catchUp(true);
    const covered = await this.#journal.rotate();
    await this.#journal.commitCheckpoint(covered, {}, {}, () => {});
    await this.#journal.removeCovered();
    this.#journal.announce();
  }

  async catchUp(isLocked: boolean): Promise<void> {
    if (!isLocked && !this.#journal.isBehind) return;
    await this.#follower.follow(this.#take, isLocked);
    const manifest = await this.#follower.newerManifest();
    if (!manifest) return;
    if (this.#journal.lastSequence >= manifest.coveredSequence) {
      await this.#follower.adopt(manifest);
      await this.#follower.follow(this.#take, isLocked);
      return;
    }
    // What the checkpoint covers stands in files that these tests do not have.
    for (let sequence = this.#journal.lastSequence; sequence < manifest.coveredSequence; sequence++)
      this.taken.push(`entry ${sequence + 1}`);
    const take = await this.#follower.replayFrom(manifest, this.#take, isLocked);
    await take();
  }

  get statistics() {
    return this.#journal.statistics();
  }

  readonly #take = ({ payload }: { payload: Uint8Array }): void => {
    this.taken.push(new TextDecoder().decode(payload));
  };
}

const step = fc.record({
  who: fc.integer({ min: 0, max: 2 }),
  what: fc.constantFrom('append', 'append', 'append', 'checkpoint', 'lock', 'look'),
});

describe('a log with several writers who take turns', () => {
  it('is the same to all of them, in whatever order they append, checkpoint and look', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const files = new MemoryFiles();
        const contexts: Context[] = [];
        for (let index = 0; index < 3; index++) contexts.push(await Context.open(files));
        const reader = await Context.open(files, true);
        const appended: string[] = [];
        for (const { who, what } of steps) {
          const context = contexts[who]!;
          if (what === 'append') {
            appended.push(`entry ${appended.length + 1}`);
            await context.append(appended.at(-1)!);
          } else if (what === 'checkpoint') await context.checkpoint();
          else {
            await context.catchUp(what === 'lock');
            expect(context.taken).toEqual(appended);
          }
          await reader.catchUp(false);
          expect(reader.taken).toEqual(appended);
        }
        for (const context of contexts) {
          await context.catchUp(true);
          expect(context.taken).toEqual(appended);
          expect(context.statistics).toEqual(contexts[0]!.statistics);
          expect(context.warnings).toEqual([]);
        }
      }),
      { seed: 20_261_121, numRuns: 300 },
    );
  });

  it('shows nothing that has not been announced, and cuts off under the lock what a dead writer left', async () => {
    const files = new MemoryFiles();
    const [dying, other] = [await Context.open(files), await Context.open(files)];
    await dying.append('entry 1');
    await dying.append('entry 2', false);
    await other.catchUp(false);
    expect(other.taken).toEqual(['entry 1']);
    const [segment] = [...files].find(([name]) => name.startsWith('log-'))!;
    const whole = files.get(segment)!;
    const torn = new GrowableBytes();
    torn.write(0, whole.copy(0, whole.length - 3));
    files.set(segment, torn);
    const third = await Context.open(files);
    expect(third.warnings).toEqual([expect.stringContaining('never finished')]);
    expect(third.taken).toEqual(['entry 1']);
    await third.append('entry 3');
  });

  it('flushes under the lock what a dead writer may not have, and nothing else', async () => {
    const files = new MemoryFiles();
    const backend = new MemoryBackend('shared', files);
    const flushed: string[] = [];
    const { open } = backend;
    backend.open = async (name, options) => {
      const file = await open.call(backend, name, options);
      const { flush } = file;
      file.flush = () => {
        flushed.push(name);
        return flush.call(file);
      };
      return file;
    };
    const other = await Context.open(files, false, backend);
    const dying = await Context.open(files);
    flushed.length = 0;
    await dying.append('entry 1');
    await other.catchUp(true);
    expect(flushed).toEqual([]);
    await dying.append('entry 2', false);
    await other.catchUp(true);
    expect(flushed).toEqual([expect.stringMatching(/^log-/)]);
    expect(other.taken).toEqual(['entry 1', 'entry 2']);
  });
});
