/** Which rows answer a query best, by BM25. */

import { bestRows, type RankedRows } from './best-rows.ts';
import { inverseFrequency, lengthNorm, type TextStatistics, termScore } from './bm25.ts';
import type { Expansion } from './expand.ts';
import { Postings } from './postings.ts';

export interface Ranked {
  /** For each word, the terms that it stands for. */
  words: readonly (readonly Expansion[])[];
  /** Must a row have all words? */
  isAll: boolean;
  statistics: TextStatistics;
  /** Of the text of each row, in terms. */
  lengths: Uint32Array;
  /** Adds the postings of all rows, ascending. */
  read: (term: string, into: Postings) => void;
  /** Left out where every row is. */
  isLive?: (row: number) => boolean;
  /** Left out where every row is. */
  isWanted?: (row: number) => boolean;
}

/** Room for scores, kept from query to query: what is not in use is all zeros. */
export class Ranker {
  readonly #postings = new Postings();
  #scores = new Float64Array();
  /** Of one word with several terms. */
  #best = new Float64Array();
  #wordCounts = new Uint16Array();
  #touched = new Uint32Array();

  get memoryBytes(): number {
    return (
      this.#scores.byteLength + this.#best.byteLength + this.#wordCounts.byteLength + this.#touched.byteLength
    );
  }

  /**
   * The score of a row is the sum over the words; a word counts with the best of its terms, by the term's own BM25 score
   * times its weight.
   * @returns at most `topK`, best first, and of equals the lower row
   */
  rank(ranked: Ranked, topK: number): RankedRows {
    const { words, isAll, lengths } = ranked;
    this.#reserve(lengths.length, isAll);
    let count = 0;
    for (const [index, expansions] of words.entries())
      count = this.#addWord(ranked, expansions, index, count);
    const touched = this.#touched.subarray(0, count);
    const found = isAll ? touched.filter((row) => this.#wordCounts[row] === words.length) : touched;
    const best = bestRows(found, this.#scores, topK);
    for (const row of touched) {
      this.#scores[row] = 0;
      if (isAll) this.#wordCounts[row] = 0;
    }
    return best;
  }

  /** The scores of these rows; zero where none of the words is in them. */
  scoresOf(ranked: Ranked, rows: Uint32Array): Float64Array {
    const wanted = new Map<number, number>();
    for (const [at, row] of rows.entries()) wanted.set(row, at);
    const scores = new Float64Array(rows.length);
    const isWanted = (row: number) => wanted.has(row);
    const { rows: found, scores: values } = this.rank({ ...ranked, isWanted }, rows.length);
    for (const [at, row] of found.entries()) scores[wanted.get(row)!] = values[at]!;
    return scores;
  }

  /** @returns how many rows are touched by now */
  #addWord(ranked: Ranked, expansions: readonly Expansion[], word: number, before: number): number {
    const scores = this.#scores;
    // With one term the word's score is the term's, and goes where the sum is.
    const into = expansions.length === 1 && !ranked.isAll ? scores : this.#bestOf(ranked.lengths.length);
    let count = before;
    const seen: number[] = [];
    for (const { term, weight } of expansions)
      this.#eachScore(ranked, term, weight, (row, score) => {
        if (into === scores) {
          if (scores[row] === 0) this.#touched[count++] = row;
          scores[row]! += score;
          return;
        }
        if (into[row] === 0) seen.push(row);
        if (score > into[row]!) into[row] = score;
      });
    for (const row of seen) {
      if (scores[row] === 0) this.#touched[count++] = row;
      scores[row]! += into[row]!;
      into[row] = 0;
      if (ranked.isAll && this.#wordCounts[row] === word) this.#wordCounts[row] = word + 1;
    }
    return count;
  }

  #eachScore(
    { statistics, lengths, read, isLive, isWanted }: Ranked,
    term: string,
    weight: number,
    visit: (row: number, score: number) => void,
  ): void {
    const postings = this.#postings;
    postings.clear();
    read(term, postings);
    const { rows, frequencies } = postings;
    let count = postings.count;
    if (isLive) {
      let live = 0;
      for (let at = 0; at < count; at++) {
        if (!isLive(rows[at]!)) continue;
        rows[live] = rows[at]!;
        frequencies[live++] = frequencies[at]!;
      }
      count = live;
    }
    const termWeight = weight * inverseFrequency(count, statistics.count);
    for (let at = 0; at < count; at++) {
      const row = rows[at]!;
      if (isWanted && !isWanted(row)) continue;
      visit(row, termScore(termWeight, frequencies[at]!, lengthNorm(lengths[row]!, statistics)));
    }
  }

  #bestOf(rowCount: number): Float64Array {
    if (this.#best.length < rowCount) this.#best = new Float64Array(this.#scores.length);
    return this.#best;
  }

  #reserve(rowCount: number, isAll: boolean): void {
    if (this.#scores.length < rowCount) {
      this.#scores = new Float64Array(rowCount);
      this.#touched = new Uint32Array(rowCount);
    }
    if (isAll && this.#wordCounts.length < rowCount) this.#wordCounts = new Uint16Array(this.#scores.length);
  }
}
