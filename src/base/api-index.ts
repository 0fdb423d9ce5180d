/** How a collection's vectors are indexed. */

export interface IndexConfig {
  /** 'isovec' (default): the kernel of its own. 'hnswlib-wasm': the npm package of that name, 0.8.2, which you install
   *  beside isovec: for 'hnsw' without quantization, in at most 2 GB of memory; its graph is built anew on every
   *  opening, which needs the package too. UNSUPPORTED where it is missing or cannot run, as under a content security
   *  policy without 'unsafe-eval'. */
  engine?: 'isovec' | 'hnswlib-wasm';
  /** 'hnsw' (default): approximate; 'flat': always exact. */
  type?: 'hnsw' | 'flat';
  /** Links per node. Default 16. */
  m?: number;
  /** Candidates while building. Default 200. */
  efConstruction?: number;
  /** Candidates while searching. Default 64; a query may override it. */
  efSearch?: number;
  /**
   * Keeps a small code of each neighbour beside a vector's links, by which a query tells which neighbours need not be read: 1.2 to
   * 1.5 times as many queries a second at equal recall over 100,000 unquantised vectors of 100 dimensions, about twice as many over 26,648
   * of 512; over int8 codes none. Queries with a filter, and indexing, stay as they are. Default false, and fixed when
   * the collection is made.
   *
   * Takes `32 + 8 m + ceil(m / 16) * (256 * ceil(dimensions / 64) + 64)` bytes of memory a vector, rounded up to 64: 768 with
   * 100 dimensions, 1,792 with 384. Nothing is stored: queries make the codes when they first come by a vector, a few each.
   *
   * UNSUPPORTED with 'flat', 'hnswlib-wasm', binary quantization, and above 4,096 dimensions.
   */
  linkCodes?: boolean;
}
