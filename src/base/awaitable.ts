/** A value, or the promise of one. What is there need not be waited for: each `await` of a query costs it about 0.3 us. */
export type Awaitable<T> = T | Promise<T>;

/** Goes on with a value: at once, if it is there. */
export function whenThere<T, R>(value: Awaitable<T>, use: (value: T) => Awaitable<R>): Awaitable<R> {
  return value instanceof Promise ? value.then(use) : use(value);
}
