/** Starts programs that write, and kills them. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';
import type { WriterTask } from './writer.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const entry = join(repository, 'dist', 'index.node.js');
/** Of the built package, to be imported. */
export const entryAddress: string = pathToFileURL(entry).href;

/** So many times the counts of continuous integration. */
export const KILLS_FACTOR = Number(process.env.KILLS_FACTOR ?? 1);
/** What is done follows from it; when a kill strikes does so as far as the machine lets it. */
export const SEED = Number(process.env.KILLS_SEED ?? Date.now() % 2 ** 31);

export interface Runtime {
  name: string;
  program: string;
  args: string[];
}

const tool = (name: string) => join(repository, 'node_modules', '.bin', name);
export const runtimes = {
  Node: { name: 'Node', program: process.execPath, args: [] },
  Deno: { name: 'Deno', program: tool('deno'), args: ['run', '--allow-all', '--no-remote'] },
  Bun: { name: 'Bun', program: tool('bun'), args: ['run'] },
} satisfies Record<string, Runtime>;

/** The built package. */
export async function isovec(): Promise<typeof import('../../src/index.node.ts')> {
  if (!existsSync(entry)) throw new Error('the package has not been built: `npm run build`');
  return import(/* @vite-ignore */ entryAddress);
}

/** Makes of one of the programs here a module that all runtimes load. @returns its path */
export async function bundle(program: 'writer' | 'contender', folder: string): Promise<string> {
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      outDir: folder,
      emptyOutDir: false,
      target: 'es2022',
      ssr: fileURLToPath(new URL(`${program}.ts`, import.meta.url)),
      rollupOptions: { output: { entryFileNames: `${program}.mjs` } },
    },
  });
  return join(folder, `${program}.mjs`);
}

export interface Killed {
  /** How many steps had been acknowledged, and how many begun, from the first of all. */
  acknowledged: number;
  begun: number;
  /** What was under way. */
  operation: string;
}

/** One kill in so many strikes while the database is being opened; the others while it is worked in. */
const WHILE_OPENING = 0.15;
/** What starting a runtime and opening take, about. */
const OPENING_MS = 250;
const STEPS_MAX = 40;
/** Most steps take less; a checkpoint about this. */
const STEP_MS = 4;
/** A writer that is heard of no more. */
const HANGING_MS = 120_000;

/** Lets a writer work, and kills it at some moment. @throws when it failed by itself */
export async function killedWriter(
  { program, args }: Runtime,
  writer: string,
  task: Omit<WriterTask, 'isovec'>,
  random: () => number,
): Promise<Killed> {
  const child = spawn(program, [...args, writer, JSON.stringify({ ...task, isovec: entryAddress })], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => child.kill('SIGKILL');
  const hanging = setTimeout(kill, HANGING_MS);
  const whileOpening = random() < WHILE_OPENING;
  const killingAfter = whileOpening ? 0 : 1 + Math.floor(random() * STEPS_MAX);
  const delayMs = random() * (whileOpening ? OPENING_MS : STEP_MS);
  if (whileOpening) setTimeout(kill, delayMs);
  let said = '';
  let errors = '';
  let isDoomed = whileOpening;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (isDoomed || said.split('\nbegun ').length <= killingAfter) return;
    isDoomed = true;
    setTimeout(kill, delayMs);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const signal = await new Promise((resolve) => child.once('close', (_, by) => resolve(by)));
  clearTimeout(hanging);
  const itself = Number(said.match(/^process (\d+)\n/)?.[1] ?? child.pid);
  if (itself !== child.pid) throw new Error(`${program} starts another process, which outlives it`);
  if (signal !== 'SIGKILL' || !isDoomed)
    throw new Error(`the writer ${isDoomed ? 'ended by itself' : 'hung'}: ${said.slice(-2000)} ${errors}`);
  return understood(said, task.start);
}

function understood(said: string, start: number): Killed {
  // A line may be cut short by the kill.
  const lines = said.slice(0, said.lastIndexOf('\n') + 1).split('\n');
  const killed: Killed = { acknowledged: start, begun: start, operation: 'opening' };
  const underWay = new Map<number, string>();
  for (const line of lines) {
    const [what, number, ...kind] = line.split(' ');
    const index = Number(number);
    if (what === 'begun') {
      killed.begun = index + 1;
      underWay.set(index, kind.join(' '));
    } else if (what === 'acknowledged') {
      killed.acknowledged = index + 1;
      underWay.delete(index);
    }
  }
  const [oldest] = underWay.values();
  if (lines.includes('open')) killed.operation = oldest ?? 'between two steps';
  return killed;
}
