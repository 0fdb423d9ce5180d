import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crc32c } from '../../src/base/crc32c.ts';
import { IsovecError } from '../../src/base/errors.ts';
import { FRAME_HEADER_BYTES } from '../../src/journal/frame.ts';
import { SEGMENT_HEADER_BYTES } from '../../src/journal/segment.ts';
import { WATERMARK_NAME } from '../../src/journal/watermark.ts';
import type { LocalDatabase } from '../../src/store/database.ts';
import { openLocal } from '../../src/store/open.ts';
import { Matrix } from '../matrix.ts';
import { vectorOf } from '../store/fixture.ts';
import { collectGarbage } from './garbage.ts';
import { type DiskImage, SimulatedBackend, SimulatedDisk } from './simulated-disk.ts';
import { SimulatedPlatform } from './simulated-platform.ts';
import { checkAnswers, digestOfDatabase, World, type WorldRecord } from './world.ts';

const DIMENSIONS = 2;
const CONFIG = {
  dimensions: DIMENSIONS,
  metric: 'euclidean',
  quantization: 'int8',
  fields: { generation: 'number', changed: 'keyword' },
} as const;

/** After each write of the small life below. */
const worlds: World[] = [];
let whole: DiskImage;

async function open(image: DiskImage) {
  const disk = new SimulatedDisk(image, image.has(WATERMARK_NAME));
  const platform = new SimulatedPlatform(new SimulatedBackend(disk, () => 0));
  return { database: await openLocal(platform, 'damaged', {}), platform };
}

/** A database with every kind of file, dead rows and a tail of the log. Where several may write, with a watermark, too. */
async function makeWhole(sharedWrites: boolean): Promise<DiskImage> {
  worlds.length = 0;
  const disk = new SimulatedDisk(new Map(), sharedWrites);
  const platform = new SimulatedPlatform(new SimulatedBackend(disk, () => 0));
  const database = await openLocal(platform, 'whole', {});
  const collection = await database.collection('c', CONFIG);
  let world = new World().with('c', { config: CONFIG, records: new Map() });
  const upsert = async (numbers: number[], generation: number) => {
    const batch = numbers.map((number) => ({
      id: `id${number}`,
      vector: vectorOf(number + generation * 50 + 1, DIMENSIONS),
      metadata: { generation },
    }));
    await collection.upsert(batch);
    world = world.change('c', (records) => {
      for (const { id, vector, metadata } of batch)
        records.set(id, { vector: Float32Array.from(vector), metadata } satisfies WorldRecord);
    });
    worlds.push(world);
  };
  await upsert([1, 2, 3, 4, 5], 0);
  platform.runTurns();
  await database.checkpoint();
  await upsert([2, 6], 1);
  await database.checkpoint();
  await upsert([3], 2);
  await upsert([7, 1], 3);
  return new Map([...disk.files].map(([name, content]) => [name, content.copy(0, content.length)]));
}

type Verdict = 'refused' | 'harmless' | 'warned of' | 'an earlier state, unseen';

/** Opens, and holds the answers against the model. @throws where an answer is wrong, or an error is not ours */
async function judge(image: DiskImage): Promise<Verdict> {
  const warnings: string[] = [];
  let database: LocalDatabase | undefined;
  try {
    const opened = await open(image);
    const { platform } = opened;
    database = opened.database;
    database.on('warning', ({ message }) => warnings.push(message));
    const digest = await digestOfDatabase(database);
    const world = worlds.findLast((each) => each.digest === digest);
    if (!world) throw new Error(`an answer is wrong: ${digest}`);
    platform.runTurns();
    await checkAnswers(database, world, (dimensions) => vectorOf(3, dimensions));
    if (world !== worlds.at(-1) && warnings.length === 0) return 'an earlier state, unseen';
  } catch (error) {
    if (!(error instanceof IsovecError) || !REFUSALS.has(error.code)) throw error;
    return 'refused';
  } finally {
    await letGo(database);
  }
  return warnings.length > 0 ? 'warned of' : 'harmless';
}

const REFUSALS: ReadonlySet<string> = new Set(['CORRUPTION', 'FORMAT_VERSION', 'NOT_FOUND']);

