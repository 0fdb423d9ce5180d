/** How long the page's main thread is held up while something runs. */

/** The platform reports a task as long from here on. */
const LONG_TASK_MS = 50;
/** Rare enough to leave the processor to what is measured; browsers allow 4 ms at best. */
const HEARTBEAT_MS = 5;

export interface MainThreadReport {
  /** By how much the latest of the timers set meanwhile was late, beyond the timer's own period. */
  longestDelayMs: number;
  /** Tasks over 50 ms, as the browser reports them. */
  longTaskCount: number;
}

export async function watchMainThread(work: () => Promise<void>): Promise<MainThreadReport> {
  let longTaskCount = 0;
  const observer = new PerformanceObserver((list) => {
    longTaskCount += list.getEntries().filter((entry) => entry.duration > LONG_TASK_MS).length;
  });
  observer.observe({ type: 'longtask' });
  const heartbeat = startHeartbeat();
  await work();
  const longestDelayMs = heartbeat.stop();
  await new Promise((resolve) => setTimeout(resolve, LONG_TASK_MS)); // Entries arrive a little later.
  observer.disconnect();
  return { longestDelayMs, longTaskCount };
}

/** Sets a timer again and again, and keeps the longest time between two. */
function startHeartbeat(): { stop(): number } {
  let longestMs = 0;
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs - HEARTBEAT_MS);
    lastMs = nowMs;
  }, HEARTBEAT_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return longestMs;
    },
  };
}
