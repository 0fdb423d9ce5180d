import type { Calibration } from './calibration.ts';
import type { ComponentSample } from './component-sample.ts';

/** Of one code: -127 to 127. */
const CODE_MAX = 127;
/** Clips tried, from the greatest component downwards. */
const CLIPS_TRIED = 48;
const CLIP_STEP = 0.95;

/** The clip with the least squared error: of what it cuts off, and of rounding what it does not. */
export function learnFrom(sample: ComponentSample): Calibration {
  const components = sample.take().sort();
  const greatest = components.at(-1) || 1;
  let best = { clip: greatest, error: Number.POSITIVE_INFINITY };
  let clip = greatest;
  for (let tried = 0; tried < CLIPS_TRIED; tried++, clip *= CLIP_STEP) {
    const error = squaredError(components, clip);
    if (error < best.error) best = { clip, error };
  }
  return { clip: best.clip };
}

/** @param components ascending */
function squaredError(components: Float32Array, clip: number): number {
  const step = clip / CODE_MAX;
  let error = (components.length * step * step) / 12;
  for (let at = components.length - 1; at >= 0 && components[at]! > clip; at--)
    error += (components[at]! - clip) ** 2;
  return error;
}