const withFile = (name: string, content: Uint8Array): DiskImage => new Map(whole).set(name, content);

function without(name: string): DiskImage {
  const image = new Map(whole);
  image.delete(name);
  return image;
}

function changed(content: Uint8Array, at: number, byte: number): Uint8Array<ArrayBuffer> {
  const copy = content.slice();
  copy[at] = byte;
  return copy;
}

/** What a file holds, as a reader of the matrix would say it. */
function kindOf(name: string): string {
  return name.startsWith('data-') ? name.split('-')[2]! : name.startsWith('log-') ? 'log' : name;
}

describe('damage', () => {
  const matrix = new Matrix('damage');
  const tell = (name: string, fault: string, survived = 1) =>
    matrix.record({
      operation: `open, damaged ${kindOf(name)}`,
      fault,
      backend: 'memory',
      runtime: 'Node',
      tried: 1,
      survived,
    });
  const attempt = async (where: string, image: DiskImage): Promise<Verdict> => {
    try {
      return await judge(image);
    } catch (error) {
      throw new Error(`${where}: ${error}`, { cause: error });
    }
  };

  beforeAll(async () => {
    whole = await makeWhole(false);
  });
  afterAll(() => matrix.write());

  it('is done to a database with every kind of file', async () => {
    expect([...new Set([...whole.keys()].map(kindOf))].sort()).toEqual([
      'codes',
      'graph',
      'log',
      'manifest',
      'manifest-copy',
      'payload',
      'records',
      'rows',
      'vectors',
    ]);
    expect(await judge(whole)).toBe('harmless');
  });

  it('to any one byte is refused, warned of or harmless, and no answer is wrong', async () => {
    for (const [name, content] of whole)
      for (let at = 0; at < content.length; at++) {
        const flipped = changed(content, at, content[at]! ^ (1 << (at % 8)));
        const verdict = await attempt(`${name} flipped at ${at}`, withFile(name, flipped));
        expect(verdict, `${name} flipped at ${at}`).not.toBe('an earlier state, unseen');
        tell(name, `one byte changed: ${verdict}`);
      }
  });

  it('that cuts a file at any length is refused, warned of or harmless, but for whole entries at the end of the log', async () => {
    for (const [name, content] of whole)
      for (let size = 0; size < content.length; size++) {
        const verdict = await attempt(`${name} cut at ${size}`, withFile(name, content.slice(0, size)));
        // A log that ends with a whole entry looks as it did before the next one was written.
        const isUnseen = verdict === 'an earlier state, unseen';
        expect(isUnseen, `${name} cut at ${size}`).toBe(frameStarts(name, content).includes(size));
        tell(name, `cut at any length: ${verdict}`, isUnseen ? 0 : 1);
      }
  });

  it('that removes a file or puts another in its place is never overlooked', async () => {
    for (const [name, content] of whole) {
      const gone = await attempt(`${name} missing`, without(name));
      tell(name, `missing: ${gone}`);
      // The copy is only a second one, and made again.
      const isSeen: Verdict[] = name === 'manifest-copy' ? ['harmless'] : ['refused', 'warned of'];
      expect(isSeen, `${name} missing`).toContain(gone);
      for (const [other, otherContent] of whole) {
        if (other === name) continue;
        const swapped = withFile(name, otherContent).set(other, content);
        const verdict = await attempt(`${name} swapped with ${other}`, swapped);
        tell(name, `swapped with another: ${verdict}`);
        const areCopies = name.startsWith('manifest') && other.startsWith('manifest');
        if (!areCopies) expect(['refused', 'warned of'], `${name} and ${other}`).toContain(verdict);
      }
    }
  });

  it('with a checksum that fits never reads out of bounds, traps the kernel or hangs', async () => {
    const log = [...whole.keys()].find((name) => name.startsWith('log-'))!;
    const content = whole.get(log)!;
    const starts = frameStarts(log, content);
    for (const [index, start] of starts.entries()) {
      const end = starts[index + 1] ?? content.length;
      for (let at = start + FRAME_HEADER_BYTES; at < end; at++)
        for (const byte of [0, 0x7f, 0xff]) {
          const hostile = changed(content, at, byte);
          const checksum = crc32c(hostile.subarray(start + 4, end));
          new DataView(hostile.buffer).setUint32(start, checksum, true);
          await openHostile(withFile(log, hostile), `${log} with ${byte} at ${at}`);
          tell(log, 'hostile bytes, checksum fitting');
        }
    }
  });
});

