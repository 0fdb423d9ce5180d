import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JournalFollower } from '../../src/journal/follow-log.ts';
import { bytesPayload } from '../../src/journal/frame.ts';
import { Journal, type JournalOptions } from '../../src/journal/journal.ts';
import * as replaying from '../../src/journal/replay.ts';
import { SEGMENT_HEADER_BYTES } from '../../src/journal/segment.ts';
import { MemoryBackend, MemoryFiles } from '../../src/storage/memory.ts';
import type { StorageBackend, StorageFile } from '../../src/storage/storage.ts';

interface Opened {
  journal: Journal<{ note: string }>;
  entries: string[];
  warnings: string[];
}

async function openJournal(storage: StorageBackend, options: Partial<JournalOptions> = {}): Promise<Opened> {
  const entries: string[] = [];
  const warnings: string[] = [];
  const journal = await Journal.open(
    storage,
    { note: 'new' },
    {
      durability: 'strict',
      syncIntervalMs: 1000,
      segmentBytesMax: Number.POSITIVE_INFINITY,
      segmentAgeMaxMs: Number.POSITIVE_INFINITY,
      readOnly: false,
      create: true,
      onWarning: (message) => warnings.push(message),
      onFailed: () => {},
      onFlushed: () => {},
      ...options,
    },
  );
  await journal.replay(
    replaying,
    ({ payload }) => entries.push(new TextDecoder().decode(payload)),
    () => {},
  );
  return { journal, entries, warnings };
}

const append = (journal: Opened['journal'], text: string, committed: string[] = []) =>
  journal.append(bytesPayload(new TextEncoder().encode(text)), () => committed.push(text));

/** Opened on the same files again, as after a crash: nothing was closed. */
const reopen = (files: MemoryFiles, options?: Partial<JournalOptions>) =>
  openJournal(new MemoryBackend('test', files), options);

async function written(texts: string[]): Promise<{ files: MemoryFiles; log: string }> {
  const files = new MemoryFiles();
  const { journal } = await reopen(files);
  for (const text of texts) await append(journal, text);
  return { files, log: [...files.keys()].find((name) => name.startsWith('log-'))! };
}

async function change(
  files: MemoryFiles,
  name: string,
  edit: (file: StorageFile) => Promise<void>,
): Promise<void> {
  const file = await new MemoryBackend('test', files).open(name);
  await edit(file);
  await file.close();
}

async function flip(files: MemoryFiles, name: string, offset: number): Promise<void> {
  await change(files, name, async (file) => {
    const [byte] = await file.read(offset, 1);
    await file.write(offset, Uint8Array.of(byte! ^ 0x40));
  });
}

const sizeOf = (files: MemoryFiles, name: string) => files.get(name)!.length;

