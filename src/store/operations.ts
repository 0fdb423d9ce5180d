/**
 * What the log says. One entry is one batch: operations end to end, each a kind, a collection's number and what the
 * kind needs. They are logical (by id, not by row), so replaying them on any state that is behind gives the same state.
 *
 * Each operation ends with the CRC32C of its bytes, and a put has that of its head behind its id, too. The frame around
 * them has been checked when they are read; these are for salvaging what is intact of a damaged one.
 */
import { ByteReader, ByteWriter, CopyRoom } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import type { ResolvedConfig } from './config.ts';
import type { Receipt } from './receipts.ts';

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

/** Says that the batch it is in has been carried out. In the log its collection is 0. */
export interface ReceiptOperation extends Receipt {
  kind: 'receipt';
}

export type RecordOperation = PutOperation | DeleteOperation;
export type ChangeOperation = RecordOperation | CreateOperation | DropOperation;
export type Operation = ChangeOperation | ReceiptOperation;

export const OPERATION_CODES = { put: 1, delete: 2, create: 3, drop: 4, receipt: 5 } as const;

/** Bytes of a put besides id, body and vector. */
const PUT_OVERHEAD_BYTES = 23;
const DELETE_OVERHEAD_BYTES = 11;

/** What an operation takes in the log, for the bound on a batch. */
export function operationBytes(operation: RecordOperation): number {
  if (operation.kind === 'delete') return DELETE_OVERHEAD_BYTES + operation.id.length;
  return PUT_OVERHEAD_BYTES + operation.id.length + operation.body.length + operation.vector.byteLength;
}

export function encodeOperations(operations: readonly Operation[]): Uint8Array<ArrayBuffer> {
  let bytes = 0;
  for (const operation of operations)
    bytes += operation.kind === 'put' || operation.kind === 'delete' ? operationBytes(operation) : 1024;
  const writer = new ByteWriter(bytes);
  for (const operation of operations) {
    const start = writer.length;
    encodeOperation(writer, operation);
    writer.u32(crc32c(writer.bytes().subarray(start)));
  }
  return writer.bytes();
}

function encodeOperation(writer: ByteWriter, operation: Operation): void {
  const start = writer.length;
  writer.u8(OPERATION_CODES[operation.kind]);
  writer.u32(operation.kind === 'receipt' ? 0 : operation.collectionId);
  switch (operation.kind) {
    case 'put':
      writer.u16(operation.id.length).u32(operation.body.length).u32(operation.vector.length);
      writer.raw(operation.id);
      writer.u32(crc32c(writer.bytes().subarray(start)));
      writer.raw(operation.body).f32s(operation.vector);
      break;
    case 'delete':
      writer.u16(operation.id.length).raw(operation.id);
      break;
    case 'create': {
      const body = new TextEncoder().encode(
        JSON.stringify({ name: operation.name, config: operation.config }),
      );
      writer.u32(body.length).raw(body);
      break;
    }
    case 'receipt':
      writer.u64(operation.client).u32(operation.number);
      writer.u32(operation.settledBefore).u32(operation.outcome);
  }
}

/** @param source what the bytes are, for the error @throws IsovecError CORRUPTION */
export function decodeOperations(bytes: Uint8Array, source: string): Operation[] {
  const reader = new ByteReader(bytes, source);
  const operations: Operation[] = [];
  const room = new CopyRoom(bytes.length);
  while (reader.remaining > 0) {
    operations.push(decodeOperation(reader, room));
    reader.u32();
  }
  return operations;
}

/** Its checksum follows. @throws IsovecError CORRUPTION */
export function decodeOperation(reader: ByteReader, room = new CopyRoom(reader.remaining)): Operation {
  const code = reader.u8();
  const collectionId = reader.u32();
  switch (code) {
    case OPERATION_CODES.put: {
      const { id, bodyLength, dimensions } = decodePutHead(reader);
      // A copy: the bytes belong to the log's window, and this lives on.
      const body = room.bytes(reader.raw(bodyLength));
      return { kind: 'put', collectionId, id, body, vector: reader.f32s(dimensions, room) };
    }
    case OPERATION_CODES.delete:
      return { kind: 'delete', collectionId, id: reader.raw(reader.u16()) };
    case OPERATION_CODES.create: {
      const body = new TextDecoder().decode(reader.raw(reader.u32()));
      const { name, config } = parseJson(body, reader);
      return { kind: 'create', collectionId, name, config };
    }
    case OPERATION_CODES.drop:
      return { kind: 'drop', collectionId };
    case OPERATION_CODES.receipt: {
      const [client, number] = [reader.u64(), reader.u32()];
      return { kind: 'receipt', client, number, settledBefore: reader.u32(), outcome: reader.u32() };
    }
    default:
      throw reader.fail(`an operation of unknown kind ${code}`);
  }
}

interface PutHead {
  id: Uint8Array;
  bodyLength: number;
  dimensions: number;
}

/** What follows a put's kind and collection, up to its body. */
export function decodePutHead(reader: ByteReader): PutHead {
  const idLength = reader.u16();
  const bodyLength = reader.u32();
  const dimensions = reader.u32();
  const id = reader.raw(idLength);
  reader.u32();
  return { id, bodyLength, dimensions };
}

function parseJson(body: string, reader: ByteReader): Pick<CreateOperation, 'name' | 'config'> {
  try {
    return JSON.parse(body) as Pick<CreateOperation, 'name' | 'config'>;
  } catch (error) {
    throw reader.fail(`a collection that is not JSON: ${error}`);
  }
}
