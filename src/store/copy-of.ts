import { isPlain } from '../base/plain.ts';

/** Callers may change what they gave while it waits. What cannot be copied whole is refused by the checks. */
export function copyOf<T>(given: T): T {
  try {
    return isPlain(given) ? structuredClone(given) : given;
  } catch {
    return given;
  }
}
