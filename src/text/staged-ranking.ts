import type { RankedRows } from './best-rows.ts';

/** One ranking behind another: what is in one already is left out of the next. */
export class StagedRanking {
  readonly #rows: number[] = [];
  readonly #scores: number[] = [];
  readonly #known = new Set<number>();

  /** Best first. */
  get rows(): readonly number[] {
    return this.#rows;
  }

  has(row: number): boolean {
    return this.#known.has(row);
  }

  /** Scores of what is new are halved together until the best of them is no higher than the last before. */
  append({ rows, scores }: RankedRows): void {
    const last = this.#scores.at(-1);
    let factor: number | undefined;
    for (const [at, row] of rows.entries()) {
      if (this.#known.has(row)) continue;
      const score = scores[at]!;
      factor ??= factorFor(score, last);
      this.#known.add(row);
      this.#rows.push(row);
      this.#scores.push(score * factor);
    }
  }

  /** The best of those that are wanted. */
  best(topK: number, isWanted: (row: number) => boolean): RankedRows {
    const places = [...this.#rows.keys()].filter((at) => isWanted(this.#rows[at]!)).slice(0, topK);
    return {
      rows: Uint32Array.from(places, (at) => this.#rows[at]!),
      scores: Float64Array.from(places, (at) => this.#scores[at]!),
    };
  }
}

/** A power of two: small changes of either, as by an index that is being built, mostly do not change it. */
function factorFor(first: number, last: number | undefined): number {
  if (last === undefined || first <= last) return 1;
  const factor = 2 ** Math.floor(Math.log2(last / first));
  return first * factor <= last ? factor : factor / 2;
}
