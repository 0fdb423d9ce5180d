/**
 * The comparison on one size. Every engine waits idle in its own process while another is measured, and they take
 * turns in small portions of work, so that whatever else slows the machine for a while slows all of them alike.
 */
import type { Dataset, DatasetName } from './datasets/dataset.ts';
import { type Contestant, EF_SWEEP, type Footprint } from './engine.ts';
import { median, quantile } from './measure.ts';
import { recall } from './recall.ts';

/** Building takes turns after each such share of the vectors. */
const BUILD_PORTIONS = 10;
const REOPEN_ROUNDS = 5;

export interface EngineResult {
  name: string;
  data: DatasetName;
  dimensions: number;
  count: number;
  vectorsPerSecond: number;
  /** Of building in all, by reopening; absent where nothing is kept on disk. */
  openMs?: number;
  footprint: Footprint;
  points: SearchPoint[];
}

export interface SearchPoint {
  ef: number;
  recall: number;
  queriesPerSecond: number;
  /** Where the engine takes many queries in one call. */
  batchedQueriesPerSecond?: number;
  p50Ms: number;
  p99Ms: number;
}

export async function compare(
  contestants: readonly Contestant[],
  data: Dataset,
  thresholds: Float32Array,
  rounds: number,
): Promise<EngineResult[]> {
  const buildMs = await build(contestants, data);
  const points = await sweep(contestants, data, thresholds, rounds);
  const results: EngineResult[] = [];
  for (const contestant of contestants) {
    const footprint = await contestant.footprint();
    const openMs = await reopen(contestant);
    results.push({
      name: contestant.name,
      data: data.name,
      dimensions: data.dimensions,
      count: data.count,
      vectorsPerSecond: (data.count / (buildMs.get(contestant) ?? Number.NaN)) * 1000,
      footprint,
      points: points.get(contestant) ?? [],
      ...(openMs !== undefined && { openMs }),
    });
  }
  return results;
}

async function build(contestants: readonly Contestant[], data: Dataset): Promise<Map<Contestant, number>> {
  const { name, count } = data;
  const elapsedMs = new Map(contestants.map((contestant) => [contestant, 0]));
  for (const contestant of contestants) await contestant.start(name, count);
  for (let portion = 0; portion < BUILD_PORTIONS; portion++) {
    const from = Math.floor((count * portion) / BUILD_PORTIONS);
    const to = Math.floor((count * (portion + 1)) / BUILD_PORTIONS);
    for (const contestant of inTurn(contestants, portion)) {
      elapsedMs.set(contestant, (elapsedMs.get(contestant) ?? 0) + (await contestant.add(from, to)));
    }
    console.log(`  ${to} vectors in every index`);
  }
  return elapsedMs;
}

interface Timings {
  recall: number;
  passesMs: number[];
  batchedPassesMs: number[];
  latenciesMs: number[];
}

async function sweep(
  contestants: readonly Contestant[],
  data: Dataset,
  thresholds: Float32Array,
  rounds: number,
): Promise<Map<Contestant, SearchPoint[]>> {
  const points = new Map<Contestant, SearchPoint[]>(contestants.map((contestant) => [contestant, []]));
  for (const ef of EF_SWEEP) {
    const timings = new Map<Contestant, Timings>();
    for (const contestant of contestants)
      timings.set(contestant, await warmUp(contestant, ef, data, thresholds));
    for (let round = 0; round < rounds; round++) {
      for (const contestant of inTurn(contestants, round))
        await measure(contestant, ef, timings.get(contestant));
    }
    for (const [contestant, timing] of timings)
      points.get(contestant)?.push(toPoint(ef, timing, data.queryCount));
    console.log(`  ef ${ef} measured`);
  }
  return points;
}

/** The first pass is not timed, but judged. */
async function warmUp(
  contestant: Contestant,
  ef: number,
  data: Dataset,
  thresholds: Float32Array,
): Promise<Timings> {
  const { labels } = await contestant.search(ef);
  return { recall: recall(labels, data, thresholds), passesMs: [], batchedPassesMs: [], latenciesMs: [] };
}

async function measure(contestant: Contestant, ef: number, timings: Timings | undefined): Promise<void> {
  const pass = await contestant.search(ef);
  timings?.passesMs.push(pass.elapsedMs);
  for (const latencyMs of pass.latenciesMs) timings?.latenciesMs.push(latencyMs);
  const batchedMs = await contestant.searchMany(ef);
  if (batchedMs !== undefined) timings?.batchedPassesMs.push(batchedMs);
}

function toPoint(ef: number, timings: Timings, queryCount: number): SearchPoint {
  const perSecond = (passesMs: readonly number[]) => (queryCount / median(passesMs)) * 1000;
  return {
    ef,
    recall: timings.recall,
    queriesPerSecond: perSecond(timings.passesMs),
    ...(timings.batchedPassesMs.length > 0 && {
      batchedQueriesPerSecond: perSecond(timings.batchedPassesMs),
    }),
    p50Ms: quantile(timings.latenciesMs, 0.5),
    p99Ms: quantile(timings.latenciesMs, 0.99),
  };
}

async function reopen(contestant: Contestant): Promise<number | undefined> {
  const openMs: number[] = [];
  for (let round = 0; round < REOPEN_ROUNDS; round++) {
    const elapsedMs = await contestant.reopen();
    if (elapsedMs !== undefined) openMs.push(elapsedMs);
  }
  return openMs.length > 0 ? median(openMs) : undefined;
}

/** The same ones, another first each time. */
function inTurn<T>(items: readonly T[], round: number): T[] {
  const first = round % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
