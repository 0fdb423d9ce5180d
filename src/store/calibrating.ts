/** When do the codes of a collection no longer fit what comes in? */
import type { Calibration } from '../search/calibration.ts';
import { learnFrom } from '../search/learn-calibration.ts';
import type { CollectionState } from './collection-state.ts';

/**
 * A clip so many times too small, or too great, is worth making all codes anew. At this the error of int8 codes of
 * normally distributed components is half as great again as it could be.
 */
const CLIP_RATIO_MAX = 1.25;

/** @returns the calibration that the collection should have, if it is another than it has */
export function betterCalibration({ sample, index, rows }: CollectionState): Calibration | undefined {
  if (!sample?.isDue || !index.calibration) return undefined;
  const learnt = learnFrom(sample);
  const ratio = learnt.clip / index.calibration.clip;
  const isTooSmall = ratio > CLIP_RATIO_MAX;
  // What was there before may need the greater one, so that is given up for most of the collection only.
  const isTooGreat = ratio < 1 / CLIP_RATIO_MAX && sample.vectorCount * 2 >= rows.liveCount;
  return isTooSmall || isTooGreat ? learnt : undefined;
}
