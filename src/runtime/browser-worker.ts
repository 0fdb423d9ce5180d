/** What runs in the worker of a browser. */
import { Host } from '../worker/host.ts';
import { serveHost } from '../worker/serve-host.ts';
import { browserPlatform } from './browser-platform.ts';
import { browserTabs } from './browser-tabs.ts';

serveHost(new Host(browserPlatform, browserTabs), {
  post: (message, transfer) => postMessage(message, { transfer }),
  listen: (listener) => addEventListener('message', ({ data }) => listener(data as never)),
});
