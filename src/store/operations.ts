/**
 * What the log says. One entry is one batch: operations end to end, each a kind, a collection's number and what the
 * kind needs. They are logical (by id, not by row), so replaying them on any state that is behind gives the same state.
 *
 * Each operation ends with the CRC32C of its bytes, and a put has that of its head behind its id, too. The frame around
 * them has been checked when they are read; these are for salvaging what is intact of a damaged one.
 */
import { ByteReader, type ByteWriter, CopyRoom } from '../base/bytes.ts';
import { joinCrc32c } from '../base/crc32c.ts';
import type { Payload } from '../journal/frame.ts';
import { vectorChecksum } from '../tables/vectors-file.ts';
import type { ResolvedConfig } from './config.ts';
import type { Receipt } from './receipts.ts';

export interface PutOperation {
  kind: 'put';
  collectionId: number;
  /** UTF-8. */
  id: Uint8Array;
  /** As in body.ts. */
  body: Uint8Array;
  vector: Float32Array;
  /** As in RawRecord. */
  checksum: number | undefined;
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

/** Changes the configuration of a collection that is there. */
export interface ConfigureOperation {
  kind: 'configure';
  collectionId: number;
  /** What is null is left out from then on. */
  change: ConfigChange;
}

export interface ConfigChange {
  schema: object | null;
}

export function changedConfig(
  { schema: _, ...config }: ResolvedConfig,
  { schema }: ConfigChange,
): ResolvedConfig {
  return schema ? { ...config, schema } : config;
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
export type DefinitionOperation = CreateOperation | ConfigureOperation | DropOperation;
export type ChangeOperation = RecordOperation | DefinitionOperation;
export type Operation = ChangeOperation | ReceiptOperation;

export const OPERATION_CODES = { put: 1, delete: 2, create: 3, drop: 4, receipt: 5, configure: 6 } as const;

/** Bytes of an operation besides its id, body and vector, checksums included. */
const OVERHEAD_BYTES = { put: 23, delete: 11, create: 13, drop: 9, receipt: 29, configure: 13 } as const;

/** What an operation takes in the log. */
export function operationBytes(operation: Operation): number {
  const overhead = OVERHEAD_BYTES[operation.kind];
  switch (operation.kind) {
    case 'put':
      return overhead + operation.id.length + operation.body.length + operation.vector.byteLength;
    case 'delete':
      return overhead + operation.id.length;
    case 'create':
    case 'configure':
      return overhead + encodeBody(operation).length;
    default:
      return overhead;
  }
}

/** As an entry of the log. */
export function operationsPayload(operations: readonly Operation[]): Payload {
  return {
    length: operations.reduce((sum, operation) => sum + operationBytes(operation), 0),
    write: (writer, previous) => {
      let checksum = previous;
      for (const operation of operations) checksum = writeOperation(writer, operation, checksum);
      return checksum;
    },
  };
}

/** @returns the checksum of what comes before, with it */
function writeOperation(writer: ByteWriter, operation: Operation, previous: number): number {
  const start = writer.length;
  writer.u8(OPERATION_CODES[operation.kind]);
  writer.u32(operation.kind === 'receipt' ? 0 : operation.collectionId);
  if (operation.kind === 'put') return writePut(writer, operation, start, previous);
  switch (operation.kind) {
    case 'delete':
      writer.u16(operation.id.length).raw(operation.id);
      break;
    case 'create':
    case 'configure': {
      const body = encodeBody(operation);
      writer.u32(body.length).raw(body);
      break;
    }
    case 'receipt':
      writer.u64(operation.client).u32(operation.number);
      writer.u32(operation.settledBefore).u32(operation.outcome);
  }
  writer.u32(writer.checksum(start));
  return writer.checksum(start, writer.length, previous);
}

/** The vector's own checksum stands for its bytes. @param start of the operation, whose kind and collection are written */
function writePut(writer: ByteWriter, operation: PutOperation, start: number, previous: number): number {
  const { id, body, vector, checksum = vectorChecksum(vector) } = operation;
  writer.u16(id.length).u32(body.length).u32(vector.length).raw(id);
  const headEnd = writer.length;
  const headChecksum = writer.checksum(start);
  writer.u32(headChecksum).raw(body);
  const own = writer.checksum(headEnd, writer.length, headChecksum);
  const all = writer.checksum(start, writer.length, previous);
  writer.f32s(vector).u32(joinCrc32c(own, checksum, vector.byteLength));
  const end = writer.length;
  return writer.checksum(end - 4, end, joinCrc32c(all, checksum, vector.byteLength));
}

/** Everything but its kind and collection. */
function encodeBody({ kind, collectionId, ...body }: CreateOperation | ConfigureOperation): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(body));
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
      const vector = reader.f32s(dimensions, room);
      return { kind: 'put', collectionId, id, body, vector, checksum: undefined };
    }
    case OPERATION_CODES.delete:
      return { kind: 'delete', collectionId, id: reader.raw(reader.u16()) };
    case OPERATION_CODES.create:
      return { kind: 'create', collectionId, ...parseBody<CreateOperation>(reader) };
    case OPERATION_CODES.configure:
      return { kind: 'configure', collectionId, ...parseBody<ConfigureOperation>(reader) };
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

function parseBody<T extends CreateOperation | ConfigureOperation>(
  reader: ByteReader,
): Omit<T, 'kind' | 'collectionId'> {
  const body = new TextDecoder().decode(reader.raw(reader.u32()));
  try {
    return JSON.parse(body) as Omit<T, 'kind' | 'collectionId'>;
  } catch (error) {
    throw reader.fail(`a collection that is not JSON: ${error}`);
  }
}