describe('damage to a log of which a watermark tells', () => {
  let image: DiskImage;
  let log: string;

  beforeAll(async () => {
    image = await makeWhole(true);
    log = [...image.keys()].find((name) => name.startsWith('log-'))!;
  });

  it('is refused wherever it is, for every entry had been flushed', async () => {
    const content = image.get(log)!;
    for (let at = 0; at < content.length; at++) {
      const flipped = changed(content, at, content[at]! ^ (1 << (at % 8)));
      expect(await judge(new Map(image).set(log, flipped)), `flipped at ${at}`).toBe('refused');
      expect(await judge(new Map(image).set(log, content.slice(0, at))), `cut at ${at}`).toBe('refused');
    }
    expect(await judge(image)).toBe('harmless');
  });

  it('is what it was without one, where the watermark itself is damaged or gone', async () => {
    const content = image.get(log)!;
    const watermark = image.get(WATERMARK_NAME)!;
    const torn = new Map(image).set(log, content.slice(0, -1));
    for (let at = 0; at < watermark.length; at++) {
      const flipped = changed(watermark, at, watermark[at]! ^ (1 << (at % 8)));
      expect(await judge(new Map(image).set(WATERMARK_NAME, flipped))).toBe('harmless');
      expect(await judge(torn.set(WATERMARK_NAME, flipped))).toBe('warned of');
    }
    torn.delete(WATERMARK_NAME);
    expect(await judge(torn)).toBe('warned of');
  });

  it('is salvaged, but for what it has cost', async () => {
    const content = image.get(log)!;
    const disk = new SimulatedDisk(new Map(image).set(log, content.slice(0, -1)), true);
    const openDisk = (recovery: 'strict' | 'salvage') => {
      const platform = new SimulatedPlatform(new SimulatedBackend(disk, () => 0), { runsByItself: true });
      return openLocal(platform, 'damaged', { recovery });
    };
    const database = await openDisk('salvage');
    const { repaired } = await database.repair();
    expect(repaired[0]).toMatchObject({ file: log, kind: 'checksum', ids: ['id1'] });
    const collection = await database.collection('c');
    await collection.upsert({ id: 'after', vector: vectorOf(1, DIMENSIONS) });
    await database.close();
    const again = await openDisk('strict');
    expect(await (await again.collection('c')).get(['id3', 'after'])).toMatchObject([
      { metadata: { generation: 2 } },
      { id: 'after' },
    ]);
  });
});

/** Where each entry of a log begins. */
function frameStarts(name: string, content: Uint8Array): number[] {
  if (!name.startsWith('log-')) return [];
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const starts: number[] = [];
  for (let start = SEGMENT_HEADER_BYTES; start < content.length; ) {
    starts.push(start);
    start += FRAME_HEADER_BYTES + view.getUint32(start + 4, true);
  }
  return starts;
}

/** What it says may be anything, for it was written so; but it must come to an end within its bounds. */
async function openHostile(image: DiskImage, where: string): Promise<void> {
  let database: LocalDatabase | undefined;
  try {
    const opened = await open(image);
    database = opened.database;
    await digestOfDatabase(database);
    opened.platform.runTurns();
    for (const { name, config } of await database.collections())
      await (await database.collection(name)).query({ vector: vectorOf(1, config.dimensions), topK: 5 });
  } catch (error) {
    const isOutOfBounds =
      !(error instanceof Error) || error instanceof RangeError || error.message.includes('trapped');
    if (isOutOfBounds) throw new Error(`${where}: ${error}`, { cause: error });
  } finally {
    await letGo(database);
  }
}

/** Two kernels each. */
const OPENINGS_PER_COLLECTION = 200;
let openings = 0;

async function letGo(database: LocalDatabase | undefined): Promise<void> {
  await database?.close({ leaveLog: true });
  if (++openings % OPENINGS_PER_COLLECTION === 0) await collectGarbage();
}
