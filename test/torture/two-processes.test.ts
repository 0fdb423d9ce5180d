import { afterAll, describe, expect, it } from 'vitest';
import { Matrix } from '../matrix.ts';
import { collectGarbage } from './garbage.ts';
import { dieAt } from './two-processes.ts';

const DEATHS = 400;
const FIRST_SEED = 20_261_122;
/** Ten seconds on a machine with nothing else to do. */
const TIMEOUT_MS = 600_000;

describe('a process that is killed at any change it makes to a shared database', () => {
  const matrix = new Matrix('killed-beside-another');
  afterAll(() => matrix.write());

  it('leaves all that was promised to the other, which goes on', { timeout: TIMEOUT_MS }, async () => {
    let tried = 0;
    for (let seed = FIRST_SEED; tried < DEATHS; seed++)
      for (let changes = 0, isDone = false; !isDone; changes++) {
        const outcome = await dieAt(seed, changes).catch((error) => {
          throw new Error(`seed ${seed}, killed at change ${changes}: ${error}`, { cause: error });
        });
        isDone = outcome.isDone;
        matrix.record({
          operation: outcome.act,
          fault: 'process killed beside another, then power loss',
          backend: 'simulated',
          runtime: 'Node',
          tried: 1,
          survived: 1,
        });
        if (++tried % 10 === 0) await collectGarbage();
      }
    expect(tried).toBeGreaterThanOrEqual(DEATHS);
  });
});
