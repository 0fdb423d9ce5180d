/** A server of the built demo that a test may stop. */
import { fileURLToPath } from 'node:url';
import { preview } from 'vite';

export interface PreviewServer {
  origin: string;
  close(): Promise<void>;
}

export async function servePreview(): Promise<PreviewServer> {
  const root = fileURLToPath(new URL('../demo', import.meta.url));
  const server = await preview({
    root,

    preview: { port: 4300 },
    logLevel: 'warn',
  });
  const origin = server.resolvedUrls?.local[0];
  if (origin === undefined) throw new Error('the preview server has no local address');
  return { origin: origin.replace(/\/$/, ''), close: () => server.close() };
}
