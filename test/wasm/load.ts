import { readFileSync } from 'node:fs';

/** A module built by `npm run build:wasm`. */
export function loadModule(path: string): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(new URL(`../../${path}`, import.meta.url)));
}

export const KERNEL = 'src/runtime/isovec.wasm';
/** The kernel that knows all kinds of codes. */
export const CODES_KERNEL = 'src/runtime/isovec-codes.wasm';
/** That kernel with its scalar twins exported, and putting even a dozen pending vectors in order. */
export const TEST_KERNEL = 'wasm/build/isovec-test.wasm';
