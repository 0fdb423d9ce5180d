/** What every consumer does: store, close, and in a later session open again, query and clean up. */
import { destroy, IsovecError, open } from 'isovec';
import { openDocuments, renderContext, splitText } from 'isovec/rag';

const RECORDS = [
  { id: 'east', vector: [1, 0, 0], metadata: { title: 'East' } },
  { id: 'north', vector: [0, 1, 0], metadata: { title: 'North' } },
  { id: 'up', vector: [0, 0, 1], metadata: { title: 'Up' } },
];

/** Counts letters: no model, but vectors that can be compared. */
const letters = {
  fingerprint: 'letters',
  dimensions: 26,
  embed: async (texts) =>
    texts.map((text) => {
      const vector = new Float32Array(26).fill(0.01);
      for (const letter of text.toLowerCase().match(/[a-z]/g) ?? []) vector[letter.charCodeAt(0) - 97]++;
      return vector;
    }),
};
const split = { size: 30, overlap: 0 };
const DOCUMENT = { id: 'winds', text: '# Winds\n\nThe mistral is cold.\n\n# Waves\n\nA swell goes far.' };

export const session = { write, read, remove, searchByHnswlib, missHnswlib };

async function write(location, options) {
  const database = await open(location, options);
  const directions = await database.collection('directions', { dimensions: 3 });
  await directions.insert(RECORDS);
  const documents = await openDocuments(database, 'notes', { embedder: letters, split });
  const { chunks } = await documents.addDocument(DOCUMENT);
  expect(chunks === splitText(DOCUMENT.text, split).length, `every chunk, got ${chunks}`);
  await database.close();
}

async function read(location, options) {
  const database = await open(location, options);
  const directions = await database.collection('directions');
  const [nearest] = await directions.query({ vector: [0.1, 0.9, 0.1], topK: 1 });
  expect(
    nearest?.id === 'north' && nearest.metadata.title === 'North',
    `north, got ${JSON.stringify(nearest)}`,
  );
  expect((await directions.count()) === RECORDS.length, 'every record');
  await expectError(directions.query({ vector: [1, 2] }), 'DIMENSION_MISMATCH');
  const documents = await openDocuments(database, 'notes', { embedder: letters, split });
  const { text } = renderContext(await documents.search('swell', { topK: 1 }), { tokens: 30 });
  expect(text === '[1] winds › Waves\n# Waves\n\nA swell goes far.', `the swell, got ${text}`);
  const other = { ...letters, fingerprint: 'others' };
  await expectError(openDocuments(database, 'notes', { embedder: other }), 'CONFIG_MISMATCH');
  await database.close();
}

async function remove(location, options) {
  await destroy(location, options);
  const database = await open(location, options);
  expect((await database.collections()).length === 0, 'nothing to be left');
  await database.close();
  await destroy(location, options);
}

const HNSWLIB = { dimensions: 3, index: { engine: 'hnswlib-wasm' } };

/** With the other engine: everything is in its graph before it is asked. */
async function searchByHnswlib(location, options) {
  const database = await open(location, options);
  const directions = await database.collection('directions', HNSWLIB);
  await directions.insert(RECORDS);
  const deadline = Date.now() + 20_000;
  while ((await directions.info()).indexed < RECORDS.length) {
    expect(Date.now() < deadline, 'the graph to be built within 20 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const [nearest] = await directions.query({ vector: [0.1, 0.9, 0.1], topK: 1 });
  expect(nearest?.id === 'north', `north, got ${JSON.stringify(nearest)}`);
  await database.close();
  await destroy(location, options);
}

/** Where the other engine is missing or cannot run. @param reason what the error is to say */
async function missHnswlib(location, { reason, ...options }) {
  const database = await open(location, options);
  await expectError(database.collection('directions', HNSWLIB), 'UNSUPPORTED', reason);
  await database.close();
  await destroy(location, options);
}

async function expectError(promise, code, reason = '') {
  const error = await promise.then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error instanceof IsovecError && error.code === code, `an IsovecError ${code}, got ${error}`);
  expect(error.message.includes(reason), `an error that says "${reason}", got ${error}`);
}

function expect(condition, what) {
  if (!condition) throw new Error(`Expected ${what}`);
}
