/** The page's end of the wire: calls, failures of the worker itself, and keeping a process alive only while it waits. */
import { closed, errorFromImage, IsovecError } from '../base/errors.ts';
import { type Answer, type Call, type HostProtocol, OPENING_ABORT_ID } from './protocol.ts';

/** How a call is sent. */
export interface Sending {
  /** What is handed over, not copied. */
  transfer?: Transferable[];
  /** Nobody can change what it says any more, so it may be sent with others of its turn. */
  mayWait?: boolean;
}

/** A host as it is seen over a wire. */
export interface HostEnd extends Omit<HostProtocol, 'call'> {
  call(id: number, call: Call, sending?: Sending): Promise<Answer<unknown>>;
}

/** A worker that runs the host, however this runtime makes one. */
export interface SpawnedWorker {
  host: HostEnd;
  /** Called when the worker could not start or has died. */
  onFailure(listener: (reason: Error) => void): void;
  terminate(): void;
  /** Tells when the page is about to be stopped, and when it goes on. @returns stops watching */
  watchPage?(onStop: () => void, onGoOn: () => void): () => void;
  /** Whether the worker keeps the process alive: while a call waits for it. */
  keepAlive?(isAlive: boolean): void;
}

export class WorkerLink {
  readonly #worker: SpawnedWorker;
  readonly #host: HostEnd;
  readonly #waiting = new Set<(reason: IsovecError) => void>();
  #failure: IsovecError | undefined;
  #lastId = OPENING_ABORT_ID;
  readonly #stopWatching: (() => void) | undefined;

  constructor(worker: SpawnedWorker) {
    this.#worker = worker;
    this.#host = worker.host;
    this.#stopWatching = worker.watchPage?.(
      () => this.#host.suspend(),
      () => this.#host.resume(),
    );
    worker.onFailure((cause) => {
      this.#end(
        new IsovecError(
          'STORAGE_IO',
          `the isovec worker failed: ${cause.message || 'it could not be started'}`,
          {
            cause,
          },
        ),
      );
    });
  }

  newId(): number {
    return ++this.#lastId;
  }

  /**
   * As `ask`.
   * @param id by which the call can be aborted
   */
  call<T>(call: Call, { id = this.newId(), ...sending }: Sending & { id?: number } = {}): Promise<T> {
    return this.ask((host) => host.call(id, call, sending) as Promise<Answer<T>>);
  }

  /**
   * @throws whatever the host's side threw; STORAGE_IO when the worker is gone; INVALID_ARGUMENT when an argument
   *         cannot be sent to it
   */
  ask<T>(send: (host: HostEnd) => Promise<Answer<T>>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#failure) throw this.#failure;
      this.#waiting.add(reject);
      this.#worker.keepAlive?.(true);
      send(this.#host).then(
        (answer) => {
          this.#settle(reject);
          if (answer.ok) resolve(answer.value);
          else reject(errorFromImage(answer.error));
        },
        (thrown) => {
          this.#settle(reject);
          reject(asIsovecError(thrown));
        },
      );
    });
  }

  /** Gives up a call, or the opening, that is under way. */
  abort(id: number): void {
    if (!this.#failure) this.#host.abort(id);
  }

  end(): void {
    this.#end(closed('database'));
  }

  #end(failure: IsovecError): void {
    if (this.#failure) return;
    this.#failure = failure;
    this.#stopWatching?.();
    this.#worker.terminate();
    for (const reject of this.#waiting) reject(failure);
    this.#waiting.clear();
  }

  #settle(reject: (reason: IsovecError) => void): void {
    this.#waiting.delete(reject);
    if (this.#waiting.size === 0) this.#worker.keepAlive?.(false);
  }
}

function asIsovecError(thrown: unknown): IsovecError {
  if (thrown instanceof Error && thrown.name === 'DataCloneError')
    return new IsovecError(
      'INVALID_ARGUMENT',
      `an argument cannot be sent to the worker: ${thrown.message}`,
      {
        cause: thrown,
      },
    );
  return new IsovecError('STORAGE_IO', `the isovec worker answered nothing sensible: ${String(thrown)}`, {
    cause: thrown,
  });
}
