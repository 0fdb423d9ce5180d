import { afterAll, describe, expect, it } from 'vitest';
import { Matrix } from '../matrix.ts';
import { type CrashOutcome, crashLife, describeOutcome, recordOutcome } from './crash.ts';

/** `npm run torture` tries a million. */
const IMAGES = 10_000;
/** Lives are of very different lengths: each gives at most its part, and there are many of them. */
const IMAGES_OF_LIFE_MAX = 1500;
const FIRST_SEED = 20_261_121;
/** Half a minute on a machine with nothing else to do. */
const TIMEOUT_MS = 900_000;

describe('a power loss at any write', () => {
  const matrix = new Matrix('crash-images');
  afterAll(() => matrix.write());

  it('costs nothing that was promised, tears no batch, and no answer is wrong afterwards', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const failures: string[] = [];
    let tried = 0;
    for (let seed = FIRST_SEED; tried < IMAGES; seed++) {
      let triedOfLife = 0;
      await crashLife(seed, (outcome: CrashOutcome) => {
        recordOutcome(matrix, outcome);
        if (outcome.error !== undefined) failures.push(describeOutcome(outcome));
        tried++;
        return ++triedOfLife < IMAGES_OF_LIFE_MAX;
      });
      expect(failures).toEqual([]);
    }
  });
});
