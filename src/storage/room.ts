/** @param room what may be used, if it suffices */
export function roomFor(length: number, room: Uint8Array<ArrayBuffer> | undefined): Uint8Array<ArrayBuffer> {
  return room && length <= room.length ? room.subarray(0, length) : new Uint8Array(length);
}
