/** Eight processes of three runtimes write to one database at once: nothing is lost, nothing is done twice. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Matrix } from '../matrix.ts';
import { BATCH_RECORDS, type ContenderReport, type ContenderTask, HEAD_ID } from './contention-task.ts';
import { bundle, entryAddress, isovec, KILLS_FACTOR, type Runtime, runtimes } from './killing.ts';

const CONTENDERS: readonly Runtime[] = [
  ...Array.from({ length: 4 }, () => runtimes.Node),
  ...Array.from({ length: 2 }, () => runtimes.Deno),
  ...Array.from({ length: 2 }, () => runtimes.Bun),
];
const BATCHES = Math.ceil(1000 * KILLS_FACTOR);
const BATCHES_PER_TRANSACTION = 20;

const root = mkdtempSync(join(tmpdir(), 'isovec-contention-'));
const matrix = new Matrix('contending-processes');
afterAll(() => {
  matrix.write();
  rmSync(root, { recursive: true, force: true });
});

const contender = await bundle('contender', root);
const { open } = await isovec();

it('has every batch of eight processes that write at once, and one history', async () => {
  const location = join(root, 'database');
  const reports = await Promise.all(
    CONTENDERS.map((runtime, index) =>
      contend(runtime, {
        isovec: entryAddress,
        location,
        name: `${runtime.name}-${index}`,
        batches: BATCHES,
        batchesPerTransaction: BATCHES_PER_TRANSACTION,
      }),
    ),
  );

  const database = await open(location);
  const collection = await database.collection('contended');
  const heads = reports.flatMap((report) => report.heads);
  const batches = CONTENDERS.length * BATCHES;
  expect(await collection.count()).toBe(batches * BATCH_RECORDS + heads.length + 1);
  for (const [index, { name }] of CONTENDERS.entries())
    for (let batch = 0; batch < BATCHES; batch += 97) {
      const ids = Array.from({ length: BATCH_RECORDS }, (_, at) => `${name}-${index}-${batch}-${at}`);
      expect((await collection.get(ids)).map((record) => record?.id)).toEqual(ids);
    }
  // Each head was set by one alone, and in the order in which each process saw its own.
  expect([...heads].sort((a, b) => a - b)).toEqual(Array.from(heads, (_, index) => index + 1));
  for (const report of reports) expect(report.heads).toEqual([...report.heads].sort((a, b) => a - b));
  expect((await collection.get(HEAD_ID))!.metadata).toMatchObject({ head: heads.length });
  expect(await database.verify()).toMatchObject({ ok: true, problems: [] });
  await database.close();

  for (const [index, { name }] of CONTENDERS.entries())
    matrix.record({
      operation: `insert of a batch, beside ${CONTENDERS.length - 1} others`,
      fault: 'contention',
      backend: 'fs',
      runtime: name,
      tried: BATCHES,
      survived: reports[index]!.waitsMs.length,
    });
  const waits = reports.flatMap(({ waitsMs }) => waitsMs).sort((a, b) => a - b);
  const at = (share: number) => waits[Math.floor((waits.length - 1) * share)]!.toFixed(1);
  console.log(
    `a batch among ${CONTENDERS.length} processes: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`,
  );
});

function contend({ program, args }: Runtime, task: ContenderTask): Promise<ContenderReport> {
  const child = spawn(program, [...args, contender, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(said.trimEnd().split('\n').at(-1)!) as ContenderReport);
      else reject(new Error(`${task.name} ended with ${code}: ${errors || said}`));
    });
  });
}
