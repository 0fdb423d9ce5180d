/** Sets that nobody embeds, each hard in one way, at 768 dimensions. */
import type { Source } from './dataset.ts';
import { joinRows } from './files.ts';
import { gaussian, random } from './random.ts';
import { normalised } from './rows.ts';

const DIMENSIONS = 768;
const BASE_COUNT = 50_000;
const QUERY_COUNT = 1000;

/** A thousand tight clusters: all of a query's neighbours are in one, and its members are hard to tell apart. */
const CLUSTER_COUNT = 1000;
/** Of a component, beside a centre's components of 1: the cosine of two in a cluster is about 0.96. */
const CLUSTER_DEVIATION = 0.2;

export const clusters: Source = synthetic('1,000 tight clusters', 1, (chance, noise) => {
  const centres = Array.from({ length: CLUSTER_COUNT }, () => vectorOf(noise));
  return () => {
    const centre = centres[Math.floor(chance() * CLUSTER_COUNT)] ?? [];
    return Float32Array.from(centre, (component) => component + CLUSTER_DEVIATION * noise());
  };
});

/** Every vector is there about ten times: a graph of nearest neighbours falls apart into cliques of equal ones. */
const DISTINCT_COUNT = BASE_COUNT / 10;

export const duplicates: Source = synthetic('5,000 vectors, each about ten times', 2, (chance, noise) => {
  const distinct = Array.from({ length: DISTINCT_COUNT }, () => vectorOf(noise));
  return () => distinct[Math.floor(chance() * DISTINCT_COUNT)] ?? [];
});

/** Dimension i varies by 1/i: a few dimensions say nearly everything, and codes of one scale nothing of the rest. */
export const powerLaw: Source = synthetic('dimension i scaled by 1/i', 3, (_, noise) => {
  return () => vectorOf(noise).map((component, at) => component / (at + 1));
});

/** No structure at all: every two are nearly at right angles, so no vector is much nearer than another. */
export const orthogonal: Source = synthetic('directions at random', 4, (_, noise) => () => vectorOf(noise));

type MakeRow = () => ArrayLike<number>;

function synthetic(
  what: string,
  seed: number,
  prepare: (chance: () => number, noise: () => number) => MakeRow,
): Source {
  return {
    what,
    dimensions: DIMENSIONS,
    queryCount: QUERY_COUNT,
    make() {
      const makeRow = prepare(random(seed), gaussian(seed + 1000));
      const rows = Array.from({ length: QUERY_COUNT + BASE_COUNT }, () => normalised(makeRow()));
      return joinRows(rows.filter((row) => row !== undefined));
    },
  };
}

function vectorOf(noise: () => number): Float32Array {
  return Float32Array.from({ length: DIMENSIONS }, noise);
}
