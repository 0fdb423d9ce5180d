/** What runs in the worker thread of Node, Deno or Bun. */
import { parentPort } from 'node:worker_threads';
import { Host } from '../worker/host.ts';
import { serveHost } from '../worker/serve-host.ts';
import { nodePlatform } from './node-platform.ts';
import { nodePort } from './node-port.ts';

if (parentPort) serveHost(new Host(nodePlatform), nodePort(parentPort));
