/** What runs in the worker thread of Node, Deno or Bun. */
import { parentPort } from 'node:worker_threads';
import * as Comlink from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { Host } from '../worker/host.ts';

import { nodePlatform } from './node-platform.ts';

if (parentPort) Comlink.expose(new Host(nodePlatform), nodeEndpoint(parentPort));
