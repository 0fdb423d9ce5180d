export interface RankedRows {
  /** Best first. */
  rows: Uint32Array;
  scores: Float64Array;
}

/** The best of some rows by their scores, best first, and of equals the lower row. @param scores by row */
export function bestRows(rows: Uint32Array, scores: Float64Array, topK: number): RankedRows {
  const heap = rows.length > topK ? kept(rows, scores, topK) : rows.slice();
  heap.sort((a, b) => scores[b]! - scores[a]! || a - b);
  return { rows: heap, scores: Float64Array.from(heap, (row) => scores[row]!) };
}

/** By a heap whose top is the worst of what is kept. */
function kept(rows: Uint32Array, scores: Float64Array, topK: number): Uint32Array {
  const heap = rows.slice(0, topK);
  const isWorse = (a: number, b: number) => scores[a]! < scores[b]! || (scores[a] === scores[b] && a > b);
  const sink = (start: number) => {
    const row = heap[start]!;
    let at = start;
    for (let child = 2 * at + 1; child < topK; child = 2 * at + 1) {
      if (child + 1 < topK && isWorse(heap[child + 1]!, heap[child]!)) child++;
      if (!isWorse(heap[child]!, row)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = row;
  };
  for (let at = (topK >>> 1) - 1; at >= 0; at--) sink(at);
  for (let at = topK; at < rows.length; at++) {
    const row = rows[at]!;
    if (!isWorse(heap[0]!, row)) continue;
    heap[0] = row;
    sink(0);
  }
  return heap;
}
