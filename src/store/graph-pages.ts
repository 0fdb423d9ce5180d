/** A graph image stored by pages: a checkpoint writes those that have changed. */
import { crc32c, joinCrc32c } from '../base/crc32c.ts';
import { IsovecError } from '../base/errors.ts';
import type { LiveFile } from '../journal/manifest.ts';
import {
  GRAPH_HEADER_BYTES,
  GRAPH_PIECE_BYTES_MAX,
  type GraphImage,
  type VectorIndex,
} from '../search/vector-index.ts';
import type { StorageFile } from '../storage/storage.ts';
import { ROOM_BYTES, type RoomOf } from '../tables/block-stream.ts';
import { checkDataHeader, DATA_HEADER_BYTES, dataFileName } from '../tables/data-header.ts';
import {
  encodeImageHeader,
  encodePageTable,
  GraphFileReader,
  PAGE_BYTES,
  type Page,
} from '../tables/graph-file.ts';
import { plainChecksums } from '../tables/piece-checksums.ts';
import type { CollectionState } from './collection-state.ts';
import type { Engine } from './engine.ts';
import { GrowingFile } from './growing-file.ts';

/** Pages are numbered through all sections: none is longer than 4 GiB. */
const PAGES_PER_SECTION = 2 ** 32 / PAGE_BYTES;
/** Pages written at a time: 1 MiB. */
const PAGES_PER_BLOCK = 2048;
/** Bytes looked through before others have a turn: 2 to 4 ms. */
const BYTES_PER_TURN = 4 * 1024 * 1024;
/** A file is written anew when it is so many times as long as its image: all of it is read on opening. */
const FILE_TO_IMAGE_MAX = 1.5;
/** Room is made ahead for pages of which there are more than the image says. */
const GROWTH = 1.5;
const ZERO_CHECKSUM = crc32c(new Uint8Array(PAGE_BYTES));

/**
 * Checksums of the pages that a graph file holds, by which those that have changed are found: four bytes a page. A change
 * within a word always shows; of others one in 2^32 would not, and the next opening would refuse the image and
 * rebuild the graph.
 */
export class StoredPages {
  /** What is known of which file, and up to where. */
  readonly file: string;
  readonly bytes: number;
  readonly #sections: readonly Uint32Array[];

  /** @param sections of each page of each section, its checksum */
  constructor(file: string, bytes: number, sections: readonly Uint32Array[]) {
    this.file = file;
    this.bytes = bytes;
    this.#sections = sections;
  }

