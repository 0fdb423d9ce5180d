/** What runs in the worker of a browser. */
import * as Comlink from 'comlink';
import { Host } from '../worker/host.ts';
import { browserPlatform } from './browser-platform.ts';
import { browserTabs } from './browser-tabs.ts';

Comlink.expose(new Host(browserPlatform, browserTabs));
