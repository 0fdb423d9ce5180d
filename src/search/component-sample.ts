import type { Metric } from '../base/api.ts';
import { lengthOf } from './calibration.ts';

/** Components kept: the newest. As many as it takes for one, if they are normally distributed, to lie beyond four
 *  standard deviations, which is about the best clip. */
const SAMPLE_COMPONENTS = 16_384;
/** A first look comes after so many components, the next ones after twice as many each, and then with every new sample. */
const FIRST_LOOK_COMPONENTS = 512;
/** Taken of each vector, evenly: many vectors tell more than many components of one. */
const COMPONENTS_PER_VECTOR = 16;
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

  /** Its components, to learn from. */
  take(): Float32Array {
    const count = Math.min(this.#taken, SAMPLE_COMPONENTS);
    this.#nextLook = this.#taken + count;
    return this.#components.slice(0, count);
  }
}
