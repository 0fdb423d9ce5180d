/** The door for what is written: everything behind it receives ids as UTF-8, encoded bodies and checked vectors. */
import type { Metadata, RecordInput, StoredRecord } from '../base/api.ts';
import { checkObject, invalid } from '../base/check.ts';
import { IsovecError } from '../base/errors.ts';
import { ID_BYTES_MAX } from '../base/limits.ts';
import { encodeUtf8 } from '../base/utf8.ts';
import { vectorChecksum } from '../tables/vectors-file.ts';
import { decodeMetadata, joinBody, textOf } from './body.ts';
import type { ResolvedConfig } from './config.ts';
import { encodeMetadata, encodeMetadataChanges } from './metadata.ts';
import type { IncludeFlags } from './query-plan.ts';
import type { RawRecord } from './rows-view.ts';
import { createUuid } from './uuid.ts';
import { checkVector, copyVector } from './vectors.ts';

export interface CheckedRecord {
  id: string;
  body: Uint8Array;
  vector: Float32Array;
  /** Of the vector. */
  checksum: number;
}

/** One or many, as many, with the path of each for errors. */
export function listRecords<R>(records: R | R[], name: string): { record: R; path: string }[] {
  if (!Array.isArray(records)) return [{ record: records, path: name }];
  return records.map((record, index) => ({ record, path: `${name}[${index}]` }));
}

/**
 * @param room for the vector
 * @throws IsovecError INVALID_ARGUMENT, DIMENSION_MISMATCH, INVALID_VECTOR, each naming the record's place
 */
export function checkRecord(
  record: RecordInput,
  path: string,
  config: ResolvedConfig,
  room: Float32Array<ArrayBuffer>,
): CheckedRecord {
  checkObject(record, path);
  const { id = createUuid(), vector, metadata, text } = record;
  checkId(id, `${path}.id`);
  if (vector === undefined) throw invalid(`${path}.vector`, 'given', vector);
  const copy = copyVector(vector, `${path}.vector`, room);
  checkVector(copy, config, `${path}.vector`);
  const body = joinBody(
    encodeMetadata(metadata, `${path}.metadata`),
    encodeText(text, `${path}.text`, config),
  );
  return { id, body, vector: copy, checksum: vectorChecksum(copy) };
}

export type Change<M extends Metadata = Metadata> = Partial<RecordInput<M>> & { id: string };

export interface CheckedChange {
  id: string;
  /** For the errors that come later. */
  path: string;
  vector?: Float32Array;
  /** With null for what is to be removed. */
  metadata?: Uint8Array;
  /** In UTF-8. */
  text?: Uint8Array;
}

/** @throws IsovecError INVALID_ARGUMENT, DIMENSION_MISMATCH, INVALID_VECTOR, each naming the change's place */
export function checkChange(change: Change, path: string, config: ResolvedConfig): CheckedChange {
  checkObject(change, path);
  const { id, vector, metadata, text } = change;
  checkId(id, `${path}.id`);
  const encodedText = encodeText(text, `${path}.text`, config);
  const copy = vector === undefined ? undefined : copyVector(vector, `${path}.vector`);
  if (copy) checkVector(copy, config, `${path}.vector`);
  return {
    id,
    path,
    ...(copy && { vector: copy }),
    ...(metadata !== undefined && { metadata: encodeMetadataChanges(metadata, `${path}.metadata`) }),
    ...(encodedText && { text: encodedText }),
  };
}

/** @throws IsovecError INVALID_ARGUMENT */
function encodeText(text: unknown, path: string, config: ResolvedConfig): Uint8Array | undefined {
  if (text === undefined) return undefined;
  if (!config.text) throw invalid(path, 'left out in a collection without config.text', text);
  if (typeof text !== 'string') throw invalid(path, 'a string', text);
  checkWellFormed(text, path);
  return encodeUtf8(text);
}

/** @throws IsovecError INVALID_ARGUMENT, naming which */
export function checkIds(which: string | string[], name: string): string[] {
  return listRecords(which, name).map(({ record: id, path }) => {
    checkId(id, path);
    return id;
  });
}

/** @throws IsovecError INVALID_ARGUMENT */
export function checkId(id: unknown, path: string): asserts id is string {
  if (typeof id !== 'string') throw invalid(path, 'a string', id);
  checkName(id, path, ID_BYTES_MAX);
}

/** A string of 1 to `bytesMax` UTF-8 bytes. @throws IsovecError INVALID_ARGUMENT */
export function checkName(name: unknown, path: string, bytesMax: number): asserts name is string {
  if (typeof name !== 'string' || name.length === 0) throw invalid(path, 'a string that is not empty', name);
  // A UTF-16 unit takes at most three bytes, so most names need not be encoded to know.
  const bytes = name.length * 3 > bytesMax ? new TextEncoder().encode(name).length : name.length;
  if (bytes > bytesMax)
    throw new IsovecError(
      'INVALID_ARGUMENT',
      `${path} must be at most ${bytesMax} UTF-8 bytes, not ${bytes}`,
      {
        details: { path, bytes },
      },
    );
  checkWellFormed(name, path);
}

/** @throws IsovecError INVALID_ARGUMENT */
function checkWellFormed(text: string, path: string): void {
  if (LONE_SURROGATE.test(text))
    throw invalid(path, 'well-formed Unicode', 'a string with half of a surrogate pair');
}

/** Encoding would turn it into U+FFFD: two ids into one, and a text into another. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** A record as callers get it. */
export function publishRecord(
  id: string,
  { body, vector }: Partial<RawRecord>,
  parts: Pick<IncludeFlags, 'metadata' | 'text'> = { metadata: true, text: true },
): StoredRecord {
  const text = body && parts.text ? textOf(body) : undefined;
  return {
    id,
    // A copy: what is held must not be changed by whoever gets it.
    vector: vector ? vector.slice() : new Float32Array(),
    metadata: body && parts.metadata ? decodeMetadata(body) : {},
    ...(text !== undefined && { text }),
  };
}
