/** Inserts and indexes many random vectors, and shows whether the main thread ever stood still. */
import { destroy, open } from 'isovec';
import { DIMENSIONS } from './library.ts';
import { byId, create } from './ui/dom.ts';
import { formatCount } from './ui/format.ts';

const LOCATION = 'stress-test';
const VECTORS = 10_000;
const BATCH_VECTORS = 100;
/** Between two looks at how far the graph is. */
const POLL_MS = 100;

/** Milliseconds of each task over 50 ms, as the browser reports them. */
const longTasksMs: number[] = [];

function watchLongTasks(): void {
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) longTasksMs.push(Math.round(entry.duration));
  });
  observer.observe({ type: 'longtask', buffered: false });
}

function randomVector(): Float32Array {
  const vector = new Float32Array(DIMENSIONS);
  for (let index = 0; index < DIMENSIONS; index++) vector[index] = Math.random() - 0.5;
  return vector;
}

function show(state: string, done: number): void {
  byId('stress-state', HTMLElement).textContent = state;
  byId('stress-bar', HTMLProgressElement).value = done;
}

function showFigures(figures: Record<string, string>): void {
  byId('stress-figures', HTMLElement).replaceChildren(
    ...Object.entries(figures).flatMap(([name, value]) => [create('dt', {}, name), create('dd', {}, value)]),
  );
}

async function run(): Promise<void> {
  await destroy(LOCATION);
  const database = await open(LOCATION);
  const vectors = await database.collection('vectors', { dimensions: DIMENSIONS });
  watchLongTasks();

  const start = performance.now();
  for (let done = 0; done < VECTORS; done += BATCH_VECTORS) {
    await vectors.insert(Array.from({ length: BATCH_VECTORS }, () => ({ vector: randomVector() })));
    show(`Inserted ${formatCount(done + BATCH_VECTORS)} of ${formatCount(VECTORS)}`, done + BATCH_VECTORS);
  }
  const inserted = performance.now();
  for (let indexed = 0; indexed < VECTORS; ) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    ({ indexed } = await vectors.info());
    show(`Indexed ${formatCount(indexed)} of ${formatCount(VECTORS)}`, VECTORS + indexed);
  }
  const indexed = performance.now();

  const [nearest] = await vectors.query({ vector: randomVector(), topK: 1 });
  await database.close();
  await destroy(LOCATION);
  showFigures({
    'Tasks over 50 ms': String(longTasksMs.length),
    'Longest of them': longTasksMs.length > 0 ? `${Math.max(...longTasksMs)} ms` : 'none',
    'Durably inserted after': `${formatCount(Math.round(inserted - start))} ms`,
    'Wholly indexed after': `${formatCount(Math.round(indexed - start))} ms`,
    Storage: database.storage,
    'Score of a nearest neighbour': nearest?.score.toFixed(3) ?? 'none found',
  });
  document.body.dataset.longTasks = JSON.stringify(longTasksMs);
  show('Done', 2 * VECTORS);
}

run().catch((error: unknown) => show(`Failed: ${error instanceof Error ? error.message : error}`, 0));
