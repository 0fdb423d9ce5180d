/** Callers may change what they gave while it waits. What cannot be copied is refused by the checks. */
export function copyOf<T>(given: T): T {
  try {
    return structuredClone(given);
  } catch {
    return given;
  }
}
