/** Its own keys are all that there is to it, of whatever realm it is. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Whether a copy, or a message, has all of it: of objects of a class they have own fields only, and no word of the rest. */
export function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Date) return true;
  return (Array.isArray(value) || isPlainObject(value)) && Object.values(value).every(isPlain);
}
