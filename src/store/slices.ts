/** Others wait no longer than this for work that takes long. A third of a frame at 60 Hz. */
const SLICE_MS = 5;

/** Lets others have a turn between slices of long work. */
export class Slices {
  readonly #pause: () => Promise<void>;
  #since = performance.now();

  constructor(pause: () => Promise<void>) {
    this.#pause = pause;
  }

  get isOver(): boolean {
    return performance.now() - this.#since > SLICE_MS;
  }

  /** Ends the slice, which is over. */
  async rest(): Promise<void> {
    await this.#pause();
    this.#since = performance.now();
  }
}
