/** What is made of the raw timings. */

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which the given share of all values lies, the nearest rank. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

export interface RecallAndSpeed {
  recall: number;
  queriesPerSecond: number;
}

/**
 * Queries per second at a given recall, between the two measured points around it: speed falls by about the same
 * factor for each step of recall, so its logarithm is interpolated.
 * @param points by rising `ef`
 * @returns undefined when the sweep does not reach that recall, or starts above it
 */
export function speedAtRecall(points: readonly RecallAndSpeed[], recall: number): number | undefined {
  for (const [place, above] of points.entries()) {
    const below = points[place - 1];
    if (below === undefined || below.recall > recall || above.recall < recall) continue;
    const share = above.recall === below.recall ? 0 : (recall - below.recall) / (above.recall - below.recall);
    return below.queriesPerSecond * (above.queriesPerSecond / below.queriesPerSecond) ** share;
  }
  return undefined;
}
