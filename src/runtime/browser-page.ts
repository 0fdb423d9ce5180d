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
  document.addEventListener('freeze', onStop);
  document.addEventListener('resume', onGoOn);
  addEventListener('pagehide', onHide);
  addEventListener('pageshow', onShow);
  return () => {
    document.removeEventListener('freeze', onStop);
    document.removeEventListener('resume', onGoOn);
    removeEventListener('pagehide', onHide);
    removeEventListener('pageshow', onShow);
  };
}
