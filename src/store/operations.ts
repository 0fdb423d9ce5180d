/**
 * What the log says. One entry is one batch: operations end to end, each a kind, a collection's number and what the
 * kind needs. They are logical (by id, not by row), so replaying them on any state that is behind gives the same state.
 */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import type { ResolvedConfig } from './config.ts';

export interface PutOperation {
  kind: 'put';
  collectionId: number;
  /** UTF-8. */
  id: Uint8Array;
  /** Metadata as JSON in UTF-8. */
  body: Uint8Array;
  vector: Float32Array;
}

export interface DeleteOperation {
  kind: 'delete';
  collectionId: number;
  id: Uint8Array;
}

export interface CreateOperation {
  kind: 'create';
  collectionId: number;
  name: string;
  config: ResolvedConfig;
}

export interface DropOperation {
  kind: 'drop';
  collectionId: number;
}

export type RecordOperation = PutOperation | DeleteOperation;
export type Operation = RecordOperation | CreateOperation | DropOperation;

const PUT = 1;
const DELETE = 2;
const CREATE = 3;
const DROP = 4;

/** Bytes of a put besides id, body and vector. */
const PUT_OVERHEAD_BYTES = 15;

/** What an operation takes in the log, for the bound on a batch. */
export function operationBytes(operation: RecordOperation): number {
  if (operation.kind === 'delete') return 7 + operation.id.length;
  return PUT_OVERHEAD_BYTES + operation.id.length + operation.body.length + operation.vector.byteLength;
}

export function encodeOperations(operations: readonly Operation[]): Uint8Array<ArrayBuffer> {
  let bytes = 0;
  for (const operation of operations)
    bytes += operation.kind === 'put' || operation.kind === 'delete' ? operationBytes(operation) : 1024;
  const writer = new ByteWriter(bytes);
  for (const operation of operations) encodeOperation(writer, operation);
  return writer.bytes();
}

function encodeOperation(writer: ByteWriter, operation: Operation): void {
  const { collectionId } = operation;
  switch (operation.kind) {
    case 'put':
      writer.u8(PUT).u32(collectionId).u16(operation.id.length).raw(operation.id);
      writer.u32(operation.body.length).raw(operation.body);
      writer.u32(operation.vector.length).f32s(operation.vector);
      break;
    case 'delete':
      writer.u8(DELETE).u32(collectionId).u16(operation.id.length).raw(operation.id);
      break;
    case 'create': {
      const body = new TextEncoder().encode(
        JSON.stringify({ name: operation.name, config: operation.config }),
      );
      writer.u8(CREATE).u32(collectionId).u32(body.length).raw(body);
      break;
    }
    case 'drop':
      writer.u8(DROP).u32(collectionId);
  }
}

/** @param source what the bytes are, for the error @throws IsovecError CORRUPTION */
export function decodeOperations(bytes: Uint8Array, source: string): Operation[] {
  const reader = new ByteReader(bytes, source);
  const operations: Operation[] = [];
  while (reader.remaining > 0) operations.push(decodeOperation(reader));
  return operations;
}

function decodeOperation(reader: ByteReader): Operation {
  const code = reader.u8();
  const collectionId = reader.u32();
  switch (code) {
    case PUT: {
      const id = reader.raw(reader.u16());
      // A copy: the bytes belong to the log's window, and this lives on.
      const body = reader.raw(reader.u32()).slice();
      return { kind: 'put', collectionId, id, body, vector: reader.f32s(reader.u32()) };
    }
    case DELETE:
      return { kind: 'delete', collectionId, id: reader.raw(reader.u16()) };
    case CREATE: {
      const body = new TextDecoder().decode(reader.raw(reader.u32()));
      const { name, config } = JSON.parse(body) as Pick<CreateOperation, 'name' | 'config'>;
      return { kind: 'create', collectionId, name, config };
    }
    case DROP:
      return { kind: 'drop', collectionId };
    default:
      throw reader.fail(`an operation of unknown kind ${code}`);
  }
}
