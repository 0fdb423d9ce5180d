/** Peers are installed in bench/node_modules only, so nothing here may import them before that has happened. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { benchFolder } from '../folders.ts';

const require = createRequire(join(benchFolder, 'package.json'));

/** @param path under bench/node_modules */
export function peerFile(path: string): string {
  return join(benchFolder, 'node_modules', path);
}

/** Loads a CommonJS or ES module by its path under bench/node_modules; `Module` says what the bench uses of it. */
export async function importPeer<Module>(path: string): Promise<Module> {
  return (await import(pathToFileURL(peerFile(path)).href)) as Module;
}

export function requirePeer<Module>(name: string): Module {
  return require(name) as Module;
}

export function peerVersion(name: string): string {
  const manifest = JSON.parse(readFileSync(peerFile(`${name}/package.json`), 'utf8')) as { version: string };
  return manifest.version;
}
