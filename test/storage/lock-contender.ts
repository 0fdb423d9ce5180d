/** A process of its own that takes a lock again and again, and tells in a journal when it has it and when it lets go. */
import { appendFileSync } from 'node:fs';
import { FileLocks } from '../../src/storage/lock-file.ts';

const [location = '', journal = '', holdMs = '1'] = process.argv.slice(2);
const locks = new FileLocks();
for (;;) {
  const held = await locks.acquire(location, { timeoutMs: 60_000 });
  appendFileSync(journal, `enter ${process.pid}\n`);
  await new Promise((resolve) => setTimeout(resolve, Math.random() * Number(holdMs)));
  appendFileSync(journal, `leave ${process.pid}\n`);
  await held.release();
}
