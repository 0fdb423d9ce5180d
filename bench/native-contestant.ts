/** hnswlib driven from C++ (native/hnswlib.cpp), in a process of its own. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { baseFile, DATASETS, type DatasetName, queryFile } from './datasets/dataset.ts';
import {
  type Contestant,
  EF_CONSTRUCTION,
  type Footprint,
  M,
  REOPEN_EF,
  type SearchPass,
  TOP_K,
} from './engine.ts';
import { dataFolder } from './folders.ts';
import type { NativeProgram } from './native/compile.ts';

export class NativeContestant implements Contestant {
  readonly name = 'hnswlib-native';
  readonly #file = join(dataFolder, `hnswlib-native-${process.pid}.index`);
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;
  readonly #lines: Interface;

  constructor(program: NativeProgram) {
    this.#process = spawn(program.file, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#process.stdout });
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  async start(data: DatasetName, count: number): Promise<void> {
    const { dimensions, queryCount } = await DATASETS[data]();
    await this.#send(
      'start',
      baseFile(data),
      queryFile(data),
      dimensions,
      count,
      queryCount,
      M,
      EF_CONSTRUCTION,
    );
  }

  async add(from: number, to: number): Promise<number> {
    return (await this.#send<{ ms: number }>('add', from, to)).ms;
  }

  async search(ef: number): Promise<SearchPass> {
    const { ms, ...pass } = await this.#send<Omit<SearchPass, 'elapsedMs'> & { ms: number }>(
      'search',
      ef,
      TOP_K,
    );
    return { ...pass, elapsedMs: ms };
  }

  async searchMany(): Promise<undefined> {}

  async reopen(): Promise<number> {
    await this.#send('store', this.#file);
    return (await this.#send<{ ms: number }>('reopen', this.#file, REOPEN_EF, TOP_K)).ms;
  }

  async footprint(): Promise<Footprint> {
    const { memoryBytes } = await this.#send<{ memoryBytes: number }>('memory');
    const { bytes } = await this.#send<{ bytes: number }>('store', this.#file);
    await this.#send('reopen', this.#file, REOPEN_EF, TOP_K);
    return { memory: memoryBytes, disk: bytes };
  }

  async stop(): Promise<void> {
    this.#process.stdin.end();
    this.#lines.close();
    rmSync(this.#file, { force: true });
  }

  /** Paths hold no spaces here: the driver reads words. */
  async #send<Answer = unknown>(...words: (string | number)[]): Promise<Answer> {
    this.#process.stdin.write(`${words.join(' ')}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`${this.name} ended before it had answered ${words[0]}`);
    return JSON.parse(value) as Answer;
  }
}
