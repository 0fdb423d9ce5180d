import type { MessagePort, TransferListItem, Worker } from 'node:worker_threads';
import type { Port } from '../worker/wire.ts';

export function nodePort(end: Worker | MessagePort): Port {
  return {
    post: (message, transfer) => end.postMessage(message, transfer as TransferListItem[]),
    listen: (listener) => void end.on('message', (message) => listener(message as never)),
  };
}
