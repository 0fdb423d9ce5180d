/**
 * Makes the app work without a network. The app's own files are cached when this worker is installed; the model and
 * the corpus, larger and named after their content, as they are asked for, so that nothing is downloaded twice; what
 * is then still missing, when the page says so.
 */

/** The part of a service worker's globals used here; the whole library of them would clash with the page's. */
interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface ServiceWorkerGlobal {
  readonly location: Location;
  readonly registration: ServiceWorkerRegistration;
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: 'message', listener: (event: ExtendableEvent & MessageEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: ExtendableEvent & FetchEvent) => void): void;
}
interface FetchEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
const worker = self as unknown as ServiceWorkerGlobal;

/** Filled in by demo/build/precache.ts. */
const { version, files } = '__PRECACHE__' as unknown as { version: string; files: string[] };

const APP_CACHE = `app-${version}`;
const DATA_CACHE = 'data';

const url = (file: string): string => new URL(file, worker.registration.scope).href;
const isData = (file: string): boolean => /^(?:model|corpus)-/.test(file);

const appUrls = files.filter((file) => !isData(file)).map(url);
const dataUrls = new Set(files.filter(isData).map(url));

worker.addEventListener('install', (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(APP_CACHE);
      await cache.addAll(appUrls.map((file) => new Request(file, { cache: 'no-cache' })));
      await worker.skipWaiting();
    })(),
  );
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      await worker.clients.claim();
      for (const name of await caches.keys())
        if (name !== APP_CACHE && name !== DATA_CACHE) await caches.delete(name);
      const data = await caches.open(DATA_CACHE);
      for (const request of await data.keys()) if (!dataUrls.has(request.url)) await data.delete(request);
    })(),
  );
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET' || new URL(request.url).origin !== worker.location.origin) return;
  event.respondWith(answer(request, event));
});

async function answer(request: Request, event: ExtendableEvent): Promise<Response> {
  const plainUrl = request.url.replace(/[?#].*$/, '');
  const cached = await caches.match(plainUrl.endsWith('/') ? `${plainUrl}index.html` : plainUrl);
  if (cached) return cached;
  const response = await fetch(request);
  if (response.ok && dataUrls.has(plainUrl)) event.waitUntil(keep(plainUrl, response.clone()));
  return response;
}

async function keep(dataUrl: string, response: Response): Promise<void> {
  const cache = await caches.open(DATA_CACHE);
  // Without room for it the app works all the same, though not offline.
  await cache.put(dataUrl, response).catch((error: unknown) => console.warn('Not kept:', dataUrl, error));
}

/** The page says when it is quiet, and gives a port to answer on when everything is cached. */
worker.addEventListener('message', (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(DATA_CACHE);
      for (const dataUrl of dataUrls) if (!(await cache.match(dataUrl))) await cache.add(dataUrl);
      event.ports[0]?.postMessage('ready');
    })(),
  );
});
