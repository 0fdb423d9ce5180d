/**
 * What crosses between a page and its worker: one message for one request or several, one for their answers. A general library
 * for this (comlink) took 0.02 ms more a call, and 2 KB of a page.
 */
import type { HostEnd } from './link.ts';
import type { HostProtocol } from './protocol.ts';

/** An end of the channel, however this runtime has them. */
export interface Port {
  /** @throws DataCloneError for what cannot be sent; then nothing has been */
  post(message: unknown, transfer: Transferable[]): void;
  listen(listener: (message: never) => void): void;
}

/** @param id NO_ANSWER where none is wanted */
export type Request = [id: number, method: keyof HostProtocol, given: unknown[]];

export type Response = [id: number, answer: unknown];

export const NO_ANSWER = 0;

interface Waiting {
  resolve: (answer: never) => void;
  reject: (reason: unknown) => void;
}

/** The host as it is seen from the page. */
export function hostOver(port: Port): HostEnd {
  const waiting = new Map<number, Waiting>();
  let lastId = NO_ANSWER;
  /** The first request of a turn is sent at once; those behind it that may wait, together when the turn's promises are done. */
  let isInTurn = false;
  let later: Request[] = [];

  const settle = (id: number): Waiting | undefined => {
    const settled = waiting.get(id);
    waiting.delete(id);
    return settled;
  };
  port.listen((responses: Response[]) => {
    for (const [id, answer] of responses) settle(id)?.resolve(answer as never);
  });

  const post = (requests: Request[], transfer: Transferable[] = []) => {
    try {
      port.post(requests, transfer);
    } catch (error) {
      // Only those that cannot be sent are not.
      if (requests.length > 1) for (const request of requests) post([request]);
      else settle(requests[0]![0])?.reject(error);
    }
  };
  const postLater = () => {
    const requests = later;
    later = [];
    if (requests.length > 0) post(requests);
  };
  const endTurn = () => {
    isInTurn = false;
    postLater();
  };
  const send = (request: Request, transfer: Transferable[], mayWait: boolean) => {
    if (isInTurn && mayWait) {
      later.push(request);
      return;
    }
    postLater();
    if (!isInTurn) queueMicrotask(endTurn);
    isInTurn = true;
    post([request], transfer);
  };

  const ask = <T>(method: keyof HostProtocol, given: unknown[], transfer: Transferable[], mayWait = false) =>
    new Promise<T>((resolve, reject) => {
      const id = ++lastId;
      waiting.set(id, { resolve, reject });
      send([id, method, given], transfer, mayWait);
    });
  const tell = (method: keyof HostProtocol, ...given: unknown[]) =>
    send([NO_ANSWER, method, given], [], false);

  return {
    open: (...given) => ask('open', given, [given[2]]),
    restore: (...given) => ask('restore', given, [given[3]]),
    call: (id, call, { transfer = [], mayWait = false } = {}) => ask('call', [id, call], transfer, mayWait),
    abort: (id) => tell('abort', id),
    suspend: () => tell('suspend'),
    resume: () => tell('resume'),
    close: () => ask('close', [], []),
  };
}
