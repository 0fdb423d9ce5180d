/** One session in a process of its own: `session-process.mjs write|read|remove FOLDER OPTIONS`. */
import process from 'node:process';
import { session } from './session.mjs';

const [action, folder, options] = process.argv.slice(2);
await session[action](folder, JSON.parse(options));
console.log('OK');
