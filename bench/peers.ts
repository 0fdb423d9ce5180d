/** Installs the peers and the data that packages have, which are no dependencies of isovec, into bench/node_modules. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { peerVersion } from './engines/peer.ts';
import { benchFolder } from './folders.ts';

export function installPeers(): void {
  const wanted = peerVersions();
  const installed = Object.entries(wanted).every(
    ([name, version]) =>
      existsSync(join(benchFolder, 'node_modules', name, 'package.json')) && peerVersion(name) === version,
  );
  if (installed) return;
  console.log('Installing the peers and the data of packages (340 MB, once) ...');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: benchFolder, stdio: 'inherit' });
}

export function peerVersions(): Record<string, string> {
  const manifest = JSON.parse(readFileSync(join(benchFolder, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  return manifest.devDependencies;
}
