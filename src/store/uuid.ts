/** Of the random part, in bytes. */
const RANDOM_BYTES = 10;

/** A UUID version 7 (RFC 9562): 48 bits of milliseconds, then random; so ids made later sort later. */
export function createUuid(): string {
  const random = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES));
  random[0] = (random[0]! & 0x0f) | 0x70;
  random[2] = (random[2]! & 0x3f) | 0x80;
  const hex = Date.now().toString(16).padStart(12, '0') + Array.from(random, toHex).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function toHex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
