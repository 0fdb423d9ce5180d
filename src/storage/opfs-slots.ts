import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { IsovecError } from '../base/errors.ts';

/**
 * Atomic replacement without a durable rename.
 *
 * OPFS can move a file over another, but no browser makes that durable (nor `createWritable().close()`). So a replaced
 * file lives in two slots, `name.0` and `name.1`. A replacement overwrites the slot that does not hold the newest valid
 * content, and flushes it; torn, it leaves the other slot as it was. Each slot:
 *
 *   0  8  magic       "isovslot"
 *   8  8  generation  one more than the content before
 *  16  8  length      of the content, in bytes
 *  24  4  checksum    CRC32C of the content
 *  28  4  checksum    CRC32C of the 28 bytes before
 *  32     content     and whatever a longer one left behind it
 *
 * The first replacement of all fills both slots. So as long as one slot is missing or empty, that one has not
 * completed, and a damaged other slot is no content lost.
 */
export const SLOT_ENDINGS = ['.0', '.1'] as const;

export const SLOT_HEADER_BYTES = 32;

const MAGIC = new TextEncoder().encode('isovslot');

export interface Slot {
  generation: number;
  content: Uint8Array;
}

export function encodeSlot({ generation, content }: Slot): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(SLOT_HEADER_BYTES + content.length);
  writer.raw(MAGIC).u64(generation).u64(content.length).u32(crc32c(content));
  return writer.u32(crc32c(writer.bytes())).raw(content).bytes();
}

/** @returns undefined for a slot that is torn or damaged */
export function decodeSlot(bytes: Uint8Array): Slot | undefined {
  if (bytes.length < SLOT_HEADER_BYTES || MAGIC.some((byte, at) => bytes[at] !== byte)) return undefined;
  const checked = bytes.subarray(0, SLOT_HEADER_BYTES - 4);
  if (new ByteReader(bytes.subarray(checked.length), 'slot').u32() !== crc32c(checked)) return undefined;
  const reader = new ByteReader(checked.subarray(MAGIC.length), 'slot');
  const generation = reader.u64();
  const length = reader.u64();
  if (length > bytes.length - SLOT_HEADER_BYTES) return undefined;
  const content = bytes.subarray(SLOT_HEADER_BYTES, SLOT_HEADER_BYTES + length);
  return reader.u32() === crc32c(content) ? { generation, content } : undefined;
}

/** What the slots of a name hold between them. */
export interface SlotPair {
  /** Undefined: never replaced, or damaged. */
  newest: Slot | undefined;
  /** Where `newest` is. */
  newestIndex: 0 | 1;
  /** Both slots have been written, and neither can be read. */
  isDamaged: boolean;
  /** Each slot holds valid content. */
  isComplete: boolean;
}

/** @param images the bytes of each slot; undefined or empty where there is none */
export function readSlots(images: readonly (Uint8Array | undefined)[]): SlotPair {
  const slots = images.map((image) => image && decodeSlot(image));
  const newestIndex = (slots[1]?.generation ?? 0) > (slots[0]?.generation ?? 0) ? 1 : 0;
  const newest = slots[newestIndex];
  return {
    newest,
    newestIndex,
    isDamaged: !newest && images.every((image) => image !== undefined && image.length > 0),
    isComplete: slots.every((slot) => slot !== undefined),
  };
}

export function slotsDamaged(location: string, file: string): IsovecError {
  return new IsovecError('CORRUPTION', `'${file}' in '${location}': both of its slots are damaged`, {
    details: { location, file, offset: 0 },
  });
}
