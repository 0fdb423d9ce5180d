/** A worker of the application's own: isovec runs in the thread of its caller there, as engines do that bring no worker. */
import * as Comlink from 'comlink';
import { bench } from './bench.ts';

Comlink.expose(bench);
