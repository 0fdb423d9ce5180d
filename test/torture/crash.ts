/**
 * Crashes a life at every index of its disk's record, in every way, and looks at what opens afterwards: what was
 * promised must be there, of the rest a prefix in whole batches, and every answer must be that of a plain model.
 */

import { openLocal } from '../../src/store/open.ts';
import type { Matrix } from '../matrix.ts';
import { random } from '../search/random.ts';
import { vectorOf } from '../store/fixture.ts';
import { CrashReplay, IMAGE_KINDS, type ImageKind } from './crash-images.ts';
import { collectGarbage } from './garbage.ts';
import { type Life, live, possibleWorlds } from './life.ts';
import { SimulatedBackend, SimulatedDisk } from './simulated-disk.ts';
import { SimulatedPlatform } from './simulated-platform.ts';
import { checkAnswers, digestOfDatabase, type World } from './world.ts';

const STEPS_OF_LIFE = 24;
/** Of so many images one is written to, closed and opened again. */
const LIVES_ON_EVERY = 8;
/** A hundred or two openings. It takes 10 ms. */
const INDEXES_PER_COLLECTION = 20;
/** And recovery of one is crashed itself, at every index of it. */
const CRASHES_AGAIN_EVERY = 8;

/** Enough to make exactly this image again. */
export interface CrashPoint {
  seed: number;
  index: number;
  kind: ImageKind;
}

export interface CrashOutcome extends CrashPoint {
  durability: Life['durability'];
  operation: string;
  /** In the recovery from the first crash. */
  second?: ImageKind;
  error?: unknown;
}

/** As `--replay` takes it. */
function nameOf({ seed, index, kind }: CrashPoint): string {
  return `${seed}:${index}:${kind}`;
}

/** @throws Error for what no failure has printed */
export function parsePoint(text: string): CrashPoint {
  const [seed, index, name] = text.split(':');
  const kind = IMAGE_KINDS.find((each) => each === name);
  if (!kind) throw new Error(`"${text}" is no crash point: <seed>:<index>:<kind>`);
  return { seed: Number(seed), index: Number(index), kind };
}

export function describeOutcome(outcome: CrashOutcome): string {
  const { operation, durability, second, error } = outcome;
  const where = second ? 'a second crash, in the recovery from one' : 'a crash';
  return `${where} during ${operation} (${durability}): npm run torture -- --replay '${nameOf(outcome)}': ${error}`;
}

export function recordOutcome(matrix: Matrix, outcome: CrashOutcome): void {
  const { operation, kind, durability, second, error } = outcome;
  matrix.record({
    operation: second ? 'recovery' : (MAINTENANCE[operation] ?? `writes, ${durability}`),
    fault: FAULTS[second ?? kind],
    backend: 'simulated',
    runtime: 'Node',
    tried: 1,
    survived: error === undefined ? 1 : 0,
  });
}

/** What else than writing may have begun last. */
const MAINTENANCE: Record<string, string> = {
  open: 'open',
  close: 'close',
  checkpoint: 'checkpoint',
  compact: 'compaction',
};

const FAULTS: Record<ImageKind, string> = {
  kill: 'process killed',
  'unflushed lost': 'power loss: nothing unflushed kept',
  'torn at 1 B': 'power loss: last write torn at any byte',
  'torn at 512 B': 'power loss: last write torn at 512 B',
  'torn at 4 KB': 'power loss: last write torn at 4 KB',
  'reordered in 512 B': 'power loss: any sectors of 512 B kept',
  'reordered in 4 KB': 'power loss: any pages of 4 KB kept',
  'zero-extended': 'power loss: sizes kept, content zero',
  'names lost': 'power loss: new files gone, removed ones back',
  mixed: 'power loss: all of these at random',
};

/**
 * @param wanted only this image; all of them when left out
 * @param tell is told of every image that was tried, and returns whether to go on
 */
