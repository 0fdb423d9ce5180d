/**
 * Okapi BM25 as Robertson and Zaragoza give it (The Probabilistic Relevance Framework: BM25 and Beyond, 2009, 3.4), with
 * their usual constants. The weight of a term has 1 added under its logarithm, as in Lucene, so that it never is negative
 * (theirs is for terms in more than half of the records).
 */

/** How fast more occurrences of a term count less: from 0, at once, up. */
export const K1 = 1.2;
/** How much a long text is held against it: from 0, not at all, to 1, in proportion. */
export const B = 0.75;

/** Of the records that are there now and whose text has a term. */
export interface TextStatistics {
  count: number;
  /** Terms of all, repetitions included. */
  length: number;
}

/** The weight of a term that `frequency` of `count` records have. */
export function inverseFrequency(frequency: number, count: number): number {
  return Math.log(1 + (count - frequency + 0.5) / (frequency + 0.5));
}

/** What is added to a term's frequency in a text so long, over which it is divided. */
export function lengthNorm(length: number, { count, length: total }: TextStatistics): number {
  return K1 * (1 - B + (B * length * count) / total);
}

/** Of one term in one record. @param norm as `lengthNorm` gives it */
export function termScore(weight: number, frequency: number, norm: number): number {
  return (weight * frequency * (K1 + 1)) / (frequency + norm);
}
