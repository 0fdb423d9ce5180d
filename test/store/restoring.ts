import { expect, it } from 'vitest';
import type { Database, OpenOptions, RestoreOptions, RestoreReport } from '../../src/base/api.ts';

/** `restore` by the public contract, on any backend. */
export function restoring(
  open: (name: string, options: OpenOptions) => Promise<Database>,
  restore: (source: string, destination: string, options?: RestoreOptions) => Promise<RestoreReport>,
): void {
  it('builds the state before a mistake beside the database that goes on', async () => {
    const database = await open('notes', { archive: true });
    const notes = await database.collection('notes', { dimensions: 2 });
    await notes.insert([
      { id: 'a', vector: [1, 0], metadata: { text: 'kept' } },
      { id: 'b', vector: [0, 1] },
    ]);
    const { lastSequence } = (await database.stats()).log;
    await database.checkpoint();
    await notes.delete(['a', 'b']);
    await database.checkpoint();
    const phases = new Set<string>();
    const report = await restore('notes', 'notes-before', {
      sequence: lastSequence,
      onProgress: ({ phase }) => phases.add(phase),
    });
    expect(report).toEqual({ sequence: lastSequence, time: expect.any(Date) });
    expect(phases).toContain('import');
    const restored = await open('notes-before', {});
    const before = await restored.collection('notes');
    expect(await before.count()).toBe(2);
    expect(await before.query({ vector: [1, 0], topK: 1 })).toMatchObject([
      { id: 'a', metadata: { text: 'kept' } },
    ]);
    expect(await notes.count()).toBe(0);
    await restored.close();
    await database.close();
  });

  it('refuses arguments that make no sense, and a signal that is aborted', async () => {
    const refused: [string, string, object, string][] = [
      ['notes', 'notes', {}, 'INVALID_ARGUMENT'],
      ['\0', 'new', {}, 'INVALID_ARGUMENT'],
      ['notes', 'new', { sequence: -1 }, 'INVALID_ARGUMENT'],
      ['notes', 'new', { sequence: 1, time: new Date() }, 'INVALID_ARGUMENT'],
      ['notes', 'new', { time: 'yesterday' }, 'INVALID_ARGUMENT'],
      ['notes', 'new', { readOnly: true }, 'INVALID_ARGUMENT'],
      ['notes', 'new', { archive: { compression: 'zip' } }, 'INVALID_ARGUMENT'],
      ['notes', 'new', { archive: { retentionMs: 0 } }, 'INVALID_ARGUMENT'],
      ['notes', 'new', { storage: 'memory' }, 'UNSUPPORTED'],
      ['notes', 'new', { signal: AbortSignal.abort() }, 'ABORTED'],
      ['nowhere', 'new', {}, 'NOT_FOUND'],
      ['notes', 'notes-before', {}, 'INVALID_ARGUMENT'],
    ];
    for (const [source, destination, options, code] of refused)
      await expect(restore(source, destination, options), JSON.stringify(options)).rejects.toMatchObject({
        code,
      });
  });
}
