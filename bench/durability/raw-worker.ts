/** Appends and flushes through a sync access handle, which only a worker has. */
interface RawHandle {
  write(bytes: Uint8Array, options: { at: number }): number;
  flush(): void;
  close(): void;
}

self.onmessage = async ({ data }: MessageEvent<{ bytes: number; count: number }>) => {
  const root = await navigator.storage.getDirectory();
  const entry = await root.getFileHandle('raw', { create: true });
  const handle = (await (
    entry as unknown as { createSyncAccessHandle(): Promise<RawHandle> }
  ).createSyncAccessHandle()) as RawHandle;
  const bytes = new Uint8Array(data.bytes).fill(1);
  const start = performance.now();
  for (let index = 0; index < data.count; index++) {
    handle.write(bytes, { at: index * bytes.length });
    handle.flush();
  }
  const ms = performance.now() - start;
  handle.close();
  await root.removeEntry('raw');
  postMessage(ms);
};
