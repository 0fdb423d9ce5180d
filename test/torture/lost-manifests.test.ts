import { afterAll, describe, expect, it } from 'vitest';
import { openLocal } from '../../src/store/open.ts';
import { Matrix } from '../matrix.ts';
import { random } from '../search/random.ts';
import { CrashReplay } from './crash-images.ts';
import { collectGarbage } from './garbage.ts';
import { live, possibleWorlds } from './life.ts';
import { type DiskImage, SimulatedBackend, SimulatedDisk } from './simulated-disk.ts';
import { SimulatedPlatform } from './simulated-platform.ts';
import { contentsOf } from './world.ts';

const IMAGES = 600;
const STEPS_OF_LIFE = 24;
/** Of the indexes of a life, one in so many is tried. */
const INDEX_STEP = 7;
const FIRST_SEED = 20_261_123;
/** A few seconds on a machine with nothing else to do. */
const TIMEOUT_MS = 600_000;

/** Names may be lost, empty collections too, and where the log repeats what the files have, so may be the order. */
function withoutNames(contents: readonly { records: { id: string }[] }[]): string {
  const collections = contents
    .map(({ records }) => JSON.stringify([...records].sort((a, b) => (a.id < b.id ? -1 : 1))))
    .filter((records) => records !== '[]');
  return collections.sort().join();
}

async function salvage(files: DiskImage): Promise<string> {
  const platform = new SimulatedPlatform(new SimulatedBackend(new SimulatedDisk(files), () => 0), {
    runsByItself: true,
  });
  const database = await openLocal(platform, 'lost', { recovery: 'salvage' });
  const found = withoutNames(await contentsOf(database));
  await database.repair();
  const repaired = withoutNames(await contentsOf(database));
  if (repaired !== found) throw new Error(`salvaged ${found}, repaired to ${repaired}`);
  const { problems } = await database.verify();
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join());
  return found;
}

describe('both manifests lost, wherever the process was killed', () => {
  const matrix = new Matrix('lost-manifests');
  afterAll(() => matrix.write());

  it('cost no record, and bring none back that was deleted', { timeout: TIMEOUT_MS }, async () => {
    let tried = 0;
    for (let seed = FIRST_SEED; tried < IMAGES; seed++) {
      const life = await live(seed, STEPS_OF_LIFE);
      const replay = new CrashReplay(life.disk);
      const numbers = random(seed);
      while (!replay.isAtEnd) {
        replay.advance();
        const { index } = replay;
        if (index % INDEX_STEP !== 0) continue;
        const { files } = replay.image('kill', numbers)!;
        files.delete('manifest');
        files.delete('manifest-copy');
        const expected = possibleWorlds(life, index, true).map((world) => withoutNames(world.contents));
        const found = await salvage(files);
        expect(expected, `seed ${seed}, index ${index}, ${life.operationAt(index)}`).toContain(found);
        matrix.record({
          operation: 'salvage and repair',
          fault: 'both manifests missing after a kill at any write',
          backend: 'simulated',
          runtime: 'Node',
          tried: 1,
          survived: 1,
        });
        if (++tried % 20 === 0) await collectGarbage();
      }
    }
  });
});
