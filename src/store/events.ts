import type { DatabaseEvents } from '../base/api.ts';

type Listener<E extends keyof DatabaseEvents> = (payload: DatabaseEvents[E]) => void;

/** Warnings that nobody has heard yet. Opening raises few; a bound keeps a store without listeners from hoarding. */
const KEPT_WARNINGS_MAX = 100;

/** Tells listeners. A listener that throws disturbs neither the store nor the others. */
export class Events {
  readonly #listeners = new Map<keyof DatabaseEvents, Set<Listener<never>>>();
  #keptWarnings: DatabaseEvents['warning'][] = [];
  #role: DatabaseEvents['role'] | undefined;

  /** @returns stops listening */
  on<E extends keyof DatabaseEvents>(event: E, listener: Listener<E>): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
    if (event === 'warning') {
      const kept = this.#keptWarnings;
      this.#keptWarnings = [];
      for (const warning of kept) this.emit('warning', warning);
    }
    // Whoever begins to listen wants to know how things stand.
    if (event === 'role' && this.#role) (listener as Listener<'role'>)(this.#role);
    return () => {
      listeners.delete(listener);
    };
  }

  emit<E extends keyof DatabaseEvents>(event: E, payload: DatabaseEvents[E]): void {
    if (event === 'role') this.#role = payload as DatabaseEvents['role'];
    const listeners = this.#listeners.get(event) as Set<Listener<E>> | undefined;
    if (event === 'warning' && !listeners?.size && this.#keptWarnings.length < KEPT_WARNINGS_MAX)
      this.#keptWarnings.push(payload as DatabaseEvents['warning']);
    for (const listener of listeners ?? [])
      try {
        listener(payload);
      } catch (error) {
        // As an event target does: the mistake is shown, and goes no further.
        queueMicrotask(() => {
          throw error;
        });
      }
  }
}