export async function crashLife(
  seed: number,
  tell: (outcome: CrashOutcome) => boolean,
  wanted?: Omit<CrashPoint, 'seed'>,
): Promise<void> {
  const life = await live(seed, STEPS_OF_LIFE);
  const replay = new CrashReplay(life.disk);
  while (!replay.isAtEnd) {
    replay.advance();
    const { index } = replay;
    if (index % INDEXES_PER_COLLECTION === 0) await collectGarbage();
    if (wanted && index !== wanted.index) continue;
    for (const [number, kind] of IMAGE_KINDS.entries()) {
      if (wanted && kind !== wanted.kind) continue;
      // Each image has numbers of its own, so that it can be made without those before it.
      const numbers = random(seed * 1_000_003 + index * 31 + number);
      const image = replay.image(kind, numbers);
      if (!image) continue;
      const worlds = possibleWorlds(life, index, kind === 'kill');
      const { durability } = life;
      const outcome = { seed, index, kind, durability, operation: life.operationAt(index) };
      const told = (second?: ImageKind, error?: unknown) =>
        tell({ ...outcome, ...(second && { second }), ...(error !== undefined && { error }) });
      const disk = new SimulatedDisk(image.files, life.disk.sharedWrites);
      if (!(await crashOnce(disk, worlds, numbers, told))) return;
    }
  }
}

async function crashOnce(
  disk: SimulatedDisk,
  worlds: World[],
  numbers: () => number,
  told: (second?: ImageKind, error?: unknown) => boolean,
): Promise<boolean> {
  let found: World;
  try {
    found = await recover(disk, worlds, numbers);
  } catch (error) {
    return told(undefined, error);
  }
  if (!told()) return false;
  if (numbers() * CRASHES_AGAIN_EVERY >= 1) return true;
  // Nobody has written since: whatever a second crash leaves, it must be what the first recovery found.
  const replay = new CrashReplay(disk);
  while (!replay.isAtEnd) {
    replay.advance();
    for (const kind of IMAGE_KINDS) {
      const image = replay.image(kind, numbers);
      if (!image) continue;
      try {
        await recover(new SimulatedDisk(image.files, disk.sharedWrites), [found], numbers);
      } catch (error) {
        return told(kind, error);
      }
      if (!told(kind)) return false;
    }
  }
  return true;
}

/** Opens and asks. @returns which of the worlds it is @throws if it is none, or an answer is wrong */
async function recover(disk: SimulatedDisk, worlds: World[], numbers: () => number): Promise<World> {
  const query = (dimensions: number) => vectorOf(Math.floor(numbers() * 1000) + 1, dimensions);
  const opened = await open(disk);
  const digest = await digestOfDatabase(opened.database);
  const world = worlds.findLast((each) => each.digest === digest);
  if (!world) throw new Error(`found ${digest}; expected one of ${worlds.map((each) => each.digest).join()}`);
  if (numbers() < 0.5) opened.platform.runTurns();
  await checkAnswers(opened.database, world, query);
  if (numbers() * LIVES_ON_EVERY < 1) await liveOn(disk, opened, world, query);
  return world;
}

/** What has been recovered can be written to, and opened again, on a copy. */
async function liveOn(
  disk: SimulatedDisk,
  { backend }: Opened,
  world: World,
  query: (dimensions: number) => number[],
): Promise<void> {
  backend.kill();
  const files = new Map([...disk.files].map(([name, content]) => [name, content.copy(0, content.length)]));
  const copy = new SimulatedDisk(files, disk.sharedWrites);
  const { database: again } = await open(copy);
  const [first] = world.collections;
  let expected = world;
  if (first) {
    const [name, { config }] = first;
    const record = { vector: Float32Array.from(query(config.dimensions)), metadata: { after: 'the crash' } };
    await (await again.collection(name)).upsert({ id: 'after', ...record });
    expected = world.change(name, (records) => records.set('after', record));
  }
  await again.close();
  const { database: last } = await open(copy);
  const digest = await digestOfDatabase(last);
  if (digest !== expected.digest)
    throw new Error(`written to after recovery it holds ${digest}, not ${expected.digest}`);
  await checkAnswers(last, expected, query);
}

interface Opened {
  database: Awaited<ReturnType<typeof openLocal>>;
  backend: SimulatedBackend;
  platform: SimulatedPlatform;
}

async function open(disk: SimulatedDisk): Promise<Opened> {
  const backend = new SimulatedBackend(disk, () => 0);
  const platform = new SimulatedPlatform(backend);
  return { database: await openLocal(platform, 'crashed', {}), backend, platform };
}
