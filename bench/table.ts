/** Results as Markdown. */
import type { EngineResult, SearchPoint } from './compare.ts';
import { EF_CONSTRUCTION, M, TOP_K } from './engine.ts';
import { type RecallAndSpeed, speedAtRecall } from './measure.ts';

const EQUAL_RECALLS: readonly number[] = [0.9, 0.95, 0.99];
const ABSENT = '-';

export function resultsAsMarkdown(results: readonly EngineResult[]): string {
  const { data = '', count = 0, dimensions = 0 } = results[0] ?? {};
  return [
    `### ${data}: ${count.toLocaleString('en')} vectors of ${dimensions} dimensions (m ${M}, efConstruction ${EF_CONSTRUCTION})`,
    indexTable(results),
    `Searching for the ${TOP_K} nearest, one query after another:`,
    searchTable(results),
    ...ratioSections(results),
  ].join('\n\n');
}

function indexTable(results: readonly EngineResult[]): string {
  return table(
    ['engine', 'build, vectors/s', 'memory, bytes/vector', 'disk, bytes/vector', 'open, ms', 'build / open'],
    results.map((result) => [
      result.name,
      whole(result.vectorsPerSecond),
      perVector(result.footprint.memory, result.count),
      perVector(result.footprint.disk, result.count),
      result.openMs === undefined ? ABSENT : result.openMs.toFixed(1),
      result.openMs === undefined ? ABSENT : times(buildMs(result) / result.openMs),
    ]),
  );
}

function searchTable(results: readonly EngineResult[]): string {
  const efs = results[0]?.points.map((point) => point.ef) ?? [];
  return table(
    ['ef', 'engine', `recall@${TOP_K}`, 'queries/s', 'in batches, queries/s', 'p50, ms', 'p99, ms'],
    efs.flatMap((ef) =>
      results.map((result) => {
        const point = pointAt(result, ef);
        return [
          String(ef),
          result.name,
          point?.recall.toFixed(4) ?? ABSENT,
          whole(point?.queriesPerSecond),
          whole(point?.batchedQueriesPerSecond),
          point?.p50Ms.toFixed(3) ?? ABSENT,
          point?.p99Ms.toFixed(3) ?? ABSENT,
        ];
      }),
    ),
  );
}

/** How many times as fast each way of running isovec is as each peer. */
function ratioSections(results: readonly EngineResult[]): string[] {
  const ours = results.filter((result) => isOurs(result));
  const peers = results.filter((result) => !isOurs(result));
  if (ours.length === 0 || peers.length === 0) return [];
  const rows = ours.flatMap((our) =>
    peers.map((peer) => [
      our.name,
      peer.name,
      times(our.vectorsPerSecond / peer.vectorsPerSecond),
      ...EQUAL_RECALLS.map((recall) => times(speedRatio(our.points, peer.points, recall))),
      recallDifference(our, peer),
    ]),
  );
  const speeds = EQUAL_RECALLS.map((recall) => `queries/s at recall ${recall.toFixed(2)}`);
  return [
    'As ratios, isovec to peer (above 1: isovec is faster), at equal recall by interpolation:',
    table(['isovec', 'peer', 'build', ...speeds, 'recall at equal ef, least lead'], rows),
  ];
}

function isOurs(result: EngineResult): boolean {
  return result.name.startsWith('isovec');
}

function speedRatio(
  ours: readonly RecallAndSpeed[],
  theirs: readonly RecallAndSpeed[],
  recall: number,
): number | undefined {
  const our = speedAtRecall(ours, recall);
  const their = speedAtRecall(theirs, recall);
  return our === undefined || their === undefined ? undefined : our / their;
}

/** The smallest of our recall less the peer's, over the sweep. */
function recallDifference(ours: EngineResult, peer: EngineResult): string {
  const leads = ours.points.map((point) => point.recall - (pointAt(peer, point.ef)?.recall ?? Number.NaN));
  const least = Math.min(...leads);
  return `${least < 0 ? '' : '+'}${least.toFixed(4)}`;
}

function pointAt(result: EngineResult, ef: number): SearchPoint | undefined {
  return result.points.find((point) => point.ef === ef);
}

function buildMs(result: EngineResult): number {
  return (result.count / result.vectorsPerSecond) * 1000;
}

function perVector(bytes: number | undefined, count: number): string {
  return whole(bytes === undefined ? undefined : bytes / count);
}

function whole(value: number | undefined): string {
  return value === undefined ? ABSENT : Math.round(value).toLocaleString('en');
}

function times(value: number | undefined): string {
  return value === undefined ? ABSENT : `${value < 10 ? value.toFixed(2) : value.toFixed(0)}x`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
