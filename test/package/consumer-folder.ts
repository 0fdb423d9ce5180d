/** A project that has installed the packed isovec, and nothing else of this repository. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const rootFolder: string = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const TEMPLATE = join(rootFolder, 'test', 'package', 'consumer');

export interface Consumer {
  folder: string;
  tarball: string;
  remove(): void;
}

export function installConsumer(): Consumer {
  const folder = mkdtempSync(join(tmpdir(), 'isovec-consumer-'));
  cpSync(TEMPLATE, folder, { recursive: true });
  const packed = npm(['pack', '--json', '--pack-destination', folder], rootFolder);
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  const manifest = {
    name: 'consumer',
    private: true,
    type: 'module',
    dependencies: { isovec: `file:./${filename}` },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  npm(['install', '--no-audit', '--no-fund', '--no-package-lock'], folder);
  return {
    folder,
    tarball: join(folder, filename),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Installs another package beside isovec. */
export function installBeside(folder: string, name: string): void {
  npm(['install', '--no-audit', '--no-fund', '--no-package-lock', name], folder);
}

function npm(args: string[], cwd: string): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}