  get memoryBytes(): number {
    return this.#sections.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  get isWorthGoingOn(): boolean {
    let used = 0;
    for (const section of this.#sections)
      for (const checksum of section) if (checksum !== ZERO_CHECKSUM) used++;
    return this.bytes <= DATA_HEADER_BYTES + used * PAGE_BYTES * FILE_TO_IMAGE_MAX;
  }

  /** Is this what the manifest's file holds? Others may have written to it. */
  isOf(file: string | undefined, live: LiveFile | undefined): boolean {
    return this.file === file && this.bytes === live?.bytes;
  }

  /** @returns a copy with room for so many pages */
  section(number: number, pageCount: number): Uint32Array {
    return grown(this.#sections[number] ?? NO_PAGES, pageCount);
  }
}

const NO_PAGES = new Uint32Array();

/** A copy at least so long; pages that have never been stored are zeros. */
function grown(checksums: Uint32Array, pageCount: number): Uint32Array {
  const copy = new Uint32Array(Math.max(checksums.length, pageCount)).fill(ZERO_CHECKSUM);
  copy.set(checksums);
  return copy;
}

/**
 * Appends the pages that have changed to the collection's graph file, or begins a new one.
 * @param before what the manifest names
 * @param live receives the file
 */
export async function storeGraph(
  engine: Engine,
  { id, graphPages }: Pick<CollectionState, 'id' | 'graphPages'>,
  graph: GraphImage,
  before: string | undefined,
  live: Record<string, LiveFile>,
): Promise<StoredPages> {
  const liveBefore = before === undefined ? undefined : engine.journal.files[before];
  const stored = graphPages?.isOf(before, liveBefore) && graphPages.isWorthGoingOn ? graphPages : undefined;
  const number = engine.journal.generation + 1;
  const identity = { collectionId: id, kind: 'graph', number } as const;
  const name = stored?.file ?? dataFileName(identity);
  const file = await engine.storage.open(name, { create: true });
  try {
    const growing = await GrowingFile.open(file, identity, stored && liveBefore, engine.checksum);
    const writer = new PagesWriter(growing);
    const sections: Uint32Array[] = [];
    let lookedAtBytes = 0;
    for (const [section, length] of graph.sections.entries()) {
      const checksums = (stored ?? NOTHING_STORED).section(section, Math.ceil(length / PAGE_BYTES));
      sections.push(checksums);
      for (let offset = 0; offset < length; offset += GRAPH_PIECE_BYTES_MAX) {
        const bytes = Math.min(length - offset, GRAPH_PIECE_BYTES_MAX);
        const wholePages = Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
        writer.add(section, offset / PAGE_BYTES, graph.read(section, offset, wholePages), checksums);
        if (writer.isFull) await writer.write();
        lookedAtBytes += bytes;
        if (lookedAtBytes < BYTES_PER_TURN) continue;
        lookedAtBytes = 0;
        await engine.pause();
      }
    }
    await writer.write();
    await growing.write(encodeImageHeader(graph.header));
    live[name] = await growing.finish();
    return new StoredPages(name, growing.bytes, sections);
  } finally {
    await file.close();
  }
}

const NOTHING_STORED = new StoredPages('', 0, []);

/** Collects changed pages and writes them. */
class PagesWriter {
  readonly #file: GrowingFile;
  readonly #table: Page[] = [];
  readonly #pages = new Uint8Array(PAGES_PER_BLOCK * PAGE_BYTES + GRAPH_PIECE_BYTES_MAX);

  constructor(file: GrowingFile) {
    this.#file = file;
  }

  get isFull(): boolean {
    return this.#table.length >= PAGES_PER_BLOCK;
  }

  /** @param bytes of whole pages @param checksums of the section's pages as they are stored; then, as they will be */
  add(section: number, firstPage: number, bytes: Uint8Array, checksums: Uint32Array): void {
    for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
      const content = bytes.subarray(at, at + PAGE_BYTES);
      const checksum = crc32c(content);
      const page = firstPage + at / PAGE_BYTES;
      if (checksum === checksums[page]) continue;
      checksums[page] = checksum;
      this.#pages.set(content, this.#table.length * PAGE_BYTES);
      this.#table.push({ number: section * PAGES_PER_SECTION + page, checksum });
    }
  }

  async write(): Promise<void> {
    if (this.#table.length === 0) return;
    const bytes = this.#pages.subarray(0, this.#table.length * PAGE_BYTES);
    let checksum = 0;
    for (const page of this.#table) checksum = joinCrc32c(checksum, page.checksum, PAGE_BYTES);
    await this.#file.write(encodePageTable(this.#table));
    await this.#file.write(bytes, checksum);
    this.#table.length = 0;
  }
}

/**
 * Gives an empty index the graph that is stored.
 * @param bytes of the file that count
 * @throws IsovecError CORRUPTION, FORMAT_VERSION, QUOTA_EXCEEDED; the index stays empty
 */
export async function readGraph(
  file: StorageFile,
  bytes: number,
  index: VectorIndex,
): Promise<StoredPages | undefined> {
  if (!index.openGraph || !index.acceptGraph) return undefined;
  checkDataHeader(await file.read(0, DATA_HEADER_BYTES), 'graph', file.name);
  const reader = new GraphFileReader(file.name, bytes, (...wanted) => file.read(...wanted));
  const graph = index.openGraph(await reader.header(GRAPH_HEADER_BYTES), bytes);
  const sections = graph.sections.map((length) => NOTHING_STORED.section(0, Math.ceil(length / PAGE_BYTES)));
  await reader.pages(
    (number, stored, content) => {
      const section = Math.floor(number / PAGES_PER_SECTION);
      const page = number % PAGES_PER_SECTION;
      const end = page + stored.length;
      const checksums = sections[section];
      if (!checksums) throw new IsovecError('CORRUPTION', `${file.name}: page ${number}, which no image has`);
      // They may have been stored when the section was longer.
      if (end > checksums.length) sections[section] = grown(checksums, Math.ceil(end * GROWTH));
      sections[section]!.set(stored, page);
      graph.write(section, page * PAGE_BYTES, content);
    },
    index.checksums ?? plainChecksums,
    roomsOf(index, bytes),
  );
  index.acceptGraph();
  return new StoredPages(file.name, bytes, sections);
}

/** Only where much is read: a small collection is not to take memory for it. @param bytes to be read */
export function roomsOf(index: VectorIndex, bytes: number): RoomOf | undefined {
  return bytes > 4 * ROOM_BYTES ? (number) => index.room?.(number, ROOM_BYTES) : undefined;
}

/** Gives an empty index of the same configuration, but for codes, the graph of another. */
export function copyGraph(from: VectorIndex, to: VectorIndex): void {
  if (!from.readGraph || !to.openGraph || !to.acceptGraph) return;
  const graph = from.readGraph();
  const copy = to.openGraph(graph.header, Number.POSITIVE_INFINITY);
  for (const [section, length] of graph.sections.entries())
    for (let offset = 0; offset < length; offset += GRAPH_PIECE_BYTES_MAX)
      copy.write(
        section,
        offset,
        graph.read(section, offset, Math.min(length - offset, GRAPH_PIECE_BYTES_MAX)),
      );
  to.acceptGraph();
}
