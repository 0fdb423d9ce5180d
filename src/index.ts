/** isovec in a browser. The entry of Node, Deno and Bun exports the same names. */
export type * from './base/api.ts';
export { type ErrorCode, IsovecError } from './base/errors.ts';
export { destroy, open, restore } from './runtime/browser.ts';
