/** Room for many small texts. A buffer for each costs several times what encoding it does, and more to collect it again. */
const ROOM_BYTES = 32 * 1024;
/** A longer text has a buffer of its own, so that little of a room is left over. */
const SMALL_BYTES_MAX = ROOM_BYTES / 16;
/** Of one UTF-16 unit. */
const UNIT_BYTES_MAX = 3;

let encoder: TextEncoder | undefined;
let room: Uint8Array | undefined;
let taken = 0;

/** @returns bytes that nobody else changes; their buffer holds others, too */
export function encodeUtf8(text: string): Uint8Array {
  encoder ??= new TextEncoder();
  const bytesMax = text.length * UNIT_BYTES_MAX;
  if (bytesMax > SMALL_BYTES_MAX) return encoder.encode(text);
  if (!room || taken + bytesMax > room.length) {
    room = new Uint8Array(ROOM_BYTES);
    taken = 0;
  }
  const start = taken;
  taken += writeAscii(text, room, start) ?? encoder.encodeInto(text, room.subarray(start)).written;
  return room.subarray(start, taken);
}

/** A call of the encoder takes as long as a hundred characters do here. @returns undefined if it is not all ASCII */
function writeAscii(text: string, into: Uint8Array, start: number): number | undefined {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) return undefined;
    into[start + index] = unit;
  }
  return text.length;
}
