/** What is intact of a damaged stretch of log. */
import { ByteReader } from '../../base/bytes.ts';
import { crc32c } from '../../base/crc32c.ts';
import { DIMENSIONS_MAX, ID_BYTES_MAX } from '../../base/limits.ts';
import { type ChangeOperation, decodeOperation, decodePutHead, OPERATION_CODES } from '../operations.ts';

export interface SalvagedOperations {
  /** Those whose bytes are intact, in order. No receipts: that all of the batch has been carried out is not known. */
  operations: ChangeOperation[];
  /** Puts of which only the id is left. */
  lost: { collectionId: number; id: Uint8Array }[];
}

const KIND_AND_COLLECTION_BYTES = 5;
const CHECKSUM_BYTES = 4;

/** Looks at every byte: where an operation has been damaged, the next one may begin anywhere. */
export function salvageOperations(bytes: Uint8Array): SalvagedOperations {
  const salvaged: SalvagedOperations = { operations: [], lost: [] };
  for (let at = 0; at < bytes.length; ) {
    const rest = bytes.subarray(at);
    const lengthBytes = lengthOf(rest);
    if (lengthBytes !== undefined && hasChecksum(rest, lengthBytes)) {
      const operation = decodeOperation(new ByteReader(rest, 'log'));
      if (operation.kind !== 'receipt') salvaged.operations.push(operation);
      at += lengthBytes + CHECKSUM_BYTES;
      continue;
    }
    const put = lostPut(rest);
    if (put) salvaged.lost.push(put);
    at += put?.lengthBytes ?? 1;
  }
  return salvaged;
}

/** @returns how long the operation that may begin here says it is, without its checksum; undefined if there is none */
function lengthOf(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const has = (count: number) => bytes.length >= KIND_AND_COLLECTION_BYTES + count + CHECKSUM_BYTES;
  switch (bytes[0]) {
    case OPERATION_CODES.put:
      return has(10) ? putLength(view) : undefined;
    case OPERATION_CODES.delete:
      return has(2) ? 7 + view.getUint16(5, true) : undefined;
    case OPERATION_CODES.create:
    case OPERATION_CODES.configure:
      return has(4) ? 9 + view.getUint32(5, true) : undefined;
    case OPERATION_CODES.receipt:
      return has(20) ? KIND_AND_COLLECTION_BYTES + 20 : undefined;
    case OPERATION_CODES.drop:
      return has(0) ? KIND_AND_COLLECTION_BYTES : undefined;
    default:
      return undefined;
  }
}

function putLength(view: DataView): number | undefined {
  const idLength = view.getUint16(5, true);
  const dimensions = view.getUint32(11, true);
  if (idLength < 1 || idLength > ID_BYTES_MAX || dimensions < 1 || dimensions > DIMENSIONS_MAX)
    return undefined;
  return putHeadLength(idLength) + CHECKSUM_BYTES + view.getUint32(7, true) + dimensions * 4;
}

function putHeadLength(idLength: number): number {
  return KIND_AND_COLLECTION_BYTES + 10 + idLength;
}

function hasChecksum(bytes: Uint8Array, length: number): boolean {
  if (length + CHECKSUM_BYTES > bytes.length) return false;
  return new ByteReader(bytes.subarray(length), 'log').u32() === crc32c(bytes.subarray(0, length));
}

/** A put whose head is intact, and nothing else. */
function lostPut(
  bytes: Uint8Array,
): { collectionId: number; id: Uint8Array; lengthBytes: number } | undefined {
  if (bytes[0] !== OPERATION_CODES.put || bytes.length < putHeadLength(1) + CHECKSUM_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lengthBytes = putLength(view);
  const headLength = putHeadLength(view.getUint16(5, true));
  if (lengthBytes === undefined || !hasChecksum(bytes, headLength)) return undefined;
  const reader = new ByteReader(bytes, 'log');
  reader.u8();
  const collectionId = reader.u32();
  return { collectionId, id: decodePutHead(reader).id, lengthBytes: lengthBytes + CHECKSUM_BYTES };
}
