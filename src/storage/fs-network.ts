import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { systemErrorCode } from './fs-errors.ts';

/**
 * Linux's numbers for file systems that lie on another machine or pass through another program: statfs(2), and
 * include/uapi/linux/magic.h of the kernel.
 */
const DOUBTFUL_KINDS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB 2'],
  [0x564c, 'NCP'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x01021997, '9p'],
  [0x65735546, 'FUSE'],
  [0x786f4256, 'vboxsf'],
]);

type FileSystemAsked = (path: string) => Promise<{ type: number }>;

/**
 * What to warn of when the folder, which need not be there yet, is on a file system where renames may not be atomic
 * among machines, or a flush not reach the device. Linux alone says; elsewhere nothing is known.
 * @param ask tests give another
 */
export async function networkWarning(
  location: string,
  ask: FileSystemAsked = statfs,
): Promise<string | undefined> {
  const kind = DOUBTFUL_KINDS.get((await typeOf(resolve(location), ask)) ?? 0);
  if (kind === undefined) return undefined;
  return (
    `the folder '${location}' is on a network or user-space file system (${kind}): whether its locks hold among machines` +
    ' and its flushes reach the device is up to that system. Keep databases on a local disk.'
  );
}

async function typeOf(path: string, ask: FileSystemAsked): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    // As an unsigned number of 32 bits: some runtimes give it with its sign.
    return Number((await ask(path)).type) >>> 0;
  } catch (thrown) {
    const parent = dirname(path);
    // Anything else, such as Deno without permission, leaves it unknown.
    return systemErrorCode(thrown) === 'ENOENT' && parent !== path ? typeOf(parent, ask) : undefined;
  }
}
