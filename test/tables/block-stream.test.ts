import { describe, expect, it } from 'vitest';
import { BLOCK_HEADER_BYTES } from '../../src/tables/block.ts';
import { type ReadBytes, streamBlocks } from '../../src/tables/block-stream.ts';
import { encodeBlock } from '../../src/tables/write-block.ts';

const LENGTHS = [100, 0, 3000, 17, 3000, 5];
const START = 32;

/** Blocks of so many bytes, behind what is none. */
const file = Uint8Array.from([
  ...new Uint8Array(START),
  ...LENGTHS.flatMap((length, row) => [
    ...encodeBlock('codes', row, 1, new Uint8Array(length).fill(row + 1)),
  ]),
]);

function stretch(end = file.length) {
  const endOf = ({ payloadBytes }: { payloadBytes: number }, offset: number) =>
    offset + BLOCK_HEADER_BYTES + payloadBytes;
  return { file: 'f', start: START, end, endOf };
}

/** Notes the memory that is asked to be used. */
function reader(rooms: (ArrayBuffer | undefined)[] = []): ReadBytes {
  return async (offset, length, room) => {
    rooms.push(room?.buffer);
    const bytes = room && room.length >= length ? room.subarray(0, length) : new Uint8Array(length);
    bytes.set(file.subarray(offset, offset + length));
    return bytes;
  };
}

describe('a stream of blocks', () => {
  it('gives every block whole, in order', async () => {
    const found: number[] = [];
    for await (const { header, offset, bytes } of streamBlocks(reader(), stretch())) {
      expect(bytes.length).toBe(BLOCK_HEADER_BYTES + LENGTHS[header.firstRow]!);
      expect([...bytes]).toEqual([...file.subarray(offset, offset + bytes.length)]);
      found.push(header.firstRow);
    }
    expect(found).toEqual(LENGTHS.map((_, row) => row));
  });

  it('has the next block read while one is looked at, into memory that nobody looks at', async () => {
    const rooms: (ArrayBuffer | undefined)[] = [];
    let seen = 0;
    for await (const { bytes } of streamBlocks(reader(rooms), stretch())) {
      seen++;
      // The first header, this block, and the next where there is one.
      expect(rooms.length).toBe(Math.min(seen + 2, LENGTHS.length + 1));
      if (seen < LENGTHS.length) expect(rooms.at(-1)).not.toBe(bytes.buffer);
    }
    expect(rooms.slice(3).every((room) => room !== undefined)).toBe(true);
  });

  it('reads into rooms by turns, and again what was in one that has become void', async () => {
    const memory = Array.from({ length: 2 }, () => new Uint8Array(4000));
    const asked: number[] = [];
    const roomOf = (number: number) => {
      asked.push(number);
      return memory[number];
    };
    let seen = 0;
    for await (const { header, offset, bytes } of streamBlocks(reader(), { ...stretch(), roomOf })) {
      expect([...bytes]).toEqual([...file.subarray(offset, offset + bytes.length)]);
      expect(header.firstRow).toBe(seen++);
      // As when memory grows while the next block is being read.
      const coming = asked.at(-1)!;
      if (seen === 2) {
        structuredClone(memory[coming], { transfer: [memory[coming]!.buffer] });
        memory[coming] = new Uint8Array(4000);
      }
    }
    expect(seen).toBe(LENGTHS.length);
    expect(asked).toEqual([1, 0, 1, 0, 1, 0]);
  });

  it('is empty where nothing is', async () => {
    for await (const block of streamBlocks(reader(), stretch(START))) expect(block).toBeUndefined();
  });

  it('fails where reading does, having given what came before', async () => {
    let reads = 0;
    const failing: ReadBytes = (...wanted) =>
      reads++ === 3 ? Promise.reject(new Error('no more')) : reader()(...wanted);
    const found: number[] = [];
    const reading = (async () => {
      for await (const { header } of streamBlocks(failing, stretch())) {
        found.push(header.firstRow);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    await expect(reading).rejects.toThrow('no more');
    expect(found).toEqual([0, 1]);
  });

  it('waits for what is being read when nobody wants more', async () => {
    let isReading = false;
    const slow: ReadBytes = async (...wanted) => {
      isReading = true;
      await new Promise((resolve) => setTimeout(resolve, 5));
      isReading = false;
      return reader()(...wanted);
    };
    for await (const _ of streamBlocks(slow, stretch())) break;
    expect(isReading).toBe(false);
  });
});
