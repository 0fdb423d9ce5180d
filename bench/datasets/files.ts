/** Files of float32 rows, without a header. */
import { closeSync, openSync, readSync, renameSync, writeFileSync } from 'node:fs';

/** readSync takes no more at a time. */
const READ_BYTES_MAX = 1 << 30;

/** A file that is there is whole. */
export function writeRows(file: string, floats: Float32Array): void {
  writeFileSync(`${file}.part`, floats);
  renameSync(`${file}.part`, file);
}

/** The first `count` rows. */
export function readRows(file: string, dimensions: number, count: number): Float32Array<ArrayBuffer> {
  const floats = new Float32Array(count * dimensions);
  const bytes = new Uint8Array(floats.buffer);
  const descriptor = openSync(file, 'r');
  try {
    for (let at = 0; at < bytes.length; ) {
      const read = readSync(descriptor, bytes, at, Math.min(READ_BYTES_MAX, bytes.length - at), at);
      if (read === 0) throw new Error(`${file} ends at byte ${at}: ${count} rows are ${bytes.length} bytes`);
      at += read;
    }
  } finally {
    closeSync(descriptor);
  }
  return floats;
}

export function joinRows(rows: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const dimensions = rows[0]?.length ?? 0;
  const joined = new Float32Array(rows.length * dimensions);
  for (const [row, vector] of rows.entries()) joined.set(vector, row * dimensions);
  return joined;
}
