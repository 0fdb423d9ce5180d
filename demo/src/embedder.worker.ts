/**
 * The embedding model, in a worker of its own: a text goes in, its vector comes out, one at a time.
 *
 * One text a message, because a batch is no faster (the WASM backend is bound by arithmetic: about 15 passages
 * of 100 words a second, alone as in batches of 32), and a question then waits for one passage at the most.
 */
import { loadGraphModel, setWasmPaths } from '@energetic-ai/core';
import { initModel } from '@energetic-ai/embeddings';
import { type Embedder, universalSentenceEncoder } from 'isovec/rag';

export interface EmbedderRequest {
  text: string;
}

export type EmbedderResponse =
  | { kind: 'loaded' }
  | { kind: 'vector'; vector: Float32Array<ArrayBuffer>; milliseconds: number }
  | { kind: 'failed'; message: string };

/**
 * Absolute URL, ending in a slash, of the weights and of the backend's .wasm. It comes as the worker's name, because
 * the backend starts to load in the same turn in which it is imported, before any message can arrive.
 */
const folder = self.name;
setWasmPaths(folder);

async function loadModel(): Promise<Embedder> {
  const model = await initModel(async () => {
    const [graph, vocabulary] = await Promise.all([
      loadGraphModel(`${folder}model.json`),
      fetch(`${folder}vocab.json`).then((response) => response.json()),
    ]);
    return { model: graph, vocabulary };
  });
  const embedder = universalSentenceEncoder(model);
  // The first run packs the weights, and takes twice as long.
  await embedder.embed(['warm up']);
  return embedder;
}

async function embed(embedder: Embedder, text: string): Promise<void> {
  const start = performance.now();
  const [vector] = (await embedder.embed([text])) as [Float32Array<ArrayBuffer>];
  answer({ kind: 'vector', vector, milliseconds: performance.now() - start }, [vector.buffer]);
}

function answer(response: EmbedderResponse, transfer: Transferable[] = []): void {
  self.postMessage(response, { transfer });
}

const fail = (error: unknown): void => answer({ kind: 'failed', message: String(error) });

loadModel().then((embedder) => {
  self.addEventListener('message', ({ data }: MessageEvent<EmbedderRequest>) => {
    embed(embedder, data.text).catch(fail);
  });
  answer({ kind: 'loaded' });
}, fail);
