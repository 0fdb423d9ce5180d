import { MemoryLocks } from '../../src/storage/lock-memory.ts';
import { describeLocks } from './lock-contract.ts';

let locations = 0;

describeLocks({
  name: 'memory locks',
  makeLocks: () => new MemoryLocks(),
  newLocation: () => `place-${locations++}`,
});
