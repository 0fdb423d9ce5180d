/**
 * `npx tsx bench/opening.ts <folder> [runs] [dist...]`: from `open` to the first answer of a database that is there, in a
 * process of its own each time. Several builds of isovec are taken by turns. The folder is written to as any opening does.
 */
import { fork } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Isovec } from './engines/isovec.ts';
import { median } from './measure.ts';

/** Milliseconds. */
interface Opening {
  answered: number;
  /** Of all threads, garbage collection and the compilers' included. */
  processor: number;
}

async function open(folder: string, dist: string): Promise<Opening> {
  const isovec: Isovec = await import(pathToFileURL(resolve(dist, 'index.node.js')).href);
  const before = process.cpuUsage();
  const startMs = performance.now();
  const database = await isovec.open(folder);
  const [described] = await database.collections();
  if (!described) throw new Error(`${folder} has no collection`);
  const collection = await database.collection(described.name);
  const vector = Float32Array.from({ length: described.config.dimensions }, (_, at) => Math.sin(at * 7));
  await collection.query({ vector, include: [] });
  const answered = performance.now() - startMs;
  const { user, system } = process.cpuUsage(before);
  await database.close();
  return { answered, processor: (user + system) / 1000 };
}

function openInProcess(folder: string, dist: string): Promise<Opening> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), ['--child', folder, dist]);
    child.once('message', (message) => resolve(message as Opening));
    child.once('exit', (code) => reject(new Error(`a process ended with code ${code}`)));
  });
}

async function run(folder: string, runs: number, builds: string[]): Promise<void> {
  const found = new Map<string, Opening[]>(builds.map((dist) => [dist, []]));
  for (let count = 0; count < runs; count++)
    for (const [dist, openings] of found) openings.push(await openInProcess(folder, dist));
  for (const [dist, openings] of found) {
    const ms = (of: (opening: Opening) => number) => median(openings.map(of)).toFixed(0);
    const fastest = Math.min(...openings.map(({ answered }) => answered)).toFixed(0);
    console.log(
      `${dist}: first answer after ${ms(({ answered }) => answered)} ms (fastest ${fastest}), ` +
        `${ms(({ processor }) => processor)} ms of processor time`,
    );
  }
}

const [first = '', second = '5', ...rest] = process.argv.slice(2);
if (first === '--child') process.send!(await open(second, rest[0]!));
else await run(first, Number(second), rest.length > 0 ? rest : ['dist']);
