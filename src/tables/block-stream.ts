import { BLOCK_HEADER_BYTES, type BlockHeader, decodeBlockHeader } from './block.ts';

/** As of a file. @param room memory that may be used for the bytes */
export type ReadBytes = (
  offset: number,
  length: number,
  room?: Uint8Array<ArrayBuffer>,
) => Promise<Uint8Array<ArrayBuffer>>;

export interface StreamedBlock {
  header: BlockHeader;
  /** In the file. */
  offset: number;
  /** The block, header first, and what belongs to it: not checked yet. They hold until the next block is asked for. */
  bytes: Uint8Array<ArrayBuffer>;
}

export interface Stretch {
  file: string;
  /** Offsets in the file. */
  start: number;
  end: number;
  /** Where a block that begins there ends, with what belongs to it. @throws IsovecError CORRUPTION */
  endOf: (header: BlockHeader, offset: number) => number;
  /** Memory for one block (0) and the next (1), where there is some. */
  roomOf?: RoomOf | undefined;
}

/** Asked before each read: it may have become void (of length 0) since. */
export type RoomOf = (number: number) => Uint8Array<ArrayBuffer> | undefined;

/** Of a room: a block of the sizes that are written, and the header of the next. */
export const ROOM_BYTES = 1.25 * 1024 * 1024;

/** A block that is being read. */
interface Coming {
  header: BlockHeader;
  offset: number;
  end: number;
  /** With the header of the next. */
  wantedBytes: number;
  bytes: Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * One block after another. Each is read with the header of the next, which is then being read while the first is looked
 * at; the memory of two serves for all.
 */
export async function* streamBlocks(
  read: ReadBytes,
  { file, start, end, endOf, roomOf }: Stretch,
): AsyncGenerator<StreamedBlock, void, void> {
  if (start >= end) return;
  let spare: Uint8Array<ArrayBuffer> | undefined;
  let room = 0;
  const begin = (head: Uint8Array, offset: number): Coming => {
    const header = decodeBlockHeader(head, file);
    const blockEnd = endOf(header, offset);
    const wantedBytes = Math.min(blockEnd + BLOCK_HEADER_BYTES, end) - offset;
    room = 1 - room;
    const bytes = read(offset, wantedBytes, roomOf ? roomOf(room) : spare);
    // Whoever looks at the block before may fail meanwhile.
    bytes.catch(() => {});
    return { header, offset, end: blockEnd, wantedBytes, bytes };
  };
  let coming: Coming | undefined = begin(await read(start, BLOCK_HEADER_BYTES), start);
  try {
    while (coming) {
      const block: Coming = coming;
      const { header, offset, end: blockEnd, wantedBytes } = block;
      let bytes = await block.bytes;
      // The room has become void meanwhile.
      if (bytes.length < wantedBytes) bytes = await read(offset, wantedBytes);
      const length = blockEnd - offset;
      coming = blockEnd < end ? begin(bytes.subarray(length), blockEnd) : undefined;
      yield { header, offset, bytes: bytes.subarray(0, length) };
      if (!roomOf) spare = new Uint8Array(bytes.buffer);
    }
  } finally {
    await coming?.bytes.catch(() => {});
  }
}
