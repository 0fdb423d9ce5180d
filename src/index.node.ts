/** isovec in Node, Deno and Bun. The entry of browsers exports the same names. */
export type * from './base/api.ts';
export { type ErrorCode, IsovecError } from './base/errors.ts';
export { destroy, open, restore } from './runtime/node.ts';
