/**
 * What is wrong with a schema. An error of its own: with those of the rest of isovec, the code for schemas and the engine
 * would share a module, which bundlers make a file of that every page loads.
 */
export class SchemaProblem extends Error {
  /** Of the place in the schema. */
  readonly path: string;
  /** What stands there, where the message asks for something else. */
  readonly got: { value: unknown } | undefined;

  constructor(path: string, problem: string, got?: { value: unknown }, cause?: unknown) {
    super(`${path} ${problem}`, { cause });
    this.path = path;
    this.got = got;
  }
}
