/** The writer's side of sharing a database: calls of other tabs, carried out here. */
import type { OpenOptions } from '../base/api.ts';
import type { Awaitable } from '../base/awaitable.ts';
import type { LocalDatabase } from '../store/database.ts';
import type { Answer } from './protocol.ts';
import { answered, CallServer, isCutShort } from './server.ts';
import {
  type ClientMessage,
  clientName,
  type NumberedOperation,
  type TabChannel,
  type TabsPlatform,
} from './tab-protocol.ts';

interface Client {
  channel: TabChannel<ClientMessage>;
  server: CallServer;
  /** Stops watching whether it lives. */
  watching: AbortController;
}

export class TabWriter {
  readonly term: string;
  readonly #tabs: TabsPlatform;
  readonly #database: LocalDatabase;
  readonly #durability: OpenOptions['durability'];
  readonly #clients = new Map<number, Client>();
  readonly #running = new Set<Promise<void>>();
  /** Changes under way, by client and number. */
  readonly #underWay = new Map<string, Awaitable<Answer<unknown>>>();
  #isOver = false;

  /** @param durability that the database was opened with */
  constructor(
    tabs: TabsPlatform,
    database: LocalDatabase,
    term: string,
    durability: OpenOptions['durability'],
  ) {
    this.#tabs = tabs;
    this.#database = database;
    this.term = term;
    this.#durability = durability;
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  /** Listens to a client from now on. @param durability that it asks for */
  join(id: number, durability: OpenOptions['durability']): void {
    if (this.#isOver) return;
    const known = this.#clients.get(id);
    const client = known ?? this.#admit(id, durability);
    client.channel.post({ type: 'joined', term: this.term });
  }

  /**
   * Takes no more calls, and rolls back transactions that are not being committed.
   * @returns when the calls under way are answered
   */
  async end(): Promise<void> {
    this.#isOver = true;
    for (const { server } of this.#clients.values()) server.end();
    await Promise.allSettled(this.#running);
    for (const id of [...this.#clients.keys()]) this.#dismiss(id);
  }

  /** As `end`, without answering: what is under way fails for a reason that is not the client's. */
  abandon(): void {
    this.#isOver = true;
    for (const id of [...this.#clients.keys()]) this.#dismiss(id);
  }

  #admit(id: number, durability: OpenOptions['durability']): Client {
    // Acknowledged means flushed, to a client that was opened so, whoever writes.
    const flushes = durability !== 'relaxed' && this.#durability === 'relaxed';
    const client: Client = {
      channel: this.#tabs.openChannel<ClientMessage>(clientName(id), (message) =>
        this.#hear(id, client, message, flushes),
      ),
      server: new CallServer(this.#database),
      watching: new AbortController(),
    };
    this.#clients.set(id, client);
    this.#tabs.holdLock(clientName(id), client.watching.signal).then((release) => {
      release();
      if (this.#clients.get(id) === client) this.#dismiss(id);
    });
    return client;
  }

  #dismiss(id: number): void {
    const client = this.#clients.get(id);
    this.#clients.delete(id);
    client?.watching.abort();
    client?.server.end();
    client?.channel.close();
  }

  #hear(id: number, client: Client, message: ClientMessage, flushes: boolean): void {
    if (this.#isOver) return;
    switch (message.type) {
      case 'call':
        if (message.term === this.term) this.#take(id, client, message, flushes);
        break;
      case 'abort':
        client.server.abort(message.id);
        break;
      case 'leave':
        this.#dismiss(id);
    }
  }

  #take(clientId: number, client: Client, message: ClientMessage & { type: 'call' }, flushes: boolean): void {
    const { id, expiresAt } = message;
    // This tab was frozen, perhaps for hours: the client may have given up by now, and told its user so.
    if (Date.now() > expiresAt) {
      client.channel.post({ type: 'expired', term: this.term, id });
      return;
    }
    const running = this.#answer(clientId, client, message, flushes).finally(() => {
      this.#running.delete(running);
    });
    this.#running.add(running);
  }

  async #answer(
    clientId: number,
    { server, channel }: Client,
    { id, call, operation }: ClientMessage & { type: 'call' },
    flushes: boolean,
  ): Promise<void> {
    const answer = await this.#once(clientId, operation, () =>
      server.answer(id, call, operation && { ...operation, client: clientId }),
    );
    const flushed = flushes && operation && answer.ok ? await answered(() => this.#database.flush()) : answer;
    // What was cut short by the end of this writer is for the next one.
    if (this.#isOver && isCutShort(call, answer)) return;
    channel.post({ type: 'answer', term: this.term, id, answer: flushed.ok ? answer : flushed });
  }

  /** A client that left and came back asks again for what may still be under way. */
  async #once(
    clientId: number,
    operation: NumberedOperation | undefined,
    run: () => Awaitable<Answer<unknown>>,
  ): Promise<Answer<unknown>> {
    if (!operation) return run();
    const key = `${clientId}:${operation.number}`;
    const underWay = this.#underWay.get(key) ?? run();
    this.#underWay.set(key, underWay);
    try {
      return await underWay;
    } finally {
      this.#underWay.delete(key);
    }
  }
}
