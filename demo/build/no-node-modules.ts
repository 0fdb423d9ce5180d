/** Vite plugin: Node's modules as empty ones, for a package that requires them wherever it runs, and uses them in Node only. */
import { builtinModules } from 'node:module';
import type { Plugin } from 'vite';

const EMPTY = '\0empty';

/** @param importer part of the path of the package that may */
export function noNodeModules(importer: string): Plugin {
  return {
    name: 'no-node-modules',
    apply: 'build',
    enforce: 'pre',
    resolveId: (id, from) => (builtinModules.includes(id) && from?.includes(importer) ? EMPTY : undefined),
    load: (id) => (id === EMPTY ? 'export default {};' : undefined),
  };
}
