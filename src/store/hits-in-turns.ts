import type { Hit } from '../base/api.ts';
import type { Engine } from './engine.ts';
import { Slices } from './slices.ts';

/** Hits made between looks at the clock: 0.1 ms. */
const HITS_PER_LOOK = 64;

/** Makes the hits of a long answer, letting others have turns. @throws IsovecError ABORTED */
export async function hitsInTurns<T>(
  { pause }: Pick<Engine, 'pause'>,
  signal: AbortSignal | undefined,
  found: readonly T[],
  make: (each: T, at: number) => Hit,
): Promise<Hit[]> {
  const slices = new Slices(pause, signal);
  const hits: Hit[] = [];
  for (const [at, each] of found.entries()) {
    if (at % HITS_PER_LOOK === HITS_PER_LOOK - 1 && slices.isOver) await slices.rest();
    hits.push(make(each, at));
  }
  return hits;
}
