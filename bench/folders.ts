import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const benchFolder: string = dirname(fileURLToPath(import.meta.url));
export const rootFolder: string = dirname(benchFolder);
/** Everything that is made or fetched; never committed. */
export const dataFolder: string = join(benchFolder, 'data');
