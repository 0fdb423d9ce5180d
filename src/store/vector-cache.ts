/** Rows per page: allocated when the first of them is kept, so a small collection takes little. */
const PAGE_ROWS = 256;

interface Page {
  /** By place: the row that is there, plus one; 0 for none. */
  tags: Uint32Array;
  vectors: Float32Array<ArrayBuffer>;
}

/**
 * Float32 rows read from storage, kept for the next query that looks at the same ones. Direct-mapped: a row has one
 * place, the row number modulo the places there are, so as long as a collection fits, nothing is ever thrown out; and
 * looking costs nothing.
 */
export class VectorCache {
  readonly #dimensions: number;
  readonly #places: number;
  readonly #pages: (Page | undefined)[] = [];
  readonly #mayGrow: (bytes: number) => boolean;
  #heldBytes = 0;

  /** @param mayGrow is asked before memory is taken */
  constructor(dimensions: number, boundBytes: number, mayGrow: (bytes: number) => boolean = () => true) {
    this.#mayGrow = mayGrow;
    this.#dimensions = dimensions;
    const rows = Math.floor(boundBytes / ((dimensions + 1) * Float32Array.BYTES_PER_ELEMENT));
    this.#places = Math.max(PAGE_ROWS, rows - (rows % PAGE_ROWS));
  }

  get memoryBytes(): number {
    return this.#heldBytes;
  }

  /** @returns a view that holds until the next `keep` */
  find(row: number): Float32Array<ArrayBuffer> | undefined {
    const place = row % this.#places;
    const page = this.#pages[Math.floor(place / PAGE_ROWS)];
    return page?.tags[place % PAGE_ROWS] === row + 1 ? this.#view(page, place) : undefined;
  }

  /** Copies it, as long as there may be memory for it. */
  keep(row: number, vector: Float32Array): void {
    const place = row % this.#places;
    const page = this.#page(Math.floor(place / PAGE_ROWS));
    if (!page) return;
    this.#view(page, place).set(vector);
    page.tags[place % PAGE_ROWS] = row + 1;
  }

  #page(number: number): Page | undefined {
    const page = this.#pages[number];
    if (page || !this.#mayGrow(PAGE_ROWS * (this.#dimensions + 1) * Float32Array.BYTES_PER_ELEMENT))
      return page;
    const made = {
      tags: new Uint32Array(PAGE_ROWS),
      vectors: new Float32Array(PAGE_ROWS * this.#dimensions),
    };
    this.#pages[number] = made;
    this.#heldBytes += made.tags.byteLength + made.vectors.byteLength;
    return made;
  }

  #view({ vectors }: Page, place: number): Float32Array<ArrayBuffer> {
    const start = (place % PAGE_ROWS) * this.#dimensions;
    return vectors.subarray(start, start + this.#dimensions);
  }
}
