/** One engine in a Node process of its own: no other engine's garbage, globals or compiled code reach it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { DatasetName } from './datasets/dataset.ts';
import type { Contestant, Footprint, SearchPass } from './engine.ts';
import type { NodeEngineName } from './engines/registry.ts';
import { benchFolder } from './folders.ts';
import type { Answer, Command } from './node-process.ts';

export class NodeContestant implements Contestant {
  readonly name: NodeEngineName;
  readonly #process: ChildProcess;
  readonly #ended: Promise<never>;

  constructor(name: NodeEngineName) {
    this.name = name;
    this.#process = fork(join(benchFolder, 'node-process.ts'), {
      execArgv: ['--import', 'tsx', '--expose-gc'],
      serialization: 'advanced',
    });
    this.#ended = failureOnExit(this.#process, name);
    this.#ended.catch(() => {}); // Told to whoever waits for an answer.
  }

  async start(data: DatasetName, count: number): Promise<void> {
    await this.#send({ do: 'start', engine: this.name, data, count });
  }

  async add(from: number, to: number): Promise<number> {
    return (await this.#send({ do: 'add', from, to })) as number;
  }

  async search(ef: number): Promise<SearchPass> {
    return (await this.#send({ do: 'search', ef })) as SearchPass;
  }

  async searchMany(ef: number): Promise<number | undefined> {
    return (await this.#send({ do: 'searchMany', ef })) as number | undefined;
  }

  async reopen(): Promise<number | undefined> {
    return (await this.#send({ do: 'reopen' })) as number | undefined;
  }

  async footprint(): Promise<Footprint> {
    return (await this.#send({ do: 'footprint' })) as Footprint;
  }

  async stop(): Promise<void> {
    await this.#send({ do: 'stop' });
    this.#process.kill();
  }

  async #send(command: Command): Promise<unknown> {
    this.#process.send(command);
    const [answer] = (await Promise.race([once(this.#process, 'message'), this.#ended])) as [Answer];
    if ('error' in answer) throw new Error(`${this.name}, ${command.do}: ${answer.error}`);
    return answer.value;
  }
}

async function failureOnExit(child: ChildProcess, name: string): Promise<never> {
  const [code, signal] = await once(child, 'exit');
  throw new Error(`${name}'s process ended early (${signal ?? code})`);
}
