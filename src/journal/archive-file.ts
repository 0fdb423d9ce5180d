/**
 * A file of the archive: frames, in pieces that are compressed each for itself, so that no more than a piece is held.
 * Written once, flushed, and only then named by the archive's index.
 *
 *   0  16  file header, kind "archive"
 *  16      pieces, each: u32 CRC32C of what follows, u32 bytes stored, u32 bytes of frames, u32 1 if gzip was used,
 *          then the bytes
 */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { IsovecError } from '../base/errors.ts';
import { checkFileHeader, encodeFileHeader, FILE_HEADER_BYTES } from '../base/file-header.ts';
import { BATCH_BYTES_MAX } from '../base/limits.ts';
import type { StorageBackend, StorageFile } from '../storage/storage.ts';
import {
  bytesPayload,
  decodeFrameHeader,
  FRAME_HEADER_BYTES,
  type Frame,
  isFrameIntact,
  writeFrame,
} from './frame.ts';

export type Compression = 'gzip' | 'none';

/** Frames are gathered up to this before they are compressed: beyond it gzip gains nothing. */
const PIECE_BYTES = 1024 * 1024;
/** A piece is under its bound when a last frame is added, which may be the largest. */
const PIECE_BYTES_MAX = PIECE_BYTES + FRAME_HEADER_BYTES + BATCH_BYTES_MAX;
const PIECE_HEADER_BYTES = 16;

export class ArchiveFileWriter {
  readonly #file: StorageFile;
  readonly #compression: Compression;
  #frames = new ByteWriter(PIECE_BYTES);
  #bytes = FILE_HEADER_BYTES;

  private constructor(file: StorageFile, compression: Compression) {
    this.#file = file;
    this.#compression = compression;
  }

  /** Begins the file anew, whatever an interrupted attempt has left of it. */
  static async create(
    storage: StorageBackend,
    name: string,
    compression: Compression,
  ): Promise<ArchiveFileWriter> {
    const file = await storage.open(name, { create: true });
    try {
      await file.truncate(0);
      await file.write(0, encodeFileHeader('archive'));
    } catch (error) {
      await file.close();
      throw error;
    }
    return new ArchiveFileWriter(file, compression);
  }

  async add(frame: Omit<Frame, 'checksum' | 'length'>): Promise<void> {
    writeFrame(this.#frames, bytesPayload(frame.payload), frame);
    if (this.#frames.length >= PIECE_BYTES) await this.#writePiece();
  }

  /** Flushes. @returns the length of the file */
  async finish(): Promise<number> {
    if (this.#frames.length > 0) await this.#writePiece();
    await this.#file.flush();
    return this.#bytes;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #writePiece(): Promise<void> {
    const frames = this.#frames.bytes();
    const stored = this.#compression === 'gzip' ? await compress(frames) : frames;
    const writer = new ByteWriter(PIECE_HEADER_BYTES + stored.length).u32(0);
    writer.u32(stored.length).u32(frames.length);
    writer.u32(this.#compression === 'gzip' ? 1 : 0).raw(stored);
    writer.patchU32(0, crc32c(writer.bytes().subarray(4)));
    await this.#file.write(this.#bytes, writer.bytes());
    this.#bytes += writer.length;
    this.#frames = new ByteWriter(PIECE_BYTES);
  }
}

/**
 * Every frame, in order.
 * @param bytes how long the file is, as the index says
 * @throws IsovecError CORRUPTION naming file and offset, FORMAT_VERSION
 */
export async function* readArchiveFile(
  storage: StorageBackend,
  name: string,
  bytes: number,
): AsyncGenerator<Frame, void, undefined> {
  const file = await openArchived(storage, name);
  try {
    checkFileHeader(await file.read(0, Math.min(FILE_HEADER_BYTES, await file.size())), 'archive', name);
    let offset = FILE_HEADER_BYTES;
    while (offset < bytes) {
      const { frames, endOffset } = await readPiece(file, offset);
      yield* framesOf(frames, name, offset);
      offset = endOffset;
    }
  } finally {
    await file.close();
  }
}

async function openArchived(storage: StorageBackend, name: string): Promise<StorageFile> {
  try {
    return await storage.open(name);
  } catch (error) {
    if (!(error instanceof IsovecError) || error.code !== 'NOT_FOUND') throw error;
    throw new IsovecError('CORRUPTION', `${name}: missing, though the archive names it`, {
      details: { file: name },
      cause: error,
    });
  }
}

async function readPiece(
  file: StorageFile,
  offset: number,
): Promise<{ frames: Uint8Array; endOffset: number }> {
  const { name } = file;
  const reader = new ByteReader(await file.read(offset, PIECE_HEADER_BYTES), name);
  const checksum = reader.u32();
  const storedBytes = reader.u32();
  const frameBytes = reader.u32();
  const isCompressed = reader.u32() === 1;
  const endOffset = offset + PIECE_HEADER_BYTES + storedBytes;
  if (endOffset > (await file.size()) || frameBytes > PIECE_BYTES_MAX) throw damage(name, offset);
  const checked = await file.read(offset + 4, PIECE_HEADER_BYTES - 4 + storedBytes);
  if (crc32c(checked) !== checksum) throw damage(name, offset);
  const stored = checked.subarray(PIECE_HEADER_BYTES - 4);
  const frames = isCompressed ? await decompress(stored, frameBytes) : stored;
  if (frames?.length !== frameBytes) throw damage(name, offset);
  return { frames, endOffset };
}

function* framesOf(bytes: Uint8Array, name: string, offset: number): Generator<Frame> {
  for (let at = 0; at < bytes.length; ) {
    const rest = bytes.subarray(at);
    const header = rest.length >= FRAME_HEADER_BYTES ? decodeFrameHeader(rest) : undefined;
    if (!header || rest.length < FRAME_HEADER_BYTES + header.length || !isFrameIntact(header, rest))
      throw damage(name, offset);
    yield { ...header, payload: rest.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + header.length) };
    at += FRAME_HEADER_BYTES + header.length;
  }
}

function damage(file: string, offset: number): IsovecError {
  return new IsovecError('CORRUPTION', `${file}: the archived piece at byte ${offset} is damaged`, {
    details: { file, offset },
  });
}

async function compress(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** @returns undefined if it is no gzip, or more than it should be */
async function decompress(bytes: Uint8Array<ArrayBuffer>, length: number): Promise<Uint8Array | undefined> {
  const whole = new Uint8Array(length);
  let at = 0;
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip')).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (at + next.value.length > length) return undefined;
      whole.set(next.value, at);
      at += next.value.length;
    }
  } catch {
    return undefined;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  return at === length ? whole : undefined;
}
