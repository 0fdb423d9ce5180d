import { checkedCount } from './check.ts';
import type { ResolvedSplitOptions } from './split-options.ts';

/** What is looked for is found to within this share of it: each closer step is one more count of tokens. */
const PRECISION = 1 / 64;
const GROWTH = 1.5;
/** Of English text; every search teaches it better. */
const CHARACTERS_PER_TOKEN = 4;

/** How long stretches of a text are, in characters or in tokens. */
export class TextMeasure {
  readonly #text: string;
  readonly #size: number;
  readonly #countTokens: ((text: string) => number) | undefined;
  #charactersPerToken = CHARACTERS_PER_TOKEN;

  constructor(text: string, { size, unit, countTokens }: ResolvedSplitOptions) {
    this.#text = text;
    this.#size = size;
    this.#countTokens = unit === 'tokens' ? checkedCount(countTokens) : undefined;
  }

  fits(start: number, end: number): boolean {
    return this.#isWithin(this.#size, start, end);
  }

  /** An offset up to which it fits, from `start` on; hardly more does. */
  farthest(start: number): number {
    const rest = this.#text.length - start;
    return (
      start + this.#longest(this.#size, rest, (length) => this.#isWithin(this.#size, start, start + length))
    );
  }

  /** An offset from which on no more than `amount` goes to `end`; hardly more does. */
  earliest(amount: number, end: number): number {
    return end - this.#longest(amount, end, (length) => this.#isWithin(amount, end - length, end));
  }

  #isWithin(amount: number, start: number, end: number): boolean {
    if (!this.#countTokens) return end - start <= amount;
    return this.#countTokens(this.#text.slice(start, end)) <= amount;
  }

  /** By steps that grow, and then by halves. */
  #longest(amount: number, max: number, isWithin: (length: number) => boolean): number {
    if (!this.#countTokens) return Math.min(amount, max);
    let low = 0;
    let probe = Math.min(max, Math.ceil(amount * this.#charactersPerToken));
    while (probe > low && isWithin(probe)) {
      low = probe;
      probe = Math.min(max, Math.ceil(probe * GROWTH));
    }
    for (let high = probe; high - low > Math.max(1, low * PRECISION); ) {
      const middle = Math.floor((low + high) / 2);
      if (isWithin(middle)) low = middle;
      else high = middle;
    }
    if (low > 0 && low < max) this.#charactersPerToken = low / amount;
    return low;
  }
}
