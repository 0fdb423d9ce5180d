import type { Metadata, RecordInput, VectorInput } from '../base/api.ts';
import { checkObject } from '../base/check.ts';
import { IsovecError } from '../base/errors.ts';
import { isPlain } from '../base/plain.ts';
import { encodeMetadata } from '../store/metadata.ts';
import { copyVector } from '../store/vectors.ts';
import type { PackedRecord, PackedRecords } from './protocol.ts';

type AnyRecord = Partial<RecordInput<Metadata>>;

/**
 * Sends records with their vectors packed.
 * @param name of the argument, for errors
 */
export async function sendRecords<T>(
  given: unknown,
  name: string,
  send: (packed: PackedRecords) => Promise<T>,
): Promise<T> {
  const packed = packRecords(given, name);
  try {
    return await send(packed);
  } catch (error) {
    if (error instanceof IsovecError && error.cause instanceof Error && error.cause.name === 'DataCloneError')
      blameMetadata(packed.records, packed.isSingle, name);
    throw error;
  }
}

/** What cannot be sent is metadata that could not be stored either: the check for that names its place. */
function blameMetadata(records: readonly PackedRecord[], isSingle: boolean, name: string): void {
  for (const [index, { fields }] of records.entries()) {
    const { metadata } = fields as RecordInput;
    encodeMetadata(metadata, isSingle ? `${name}.metadata` : `${name}[${index}].metadata`);
  }
}

/**
 * Takes the vectors out of records into one buffer of their own: the caller keeps its arrays, and the worker gets the
 * buffer without another copy.
 * @param name of the argument, for errors
 * @throws IsovecError INVALID_ARGUMENT, INVALID_VECTOR
 */
function packRecords(given: unknown, name: string): PackedRecords {
  const isSingle = !Array.isArray(given);
  const records = (isSingle ? [given] : given) as AnyRecord[];
  const copies: Float32Array[] = [];
  let length = 0;
  const packed = records.map((record, index): PackedRecord => {
    const path = isSingle ? name : `${name}[${index}]`;
    checkObject(record, path);
    const { vector, ...fields } = record;
    checkWhole(fields.metadata, `${path}.metadata`);
    if (vector === undefined) return { fields };
    // A Float32Array is copied once only, into the common buffer.
    const copy = vector instanceof Float32Array ? vector : copyVector(vector, `${path}.vector`);
    copies.push(copy);
    length += copy.length;
    return { fields, dimensions: copy.length };
  });
  const vectors = new Float32Array(length);
  let at = 0;
  for (const copy of copies) {
    vectors.set(copy, at);
    at += copy.length;
  }
  return { records: packed, vectors, isSingle };
}

/** What would arrive as something else could not be stored either: the check for that names its place. */
function checkWhole(metadata: Metadata | undefined, path: string): void {
  try {
    if (isPlain(metadata)) return;
  } catch {
    // It lies too deep to be looked through.
  }
  encodeMetadata(metadata, path);
}

export function unpackRecords({ records, vectors, isSingle }: PackedRecords): RecordInput | RecordInput[] {
  let at = 0;
  const unpacked = records.map(({ fields, dimensions }) => {
    if (dimensions === undefined) return fields as RecordInput;
    const vector: VectorInput = vectors.subarray(at, at + dimensions);
    at += dimensions;
    return { ...(fields as object), vector } as RecordInput;
  });
  return isSingle ? unpacked[0]! : unpacked;
}

/** The buffers of vectors in an answer, to be transferred. Each vector of an answer owns its buffer. */
export function vectorBuffers(records: readonly ({ vector?: Float32Array } | undefined)[]): Transferable[] {
  return records.flatMap((record) => (record?.vector?.length ? [record.vector.buffer as ArrayBuffer] : []));
}
