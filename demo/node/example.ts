/**
 * Answers a question from the State of the Union addresses, in Node.
 *
 *   npm run example -- "what shall we do about the banks?" --addresses 20
 *
 * The first run embeds the newest addresses, a few at a time; cut short, it goes on where it was. Every later run
 * answers at once, from disk.
 */
import { parseArgs } from 'node:util';
import { loadUniversalSentenceEncoder } from 'isovec/rag';
import { addresses } from '../corpus/addresses.ts';
import { Library } from '../src/library.ts';

const FOLDER = '.isovec-example';
const DEFAULT_QUESTION = 'How should we answer a changing climate?';
const TOP_K = 5;
/** Passages stored as one atomic batch: about a second of embedding. */
const BATCH_PASSAGES = 16;

const { question, count } = readArguments();
const library = await Library.open(FOLDER);
const embedder = await loadUniversalSentenceEncoder();

await addNewest(count);
await answer(question);
await library.close();

function readArguments(): { question: string; count: number } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { addresses: { type: 'string', default: '20' } },
  });
  const count = Number(values.addresses);
  if (!Number.isInteger(count) || count < 1) {
    console.error(`--addresses must be a whole number from 1; got "${values.addresses}"`);
    process.exit(2);
  }
  return { question: positionals.join(' ') || DEFAULT_QUESTION, count };
}

/** Embeds and stores what is not in the library yet. */
async function addNewest(count: number): Promise<void> {
  const wanted = addresses().slice(0, count);
  const missing = wanted.filter(({ id }) => !library.get(id));
  await library.add(
    missing.map(({ passages, ...address }) => ({
      ...address,
      title: address.speaker,
      passageCount: passages.length,
    })),
  );

  const total = wanted.reduce((sum, { passages }) => sum + passages.length, 0);
  let done = wanted.reduce((sum, { id }) => sum + library.get(id)!.storedCount, 0);
  if (done === total) return;
  for (const { id, passages } of wanted) {
    const document = library.get(id)!;
    while (document.storedCount < passages.length) {
      const texts = passages.slice(document.storedCount, document.storedCount + BATCH_PASSAGES);
      const vectors = await embedder.embed(texts);
      await library.append(
        document,
        texts.map((text, index) => ({ text, vector: vectors[index]! })),
      );
      done += texts.length;
      showProgress(done, total, `${document.year} ${document.title}`);
    }
  }
  process.stderr.write('\n');
}

async function answer(question: string): Promise<void> {
  const start = performance.now();
  const [vector] = await embedder.embed([question], { purpose: 'query' });
  const embedded = performance.now();
  const hits = await library.search(vector!, TOP_K);
  const found = performance.now();

  console.log(`\n${question}`);
  for (const { score, metadata } of hits)
    console.log(`\n${metadata.year} ${metadata.speaker} (score ${score.toFixed(3)})\n${wrap(metadata.text)}`);
  const { passages } = await library.usage();
  console.log(
    `\n${hits.length} of ${passages} passages: question embedded in ${(embedded - start).toFixed(1)} ms, ` +
      `found in ${(found - embedded).toFixed(1)} ms.`,
  );
}

function showProgress(done: number, total: number, what: string): void {
  const width = 30;
  const filled = Math.round((done / total) * width);
  const bar = '█'.repeat(filled) + '░'.repeat(width - filled);
  process.stderr.write(`\r${bar} ${done} of ${total} passages  ${what.padEnd(32)}`);
}

function wrap(text: string): string {
  return text.replace(/(.{1,96})(?:\s+|$)/g, '    $1\n').trimEnd();
}
