/** JSON Schemas that metadata must satisfy. The validator is a third as large as the engine: who has none never loads it. */
import { IsovecError } from '../base/errors.ts';
import { SCHEMA_VIOLATIONS_MAX } from '../base/limits.ts';
import { summarize } from '../base/summarize.ts';
import type { Json } from '../schema/canonical.ts';
import type { SchemaValidator, Violation } from '../schema/schema-validator.ts';
import type { RowTable } from '../tables/row-table.ts';
import { decodeMetadata } from './body.ts';
import type { CollectionState } from './collection-state.ts';
import type { Called } from './seldom-calls.ts';
import { Slices } from './slices.ts';

/** Records read between looks at the clock. */
const ROWS_PER_STEP = 256;

/** Metadata that is to be stored, encoded. */
export interface PlacedBody {
  /** Of its record in the batch. */
  index: number;
  /** Of its record, as it was given. */
  path: string;
  id: string;
  body: Uint8Array;
}

/**
 * @param path where it was given, for errors
 * @returns what is stored of a schema: canonical, so that two that say the same can be told by their JSON
 * @throws IsovecError INVALID_ARGUMENT, naming the place in it
 */
export async function checkedSchema(schema: unknown, path: string): Promise<object> {
  const { canonicalSchema, SchemaProblem, SchemaValidator } = await import('../schema/schema-validator.ts');
  try {
    const canonical = canonicalSchema(schema, path);
    validators.set(canonical, new SchemaValidator(canonical, path));
    return canonical;
  } catch (error) {
    if (!(error instanceof SchemaProblem)) throw error;
    const { message, got, path: place, cause } = error;
    throw new IsovecError('INVALID_ARGUMENT', got ? `${message}, not ${summarize(got.value)}` : message, {
      details: { path: place },
      ...(cause !== undefined && { cause }),
    });
  }
}

/** By schemas as they are held in configurations. */
const validators = /* @__PURE__ */ new WeakMap<object, SchemaValidator>();

async function validatorOf(schema: object): Promise<SchemaValidator> {
  const known = validators.get(schema);
  if (known) return known;
  const { SchemaValidator } = await import('../schema/schema-validator.ts');
  const validator = new SchemaValidator(schema as Json, 'config.schema');
  validators.set(schema, validator);
  return validator;
}

/** @throws IsovecError SCHEMA_VIOLATION, listing what is wrong with all of them */
export async function checkBodies(
  schema: object,
  bodies: readonly PlacedBody[],
  pause: () => Promise<void>,
): Promise<void> {
  const validator = await validatorOf(schema);
  const slices = new Slices(pause);
  const listed: (Violation & { index: number; id: string })[] = [];
  let count = 0;
  let first = '';
  for (const { index, path, id, body } of bodies) {
    if (slices.isOver) await slices.rest();
    const violations = validator.violations(decodeMetadata(body));
    if (violations.length > 0 && count === 0) first = `${path}.metadata${told(violations[0]!)}`;
    count += violations.length;
    for (const violation of violations.slice(0, SCHEMA_VIOLATIONS_MAX - listed.length))
      listed.push({ index, id, ...violation });
  }
  if (count === 0) return;
  const more = count > 1 ? `, and ${count - 1} more: see details.violations` : '';
  throw new IsovecError('SCHEMA_VIOLATION', `${first}${more}`, {
    details: { violations: listed, violationCount: count },
  });
}

function told({ path, message }: Violation): string {
  return `${path}: ${message.replace(/\.$/, '')}`;
}

/**
 * Gives a collection another schema, or none: with the log, so that every write comes before or after it.
 * @param given as callers give it
 * @throws IsovecError INVALID_ARGUMENT; SCHEMA_VIOLATION, listing ids, when there are records that do not satisfy it
 */
export async function changeSchema(
  { engine, state, maintenance, refresh }: Called,
  given: unknown,
): Promise<void> {
  const schema = given === undefined ? undefined : await checkedSchema(given, 'schema');
  engine.checkWritable();
  await refresh();
  const overhaul = await maintenance.overhaul();
  await overhaul.alone(async () => {
    if (JSON.stringify(state.config.schema) === JSON.stringify(schema)) return;
    const survey = schema && new SchemaSurvey(state, await validatorOf(schema), engine.pause);
    await survey?.askAll();
    await engine.exclusively(async () => {
      // What has been written since, and nothing more is while this lasts.
      await engine.journal.drain();
      await survey?.askAll();
      survey?.check();
      if (state.isDropped) return;
      await engine.define({ kind: 'configure', collectionId: state.id, change: { schema: schema ?? null } });
    });
  });
}

/** Holds every record of a collection against a schema. What a row holds never changes, so each is asked once. */
class SchemaSurvey {
  readonly #state: CollectionState;
  readonly #validator: SchemaValidator;
  readonly #slices: Slices;
  /** Whose rows the numbers are. */
  #table: RowTable;
  /** Rows below have been asked. */
  #askedRow = 0;
  /** Rows that did not satisfy it. */
  #violating: number[] = [];
  /** Of the first of them. */
  #violations = new Map<number, Violation>();

  constructor(state: CollectionState, validator: SchemaValidator, pause: () => Promise<void>) {
    this.#state = state;
    this.#validator = validator;
    this.#slices = new Slices(pause);
    this.#table = state.rows;
  }

  /** Those that nobody has asked yet. */
  async askAll(): Promise<void> {
    const state = this.#state;
    while (!state.isDropped) {
      this.#followRenumbering();
      if (this.#askedRow >= state.rows.rowCount) return;
      await this.#askNext();
    }
  }

  /** @throws IsovecError SCHEMA_VIOLATION when there are records that do not satisfy it */
  check(): void {
    const { rows, name } = this.#state;
    const violating = this.#violating.filter((row) => rows.isLive(row));
    const listed = violating.slice(0, SCHEMA_VIOLATIONS_MAX);
    if (listed.length === 0) return;
    const ids = listed.map((row) => rows.id(row));
    const violations = listed.flatMap((row, at) => {
      const violation = this.#violations.get(row);
      return violation ? [{ id: ids[at]!, ...violation }] : [];
    });
    const [first] = violations;
    throw new IsovecError(
      'SCHEMA_VIOLATION',
      `${violating.length} records of "${name}" do not satisfy the schema: "${ids[0]}"${first ? told(first) : ''}`,
      { details: { collection: name, ids, recordCount: violating.length, violations } },
    );
  }

  #followRenumbering(): void {
    if (this.#table === this.#state.rows) return;
    this.#table = this.#state.rows;
    this.#askedRow = 0;
    this.#violating = [];
    this.#violations = new Map();
  }

  async #askNext(): Promise<void> {
    const state = this.#state;
    const { rows } = state;
    const first = this.#askedRow;
    const end = Math.min(rows.rowCount, first + ROWS_PER_STEP);
    const live = Array.from({ length: end - first }, (_, at) => first + at).filter((row) => rows.isLive(row));
    const records = await state.read(live, { body: true, vector: false });
    for (const [at, { body }] of records.entries()) {
      if (this.#slices.isOver) await this.#slices.rest();
      const [violation] = this.#validator.violations(decodeMetadata(body!));
      if (!violation) continue;
      this.#violating.push(live[at]!);
      if (this.#violations.size < SCHEMA_VIOLATIONS_MAX) this.#violations.set(live[at]!, violation);
    }
    this.#askedRow = end;
  }
}
