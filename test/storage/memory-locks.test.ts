import { describeLocks } from './lock-contract.ts';
import { MemoryLocks } from './memory-locks.ts';

let locations = 0;

describeLocks({
  name: 'memory locks',
  makeLocks: () => new MemoryLocks(),
  newLocation: () => `place-${locations++}`,
});
