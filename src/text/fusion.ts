/** One ranking from two. */
import type { RankedRows } from './best-rows.ts';

/** Rows, best first; those of the one that are not in the other have no place there. */
export interface Places {
  byVector: Uint32Array;
  byText: Uint32Array;
}

/**
 * Reciprocal rank fusion (Cormack, Clarke and Buettcher, Reciprocal Rank Fusion outperforms Condorcet and individual Rank
 * Learning Methods, 2009), with weights that make 2 together: with equal ones it is theirs.
 */
export function fuseByRank({ byVector, byText }: Places, k: number, vectorWeight: number): RankedRows {
  const scores = new Map<number, number>();
  const add = (rows: Uint32Array, weight: number) => {
    for (const [place, row] of rows.entries())
      scores.set(row, (scores.get(row) ?? 0) + (2 * weight) / (k + place + 1));
  };
  add(byVector, vectorWeight);
  add(byText, 1 - vectorWeight);
  return inOrder(scores);
}

/** Of the same rows. */
export interface Scores {
  rows: Uint32Array;
  byVector: ArrayLike<number>;
  byText: ArrayLike<number>;
}

/**
 * A convex combination of scores, each normalised: those by vector by the least and the most that they are, those by text
 * by the least that they can be, zero, and the most that they are (Bruch, Gai and Ingber, An Analysis of Fusion Functions
 * for Hybrid Retrieval, 2023).
 */
export function fuseByScore({ rows, byVector, byText }: Scores, vectorWeight: number): RankedRows {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  let mostText = 0;
  for (let at = 0; at < rows.length; at++) {
    least = Math.min(least, byVector[at]!);
    most = Math.max(most, byVector[at]!);
    mostText = Math.max(mostText, byText[at]!);
  }
  const scores = new Map<number, number>();
  for (const [at, row] of rows.entries()) {
    const vector = most > least ? (byVector[at]! - least) / (most - least) : 1;
    const text = mostText > 0 ? byText[at]! / mostText : 0;
    scores.set(row, vectorWeight * vector + (1 - vectorWeight) * text);
  }
  return inOrder(scores);
}

/** Best first, and of equals the lower row. */
function inOrder(scores: ReadonlyMap<number, number>): RankedRows {
  const rows = Uint32Array.from(scores.keys()).sort((a, b) => scores.get(b)! - scores.get(a)! || a - b);
  return { rows, scores: Float64Array.from(rows, (row) => scores.get(row)!) };
}
