import type { Neighbours } from './vector-index.ts';

/** The nearest of all rows that are offered, in order: equal distances by row number, as the kernel has them. */
export class NearestRows {
  readonly #rows: Uint32Array;
  readonly #distances: Float32Array;
  #count = 0;

  constructor(topK: number) {
    this.#rows = new Uint32Array(topK);
    this.#distances = new Float32Array(topK);
  }

  offer(row: number, distance: number): void {
    const rounded = Math.fround(distance);
    const isFull = this.#count === this.#rows.length;
    if (isFull && !this.#isBefore(row, rounded, this.#count - 1)) return;
    const place = this.#placeOf(row, rounded);
    const end = isFull ? this.#count - 1 : this.#count++;
    this.#rows.copyWithin(place + 1, place, end);
    this.#distances.copyWithin(place + 1, place, end);
    this.#rows[place] = row;
    this.#distances[place] = rounded;
  }

  neighbours(): Neighbours {
    return { rows: this.#rows.slice(0, this.#count), distances: this.#distances.slice(0, this.#count) };
  }

  #placeOf(row: number, distance: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#isBefore(row, distance, middle)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #isBefore(row: number, distance: number, place: number): boolean {
    const other = this.#distances[place]!;
    return distance < other || (distance === other && row < this.#rows[place]!);
  }
}