describe('the journal', () => {
  it('delivers every entry again, in order, with consecutive sequences', async () => {
    const files = new MemoryFiles();
    const { journal } = await reopen(files);
    const committed: string[] = [];
    const texts = Array.from({ length: 50 }, (_, index) => `entry ${index}`);
    const sequences = await Promise.all(texts.map((text) => append(journal, text, committed)));
    expect(sequences).toEqual(texts.map((_, index) => index + 1));
    expect(committed).toEqual(texts);
    const again = await reopen(files);
    expect(again.entries).toEqual(texts);
    expect(await append(again.journal, 'next')).toBe(51);
    expect((await reopen(files)).entries).toEqual([...texts, 'next']);
  });

  it('shares one flush among entries that wait together', async () => {
    let flushes = 0;
    const storage = new MemoryBackend('test');
    const open = storage.open.bind(storage);
    storage.open = async (name, options) => {
      const file = await open(name, options);
      const flush = file.flush.bind(file);
      file.flush = async () => {
        flushes++;
        await flush();
      };
      return file;
    };
    const { journal } = await openJournal(storage);
    flushes = 0;
    await Promise.all(Array.from({ length: 100 }, (_, index) => append(journal, `${index}`)));
    expect(flushes).toBeLessThanOrEqual(2);
  });

  it('says what is on the device: at once when strict, when flushed when relaxed', async () => {
    const flushed: number[] = [];
    const onFlushed = (sequence: number) => flushed.push(sequence);
    const strict = await reopen(new MemoryFiles(), { onFlushed });
    await append(strict.journal, 'a');
    expect(flushed.splice(0)).toEqual([1]);
    const relaxed = await reopen(new MemoryFiles(), {
      onFlushed,
      durability: 'relaxed',
      syncIntervalMs: 100_000,
    });
    await append(relaxed.journal, 'a');
    await append(relaxed.journal, 'b');
    expect(flushed).toEqual([]);
    await relaxed.journal.flush();
    expect(flushed).toEqual([2]);
    await relaxed.journal.close();
  });

  it.each([
    ['size', { segmentBytesMax: 100 }],
    ['age', { segmentAgeMaxMs: 0 }],
  ])('starts a new segment when one has its %s, and replays them as one log', async (_, limit) => {
    const files = new MemoryFiles();
    const { journal } = await reopen(files, limit);
    const texts = Array.from({ length: 9 }, (__, index) => `an entry of thirty bytes ${index}`);
    for (const text of texts) await append(journal, text);
    expect(journal.statistics().segments).toBeGreaterThan(3);
    const again = await reopen(files, limit);
    expect(again.entries).toEqual(texts);
    expect(again.journal.statistics()).toEqual(journal.statistics());
    const reader = await openJournal(new MemoryBackend('test', files, true), { readOnly: true });
    expect(reader.journal.statistics()).toEqual(journal.statistics());
  });

  it('goes on where a rotation was interrupted, whatever is left of the next segment', async () => {
    for (const left of [0, 1, 16, 31, SEGMENT_HEADER_BYTES]) {
      const { files } = await written(['promised']);
      const next = await new MemoryBackend('test', files).open('log-0000000000000002', { create: true });
      await next.truncate(left);
      const opened = await reopen(files);
      expect(opened.entries).toEqual(['promised']);
      await append(opened.journal, 'after');
      const again = await reopen(files);
      expect(again.entries).toEqual(['promised', 'after']);
      expect([...opened.warnings, ...again.warnings]).toEqual([]);
    }
  });

  it('makes a segment that a failed rotation has begun, before a checkpoint counts on it', async () => {
    const files = new MemoryFiles();
    const storage = new FailingBackend('test', files);
    const { journal } = await openJournal(storage);
    await append(journal, 'a');
    storage.truncateFailure = new Error('no space');
    await expect(journal.rotate()).rejects.toThrow('no space');
    storage.truncateFailure = undefined;
    await new JournalFollower(storage, journal, () => {}).follow(() => {}, true);
    await journal.commitCheckpoint(await journal.rotate(), {}, { note: '' }, () => {});
    await append(journal, 'b');
    expect((await reopen(files)).entries).toEqual(['b']);
  });

  it('misses the segment behind a checkpoint when it is gone or has lost its header', async () => {
    for (const checkpoints of [0, 1, 2]) {
      const { files } = await written(['a']);
      const { journal } = await reopen(files);
      for (let count = 0; count < checkpoints; count++) {
        await append(journal, 'b');
        await journal.commitCheckpoint(await journal.rotate(), {}, { note: '' }, () => {});
        await journal.removeCovered();
      }
      if (checkpoints !== 1) await append(journal, 'c');
      const log = [...files.keys()].find((name) => name.startsWith('log-'))!;
      for (const size of [40, 31, 16, 1, 0]) {
        await change(files, log, async (file) => {
          await file.truncate(0);
          await file.truncate(size);
        });
        await expect(reopen(files)).rejects.toMatchObject({ code: 'CORRUPTION', details: { file: log } });
      }
      files.delete(log);
      await expect(reopen(files)).rejects.toMatchObject({ code: 'CORRUPTION', details: { file: log } });
    }
  });

  it('begins anew where creating a database was interrupted before its manifest', async () => {
    const files = new MemoryFiles();
    await reopen(files);
    files.delete('manifest');
    files.delete('manifest-copy');
    const { journal } = await reopen(files);
    await append(journal, 'a');
    expect((await reopen(files)).entries).toEqual(['a']);
  });

  it('flushes what a killed process has left unflushed before it counts on it', async () => {
    const { files } = await written(['a']);
    const storage = new FailingBackend('test', files);
    await openJournal(storage);
    expect(storage.flushes).toEqual(['log-0000000000000001']);
  });

  it('goes on from the new manifest when only the durability of its replacement failed', async () => {
    const files = new MemoryFiles();
    const storage = new MemoryBackend('test', files);
    const { journal } = await openJournal(storage);
    await append(journal, 'a');
    const { replace } = storage;
    let failures = 2;
    storage.replace = async (name, content) => {
      await replace.call(storage, name, content);
      if (failures-- > 0) throw new Error('the folder could not be synced');
    };
    const followed: number[] = [];
    const covered = await journal.rotate();
    const commit = () => journal.commitCheckpoint(covered, {}, { note: 'x' }, () => followed.push(covered));
    await expect(commit()).rejects.toThrow('synced');
    expect(followed).toEqual([1]);
    expect(journal.state).toEqual({ note: 'x' });
    await commit();
    expect((await reopen(files)).journal.generation).toBe(journal.generation);
  });

  it('drops what a checkpoint covers, keeps its state and its files, and goes on', async () => {
    const files = new MemoryFiles();
    const storage = new MemoryBackend('test', files);
    const { journal } = await openJournal(storage);
    await append(journal, 'old');
    const covered = await journal.rotate();
    await append(journal, 'new');
    await (await storage.open('data-kept', { create: true })).append(new Uint8Array(3));
    await (await storage.open('data-orphan', { create: true })).close();
    const kept = { bytes: 3, digest: { checksum: 'crc32c' as const, value: '00000000' } };
    await journal.commitCheckpoint(covered, { 'data-kept': kept }, { note: 'checkpoint' }, () => {});
    await journal.removeCovered();
    expect([...files.keys()].filter((name) => name.startsWith('log-')).length).toBe(1);
    const again = await reopen(files);
    expect(again.entries).toEqual(['new']);
    expect(again.journal.state).toEqual({ note: 'checkpoint' });
    expect(again.journal.files).toEqual({ 'data-kept': kept });
    expect([...files.keys()].sort()).toEqual([
      'data-kept',
      'log-0000000000000002',
      'manifest',
      'manifest-copy',
      'watermark',
    ]);
  });

  it('keeps the old state when a checkpoint is interrupted before its manifest', async () => {
    const { files } = await written(['a', 'b']);
    const { journal } = await reopen(files);
    await journal.rotate();
    await append(journal, 'c');
    expect((await reopen(files)).entries).toEqual(['a', 'b', 'c']);
  });

  it('removes a segment that an interrupted checkpoint left behind', async () => {
    const { files, log } = await written(['a']);
    const left = files.get(log)!;
    const { journal } = await reopen(files);
    await journal.commitCheckpoint(await journal.rotate(), {}, { note: 'done' }, () => {});
    await append(journal, 'b');
    files.set(log, left);
    expect((await reopen(files)).entries).toEqual(['b']);
    expect(files.has(log)).toBe(false);
  });

  it('cuts off a torn tail at any length, says so, and loses only what was torn', async () => {
    const texts = ['first', 'second', 'third'];
    const ends: number[] = [];
    const files = new MemoryFiles();
    const { journal } = await reopen(files);
    for (const text of texts) {
      await append(journal, text);
      ends.push(sizeOf(files, 'log-0000000000000001'));
    }
    for (let size = SEGMENT_HEADER_BYTES; size <= ends[2]!; size++) {
      const { files: torn, log } = await written(texts);
      await change(torn, log, (file) => file.truncate(size));
      const whole = ends.filter((end) => end <= size).length;
      const opened = await reopen(torn);
      expect(opened.entries).toEqual(texts.slice(0, whole));
      // The header alone is no torn frame.
      const isClean = size === SEGMENT_HEADER_BYTES || ends.includes(size);
      expect(opened.warnings.length).toBe(isClean ? 0 : 1);
      await append(opened.journal, 'after');
      const after = await reopen(torn);
      expect(after.entries).toEqual([...texts.slice(0, whole), 'after']);
      expect(after.warnings).toEqual([]);
    }
  });

  it('fails with CORRUPTION naming file and offset when a promised entry is damaged', async () => {
    const texts = ['first', 'second', 'third'];
    const end = 32 + 2 * 32 + 'firstsecond'.length;
    for (let offset = 0; offset < end; offset++) {
      const { files, log } = await written(texts);
      await flip(files, log, offset);
      await expect(reopen(files)).rejects.toMatchObject({ code: 'CORRUPTION', details: { file: log } });
    }
  });

  it('takes damage of the very last entry for a torn write, and says so', async () => {
    const { files, log } = await written(['first', 'second']);
    await flip(files, log, sizeOf(files, log) - 1);
    const { entries, warnings } = await reopen(files);
    expect(entries).toEqual(['first']);
    expect(warnings).toEqual([expect.stringContaining(log)]);
  });

  it('cuts off a group of which the device kept only the later part', async () => {
    const files = new MemoryFiles();
    const { journal } = await reopen(files);
    await append(journal, 'promised');
    const end = sizeOf(files, 'log-0000000000000001');
    await Promise.all([append(journal, 'one'), append(journal, 'two')]);
    await change(files, 'log-0000000000000001', (file) => file.write(end, new Uint8Array(35)));
    const opened = await reopen(files);
    expect(opened.entries).toEqual(['promised']);
    expect(opened.warnings.length).toBe(1);
  });

  it('fails with CORRUPTION when a segment or the manifest is missing', async () => {
    const { files, log } = await written(['a']);
    const { journal } = await reopen(files);
    await journal.rotate();
    await append(journal, 'b');
    const withoutSegment = new MemoryFiles(files);
    withoutSegment.delete(log);
    await expect(reopen(withoutSegment)).rejects.toMatchObject({
      code: 'CORRUPTION',
      details: { file: log },
    });
    files.delete('manifest');
    await expect(reopen(files)).rejects.toMatchObject({ code: 'CORRUPTION', details: { file: 'manifest' } });
  });

  it('fails when any byte of the manifest is changed, and with FORMAT_VERSION when it is newer', async () => {
    const { files } = await written(['a']);
    const manifest = new MemoryBackend('test', files);
    const bytes = (await manifest.load('manifest'))!;
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at]! ^= 0x20;
      await manifest.replace('manifest', changed);
      await expect(reopen(files)).rejects.toMatchObject({ code: 'CORRUPTION' });
    }
    await manifest.replace('manifest', new TextEncoder().encode('a text of somebody else, long enough'));
    await expect(reopen(files)).rejects.toMatchObject({
      code: 'CORRUPTION',
      message: expect.stringContaining('not an isovec file'),
    });
  });

  it('changes nothing when read-only', async () => {
    const { files, log } = await written(['a', 'b']);
    await change(files, log, (file) => file.truncate(sizeOf(files, log) - 1));
    const size = sizeOf(files, log);
    const storage = new MemoryBackend('test', files, true);
    const { entries, warnings } = await openJournal(storage, { readOnly: true });
    expect(entries).toEqual(['a']);
    expect(warnings.length).toBe(1);
    expect(sizeOf(files, log)).toBe(size);
    await expect(openJournal(new MemoryBackend('empty'), { create: false })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('fails every entry of a write that fails, cuts it off, and takes the next ones', async () => {
    const files = new MemoryFiles();
    const storage = new FailingBackend('test', files);
    let failed = 0;
    const { journal } = await openJournal(storage, { onFailed: () => failed++ });
    await append(journal, 'before');
    storage.failure = new Error('no space');
    const results = await Promise.allSettled([append(journal, 'x'), append(journal, 'y')]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(failed).toBe(1);
    storage.failure = undefined;
    expect(await append(journal, 'after')).toBe(2);
    expect((await reopen(files)).entries).toEqual(['before', 'after']);
  });

  it('goes on by itself when what failed, cutting off included, succeeds again', async () => {
    const files = new MemoryFiles();
    const storage = new FailingBackend('test', files);
    const { journal } = await openJournal(storage);
    await append(journal, 'before');
    storage.failure = storage.truncateFailure = new Error('no space');
    for (let attempt = 0; attempt < 3; attempt++)
      await expect(append(journal, `failed ${attempt}`)).rejects.toThrow('no space');
    storage.failure = undefined;
    await expect(append(journal, 'not cut off yet')).rejects.toThrow('no space');
    storage.truncateFailure = undefined;
    expect(await append(journal, 'after')).toBe(2);
    expect((await reopen(files)).entries).toEqual(['before', 'after']);
    await journal.close();
  });

  it('writes again what a failed flush may have dropped, as soon as it can', async () => {
    const files = new MemoryFiles();
    const storage = new FailingBackend('test', files);
    const flushed: number[] = [];
    const { journal } = await openJournal(storage, {
      durability: 'relaxed',
      syncIntervalMs: 100_000,
      onFlushed: (sequence) => flushed.push(sequence),
    });
    await append(journal, 'acknowledged');
    storage.flushFailure = new Error('input or output');
    await expect(journal.flush()).rejects.toThrow('input or output');
    await expect(append(journal, 'refused')).rejects.toThrow('input or output');
    storage.flushFailure = undefined;
    storage.written = [];
    expect(await append(journal, 'after')).toBe(2);
    expect(flushed).toEqual([1]);
    expect(storage.written[0]).toBe(SEGMENT_HEADER_BYTES);
    await journal.close();
    expect(flushed).toEqual([1, 2]);
    expect((await reopen(files)).entries).toEqual(['acknowledged', 'after']);
  });

  it('recovers exactly the acknowledged entries after any run of appends, rotations and reopenings', async () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('append' as const),
        texts: fc.array(fc.string(), { minLength: 1, maxLength: 5 }),
      }),
      fc.record({ kind: fc.constantFrom('rotate' as const, 'checkpoint' as const, 'reopen' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const files = new MemoryFiles();
        let { journal } = await reopen(files, { segmentBytesMax: 120 });
        let expected: string[] = [];
        let appended = 0;
        for (const each of steps) {
          if (each.kind === 'append') {
            await Promise.all(each.texts.map((text) => append(journal, text)));
            expected = expected.concat(each.texts);
            appended += each.texts.length;
          } else if (each.kind === 'rotate') await journal.rotate();
          else if (each.kind === 'checkpoint') {
            await journal.commitCheckpoint(await journal.rotate(), {}, { note: '' }, () => {});
            await journal.removeCovered();
            expected = [];
          } else {
            const opened = await reopen(files, { segmentBytesMax: 120 });
            expect(opened.entries).toEqual(expected);
            expect(opened.warnings).toEqual([]);
            journal = opened.journal;
          }
          const logs = [...files].filter(([name, { length }]) => name.startsWith('log-') && length > 32);
          expect(journal.statistics()).toEqual({
            segments: logs.length,
            bytes: logs.reduce((sum, [, { length }]) => sum + length, 0),
            entries: expected.length,
            lastSequence: appended,
            ...(expected.length > 0 && { oldestEntryTime: expect.any(Number) }),
          });
        }
        expect((await reopen(files)).entries).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });
});

/** Writes of which half arrives before they fail, while `failure` is set; truncations and flushes likewise. */
class FailingBackend extends MemoryBackend {
  failure: Error | undefined;
  truncateFailure: Error | undefined;
  flushFailure: Error | undefined;
  /** Names of files, in order. */
  flushes: string[] = [];
  /** Offsets, in order. */
  written: number[] = [];

  override async open(name: string, options?: { create?: boolean }): Promise<StorageFile> {
    const file = await super.open(name, options);
    const write = file.write.bind(file);
    file.write = async (offset, bytes) => {
      if (this.failure) {
        await write(offset, bytes.subarray(0, bytes.length / 2));
        throw this.failure;
      }
      this.written.push(offset);
      await write(offset, bytes);
    };
    const truncate = file.truncate.bind(file);
    file.truncate = async (size) => {
      if (this.truncateFailure) throw this.truncateFailure;
      await truncate(size);
    };
    file.flush = async () => {
      if (this.flushFailure) throw this.flushFailure;
      this.flushes.push(name);
    };
    return file;
  }
}

describe('the copy of the manifest', () => {
  it('is mended on opening, with a warning where it was damaged', async () => {
    for (const damage of ['flip', 'remove'] as const) {
      const { files } = await written(['a']);
      const before = files.get('manifest-copy')!.copy(0, sizeOf(files, 'manifest-copy'));
      if (damage === 'flip') await flip(files, 'manifest-copy', 30);
      else files.delete('manifest-copy');
      const { warnings } = await reopen(files);
      expect(warnings).toEqual(damage === 'flip' ? [expect.stringContaining('manifest-copy')] : []);
      expect(files.get('manifest-copy')!.copy(0, sizeOf(files, 'manifest-copy'))).toEqual(before);
    }
  });

  it('shows a manifest that has gone back to an older state', async () => {
    const { files } = await written(['a']);
    const old = files.get('manifest')!.copy(0, sizeOf(files, 'manifest'));
    const { journal } = await reopen(files);
    await journal.commitCheckpoint(await journal.rotate(), {}, { note: 'newer' }, () => {});
    await new MemoryBackend('test', files).replace('manifest', old);
    await expect(reopen(files)).rejects.toMatchObject({ code: 'CORRUPTION', details: { file: 'manifest' } });
  });
});
