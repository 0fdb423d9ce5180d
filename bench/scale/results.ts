/** The measured points: kept in docs/scale, so that a run adds to those before it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EF_CONSTRUCTION } from '../engine.ts';
import { rootFolder } from '../folders.ts';
import type { Build, Held, Queries, Task } from './workload.ts';

/** The figure is their median. */
export const REOPENINGS = 3;

export interface Point extends Task, Build, Queries, Held {
  runtime: 'Node' | 'Chromium';
  reopenMs: number;
  /** Of the whole process with the database open, after its queries; where it can be told. */
  residentBytes?: number;
  /** The most that the process which built it ever had. */
  peakBytes?: number;
}

export const resultsFolder: string = join(rootFolder, 'docs', 'scale');
const FILE = join(resultsFolder, 'results.json');

/** By runtime and kind, then by size. */
export function loadPoints(): Point[] {
  return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Point[]) : [];
}

/** Takes the place of the same point, if it was measured before. */
export function addPoint(point: Point): Point[] {
  const others = loadPoints().filter((other) => keyOf(other) !== keyOf(point));
  const points = [...others, point].sort(
    (a, b) => seriesOf(a).localeCompare(seriesOf(b)) || a.count - b.count,
  );
  mkdirSync(resultsFolder, { recursive: true });
  writeFileSync(FILE, `${JSON.stringify(points, undefined, 2)}\n`);
  return points;
}

/** What a line in a plot is called. */
export function seriesOf({ runtime, dimensions, quantization, efConstruction }: Point): string {
  const kind = quantization === 'none' ? 'float32' : quantization;
  const effort = efConstruction === EF_CONSTRUCTION ? '' : `, efConstruction ${efConstruction}`;
  return `${runtime}, ${dimensions}-d ${kind}${effort}`;
}

function keyOf(point: Point): string {
  return `${seriesOf(point)} ${point.count}`;
}
