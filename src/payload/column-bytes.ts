/**
 * Some rows of a column as bytes, the dictionary entries that they need first:
 *
 *   0  4  length of the entries, in bytes
 *   4     JSON in UTF-8: an array of values, or `{ "": key }` of a composite; padded to a multiple of eight
 *         values or codes of the rows; codes count up from 1 in the order of the entries
 */
import { Composite, type FieldImage } from './field-image.ts';

const PREFIX_BYTES = 4;
const ALIGNMENT = 8;

export function joinBytes(images: readonly FieldImage[], values: ArrayBufferView): Uint8Array<ArrayBuffer> {
  const json = images.map((image) => (image instanceof Composite ? { '': image.key } : image));
  const entries = new TextEncoder().encode(JSON.stringify(json));
  const start = aligned(PREFIX_BYTES + entries.length);
  const bytes = new Uint8Array(start + values.byteLength);
  new DataView(bytes.buffer).setUint32(0, entries.length, true);
  bytes.set(entries, PREFIX_BYTES);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), start);
  return bytes;
}

/** @returns a copy of the values, aligned @throws RangeError, SyntaxError */
export function splitBytes(bytes: Uint8Array): { images: FieldImage[]; values: ArrayBuffer } {
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
  const start = aligned(PREFIX_BYTES + length);
  if (start > bytes.length) throw new RangeError(`entries of ${length} bytes in ${bytes.length}`);
  const text = new TextDecoder().decode(bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + length));
  const entries = JSON.parse(text) as (Exclude<FieldImage, Composite> | { '': string })[];
  const images = entries.map((entry) =>
    typeof entry === 'object' && entry !== null && !(entry instanceof Composite)
      ? Composite.fromKey(entry[''])
      : entry,
  );
  return { images, values: bytes.slice(start).buffer };
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
