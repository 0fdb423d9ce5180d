/** Runs the OPFS backend where it can run: in a dedicated worker. */
import { isOpfsAvailable, OpfsProvider } from '../../src/storage/opfs.ts';
import { serveStorage } from './remote-host.ts';

serveStorage({
  provider: new OpfsProvider(() => import('../../src/storage/opfs-reader.ts')),
  isOpfsAvailable,
});
