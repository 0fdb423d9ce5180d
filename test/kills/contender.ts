/** One of many processes that write to one database at once: run as `contender.mjs <task as JSON>`. */
import type { Database } from '../../src/base/api.ts';

import {
  BATCH_RECORDS,
  type ContenderReport,
  type ContenderTask,
  DIMENSIONS,
  HEAD_ID,
} from './contention-task.ts';

const task = JSON.parse(process.argv[2]!) as ContenderTask;
const { open } = (await import(task.isovec)) as typeof import('../../src/index.node.ts');
const database = await open(task.location, { lockTimeout: 120_000 });
const report: ContenderReport = { waitsMs: [], heads: [] };
const collection = await database.collection('contended', { dimensions: DIMENSIONS });
for (let batch = 0; batch < task.batches; batch++) {
  const records = Array.from({ length: BATCH_RECORDS }, (_, index) => ({
    id: `${task.name}-${batch}-${index}`,
    vector: Array.from({ length: DIMENSIONS }, (__, at) => Math.sin(batch * 3 + index * 5 + at + 1)),
  }));
  const asked = performance.now();
  await collection.insert(records);
  report.waitsMs.push(performance.now() - asked);
  if (batch % task.batchesPerTransaction === 0) report.heads.push(await appendToHistory(database, task.name));
}
await database.close();
process.stdout.write(`${JSON.stringify(report)}\n`);

/** Reads the newest head and sets the next: two that read the same one would set the same. */
async function appendToHistory(opened: Database, name: string): Promise<number> {
  return opened.transaction(async (tx) => {
    const contended = tx.collection<{ head: number; by: string }>('contended');
    const head = ((await contended.get(HEAD_ID))?.metadata.head ?? 0) + 1;
    const vector = new Array<number>(DIMENSIONS).fill(1);
    await contended.upsert({ id: HEAD_ID, vector, metadata: { head, by: name } });
    await contended.insert({ id: `history-${head}`, vector, metadata: { head, by: name } });
    return head;
  });
}
