/** Working without a network: the service worker's registration, and storage that the browser will not clear. */

/** A first visit does not wait longer than this for the service worker; it then loads the model twice. */
const CONTROL_TIMEOUT_MS = 5_000;

/** Resolves when what the page loads goes through the service worker, or when there is none. */
export async function startServiceWorker(): Promise<void> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  const controlled = new Promise<void>((resolve) => {
    if (navigator.serviceWorker.controller) resolve();
    navigator.serviceWorker.addEventListener('controllerchange', () => resolve(), { once: true });
    setTimeout(resolve, CONTROL_TIMEOUT_MS);
  });
  try {
    await navigator.serviceWorker.register('./service-worker.js');
    await controlled;
  } catch (error) {
    // Private windows have none; all but a visit without a network works.
    console.warn('The app cannot be kept for offline use.', error);
  }
}

/** Resolves to true once every file of the app, the model and the corpus is kept on the device. */
export async function keepForOffline(): Promise<boolean> {
  const worker = navigator.serviceWorker?.controller;
  if (!worker) return false;
  const { port1, port2 } = new MessageChannel();
  const answered = new Promise<boolean>((resolve) => {
    port1.onmessage = () => resolve(true);
  });
  worker.postMessage('keep everything', [port2]);
  return answered;
}

/** Asks the browser not to clear what is stored when space runs short. */
export async function askToPersist(): Promise<boolean> {
  return (await navigator.storage?.persist?.()) ?? false;
}
