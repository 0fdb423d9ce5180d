import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/**
 * Lets go of the memories of indexes that nobody holds any more. V8 sees only their few kilobytes, and would let them
 * stand until the address space, of which each takes 10 GB, is used up: at some 12,000.
 */
export async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  collect ??= runInNewContext('gc') as () => void;
  collect();
  // What hangs on a collected memory is let go in a turn of its own.
  await new Promise((resolve) => setImmediate(resolve));
}
