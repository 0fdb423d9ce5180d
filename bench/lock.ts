/**
 * `npx tsx bench/lock.ts [processes] [seconds]`: how long a file lock is waited for. First alone, then in several processes at
 * once, each of which acquires, appends and flushes a few KB, releases, and begins again.
 */
import { fork } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileLocks } from '../src/storage/lock-file.ts';

const BATCH_BYTES = 4096;
/** What a process measured, as it tells its parent. */
interface Measured {
  waitsMs: number[];
  releasesMs: number[];
}

async function measure(location: string, seconds: number, isWriting: boolean): Promise<Measured> {
  const locks = new FileLocks();
  const bytes = new Uint8Array(BATCH_BYTES);
  const measured: Measured = { waitsMs: [], releasesMs: [] };
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const asked = performance.now();
    const held = await locks.acquire(location, { timeoutMs: 60_000 });
    measured.waitsMs.push(performance.now() - asked);
    if (isWriting) {
      const file = openSync(join(location, 'log'), 'a');
      writeSync(file, bytes);
      fdatasyncSync(file);
      closeSync(file);
    }
    const done = performance.now();
    await held.release({ soonAgain: true });
    measured.releasesMs.push(performance.now() - done);
  }
  return measured;
}

function percentiles(label: string, valuesMs: number[]): string {
  const sorted = [...valuesMs].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const texts = [0.5, 0.99, 1].map((share) => at(share).toFixed(3));
  return `${label}: ${sorted.length} times, p50 ${texts[0]} ms, p99 ${texts[1]} ms, max ${texts[2]} ms`;
}

function measureInProcess(location: string, seconds: number): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), ['--child', location, String(seconds)]);
    child.once('message', (message) => resolve(message as Measured));
    child.once('exit', (code) => reject(new Error(`a process ended with code ${code}`)));
  });
}

async function run(processCount: number, seconds: number): Promise<void> {
  const location = mkdtempSync(join(tmpdir(), 'isovec-lock-bench-'));
  try {
    const alone = await measure(location, seconds, false);
    console.log(percentiles('alone, acquire', alone.waitsMs));
    console.log(percentiles('alone, release', alone.releasesMs));
    const all = await Promise.all(
      Array.from({ length: processCount }, () => measureInProcess(location, seconds)),
    );
    console.log(
      percentiles(
        `${processCount} processes, acquire`,
        all.flatMap(({ waitsMs }) => waitsMs),
      ),
    );
    const counts = all.map(({ waitsMs }) => waitsMs.length);
    console.log(`per process: ${Math.min(...counts)} to ${Math.max(...counts)} times in ${seconds} s`);
  } finally {
    rmSync(location, { recursive: true, force: true });
  }
}

const [mode = '8', second = '3', third = '3'] = process.argv.slice(2);
if (mode === '--child') process.send!(await measure(second, Number(third), true));
else await run(Number(mode), Number(second));
