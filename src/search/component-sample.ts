import type { Metric } from '../base/api.ts';
import { type Calibration, lengthOf } from './calibration.ts';

/** Components kept: the newest. As many as it takes for one, if they are normally distributed, to lie beyond four
 *  standard deviations, which is about the best clip. */
const SAMPLE_COMPONENTS = 16_384;
/** A first look comes after so many components, the next ones after twice as many each, and then with every new sample. */
const FIRST_LOOK_COMPONENTS = 512;
/** Taken of each vector, evenly: many vectors tell more than many components of one. */
const COMPONENTS_PER_VECTOR = 16;
/** Of one code: -127 to 127. */
const CODE_MAX = 127;
/** Clips tried, from the greatest component downwards. */
const CLIPS_TRIED = 48;
const CLIP_STEP = 0.95;

/** Components of the vectors that came last, from which a calibration is learnt. */
export class ComponentSample {
  readonly #isScaled: boolean;
  readonly #components = new Float32Array(SAMPLE_COMPONENTS);
  /** Components ever taken. */
  #taken = 0;
  /** How many will have been when it is time to learn something of them. */
  #nextLook = FIRST_LOOK_COMPONENTS;

  constructor(metric: Metric) {
    this.#isScaled = metric === 'cosine';
  }

  /** Vectors seen. */
  get vectorCount(): number {
    return this.#taken / COMPONENTS_PER_VECTOR;
  }

  /** Is there enough that is new since something was learnt of it? */
  get isDue(): boolean {
    return this.#taken >= this.#nextLook;
  }

  add(vector: Float32Array): void {
    const scale = this.#isScaled ? 1 / lengthOf(vector) : 1;
    // From another place each time, so that every dimension has its turn.
    let from = (this.#taken * 7) % vector.length;
    for (let count = 0; count < COMPONENTS_PER_VECTOR; count++) {
      this.#components[this.#taken++ % SAMPLE_COMPONENTS] = Math.abs(vector[from]! * scale);
      from = (from + Math.max(1, Math.floor(vector.length / COMPONENTS_PER_VECTOR))) % vector.length;
    }
  }

  /** The clip with the least squared error: of what it cuts off, and of rounding what it does not. */
  learn(): Calibration {
    this.#nextLook = this.#taken + Math.min(this.#taken, SAMPLE_COMPONENTS);
    const components = this.#components.slice(0, Math.min(this.#taken, SAMPLE_COMPONENTS)).sort();
    const greatest = components.at(-1) || 1;
    let best = { clip: greatest, error: Number.POSITIVE_INFINITY };
    let clip = greatest;
    for (let tried = 0; tried < CLIPS_TRIED; tried++, clip *= CLIP_STEP) {
      const error = squaredError(components, clip);
      if (error < best.error) best = { clip, error };
    }
    return { clip: best.clip };
  }
}

/** @param components ascending */
function squaredError(components: Float32Array, clip: number): number {
  const step = clip / CODE_MAX;
  let error = (components.length * step * step) / 12;
  for (let at = components.length - 1; at >= 0 && components[at]! > clip; at--)
    error += (components[at]! - clip) ** 2;
  return error;
}
