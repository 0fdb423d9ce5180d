/** Calls back once, later, without keeping a process of Node, Deno or Bun alive for it. @returns cancels it */
export function setBackgroundTimer(callback: () => void, delayMs: number): () => void {
  const timer: unknown = setTimeout(callback, delayMs);
  // Browsers, where nothing has to be kept alive, give a number.
  if (isTimerObject(timer)) timer.unref();
  return () => clearTimeout(timer as ReturnType<typeof setTimeout>);
}

function isTimerObject(timer: unknown): timer is { unref(): void } {
  return typeof timer === 'object' && timer !== null && 'unref' in timer;
}
