/**
 * Workers are stopped as soon as the listeners of their page's `freeze` have returned, so these hold it up while a worker
 * hands over: without, it stops with the lock in its hands. In Chromium that takes 20 to 60 ms, on a busy machine more.
 * Nobody sees this page.
 */
const HANDOVER_MS = 300;

/**
 * Tells when this page is about to be stopped: frozen in the background, or kept for going back to. What it holds then,
 * all other tabs would wait for.
 * @returns stops watching
 */
export function watchPage(onStop: () => void, onGoOn: () => void): () => void {
  const onHide = ({ persisted }: PageTransitionEvent) => {
    if (persisted) onStop();
  };
  const onShow = ({ persisted }: PageTransitionEvent) => {
    if (persisted) onGoOn();
  };
  const onFreeze = () => {
    onStop();
    waitHere(HANDOVER_MS);
  };
  document.addEventListener('freeze', onFreeze);
  document.addEventListener('resume', onGoOn);
  addEventListener('pagehide', onHide);
  addEventListener('pageshow', onShow);
  return () => {
    document.removeEventListener('freeze', onFreeze);
    document.removeEventListener('resume', onGoOn);
    removeEventListener('pagehide', onHide);
    removeEventListener('pageshow', onShow);
  };
}

function waitHere(durationMs: number): void {
  const end = performance.now() + durationMs;
  while (performance.now() < end);
}
