/** One record in a block of the records file, read: see records-file.ts. */
import { IsovecError } from '../base/errors.ts';

export const ENTRY_HEADER_BYTES = 14;

export interface RecordEntry {
  position: number;
  id: Uint8Array;
  body: Uint8Array;
}

/** @param payload a record block's, checked @param index of the row within the block @returns views */
export function entryInBlock(
  payload: Uint8Array,
  rowCount: number,
  index: number,
  source: string,
): RecordEntry {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const entriesAt = rowCount * 4;
  const start = index === 0 ? entriesAt : entriesAt + view.getUint32(index * 4 - 4, true);
  const end = entriesAt + view.getUint32(index * 4, true);
  const idLength =
    start + ENTRY_HEADER_BYTES <= end && end <= payload.length ? view.getUint16(start + 12, true) : -1;
  const idAt = start + ENTRY_HEADER_BYTES;
  if (idLength < 0 || idAt + idLength > end)
    throw new IsovecError(
      'CORRUPTION',
      `${source}: a record from ${start} to ${end} in a block of ${payload.length}`,
      {
        details: { file: source },
      },
    );
  return {
    position: view.getUint32(start + 8, true),
    id: payload.subarray(idAt, idAt + idLength),
    body: payload.subarray(idAt + idLength, end),
  };
}
