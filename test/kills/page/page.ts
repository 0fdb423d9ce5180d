/**
 * A page that works in a database until it, its worker or its browser is killed. It says what it does to the server, and
 * does nothing before the server has heard it.
 */
import { type Database, open } from 'isovec';
import { findAll } from '../found.ts';
import type { PageTask, Said } from '../page-server.ts';
import { prepare, randomOf, work } from '../workload.ts';

const line = new URLSearchParams(location.search).get('line') ?? '';
const session = crypto.randomUUID();

async function ask<T>(path: string, body: unknown): Promise<T> {
  const response = await fetch(`${path}?line=${line}&session=${session}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`the server answers ${response.status}`);
  return (await response.json()) as T;
}

const say = (said: Said): Promise<{ start: number }> => ask('/said', said);

/** The worker that the last opening has started. */
let lastWorker: Worker | undefined;
globalThis.Worker = class extends Worker {
  constructor(url: string | URL, options?: WorkerOptions) {
    super(url, options);
    lastWorker = this;
  }
};

async function run(): Promise<void> {
  const task = await ask<PageTask>('/task', {});
  for (let termination = 0; termination <= task.terminations; termination++) {
    const database = await open(line, { storage: task.storage, ...task.options });
    const warnings: string[] = [];
    database.on('warning', ({ message }) => warnings.push(message));
    const { start } = await say({ what: 'found', found: await findAll(database, task.seed, ''), warnings });
    if (termination === task.terminations && task.terminations > 0) break;
    await workUntilTerminated(database, task, start, termination);
  }
  await say({ what: 'finished' });
}

/** For ever, when nothing is to be terminated. */
async function workUntilTerminated(
  database: Database,
  task: PageTask,
  start: number,
  termination: number,
): Promise<void> {
  const random = randomOf(task.seed, -termination - 2);
  const last = start + Math.floor(random() * task.stepsMax);
  const delayMs = random() * task.delayMsMax;
  const worker = lastWorker!;
  const saying = new Set<Promise<unknown>>();
  let isOver = false;
  await prepare(database, '');
  await new Promise<void>((terminated, failed) => {
    const sayOf = (said: Said) => {
      if (isOver) return new Promise<void>(() => {});
      const saidIt = say(said).finally(() => saying.delete(saidIt));
      saying.add(saidIt);
      return saidIt.then(() => {});
    };
    const begun = ({ index, kind }: { index: number; kind: string }) => {
      if (task.terminations > 0 && index === last)
        setTimeout(() => {
          isOver = true;
          worker.terminate();
          terminated();
        }, delayMs);
      return sayOf({ what: 'begun', index, kind });
    };
    work(database, task.seed, start, task.overlap, '', {
      begun,
      acknowledged: ({ index }) => sayOf({ what: 'acknowledged', index }),
    }).catch(failed);
  });
  await Promise.allSettled(saying);
}

run().catch((error: unknown) =>
  say({ what: 'failed', why: String(error instanceof Error ? `${error.message} ${error.stack}` : error) }),
);
