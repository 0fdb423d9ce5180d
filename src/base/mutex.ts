/** Lets one in at a time, in order of arrival. */
export class Mutex {
  #last: Promise<void> = Promise.resolve();

  /** Runs `fn` when all before it are done; whether they failed does not matter. */
  run<T>(fn: () => Promise<T>): Promise<T> {
    const result = this.#last.then(fn);
    this.#last = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }
}
