import { expect, it } from 'vitest';
import { ArchiveFileWriter } from '../../src/journal/archive-file.ts';
import { MemoryBackend, MemoryFiles } from '../../src/storage/memory.ts';
import { OpenHandles } from '../storage/open-handles.ts';
import { FaultyBackend } from '../torture/faulty-backend.ts';

it('closes the file of an archive that it could not begin, whichever call fails', async () => {
  const fault = { fault: 'ENOSPC', lasts: false, isShort: false } as const;
  for (const [at, call] of ['open', 'truncate', 'write'].entries()) {
    const handles = new OpenHandles();
    const backend = new FaultyBackend(new MemoryFiles(), { ...fault, at });
    const creating = ArchiveFileWriter.create(handles.of(backend), 'archive', 'none');
    await expect(creating).rejects.toMatchObject({ name: 'IsovecError' });
    expect(backend.failed?.call).toBe(call);
    expect(handles.names).toEqual([]);
  }
});

it('keeps it open until the writer is closed', async () => {
  const handles = new OpenHandles();
  const backend = handles.of(new MemoryBackend('place', new MemoryFiles()));
  const writer = await ArchiveFileWriter.create(backend, 'archive', 'none');
  expect(handles.names).toEqual(['archive']);
  await writer.close();
  expect(handles.names).toEqual([]);
});
