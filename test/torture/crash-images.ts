/**
 * Every state that a power loss could have left, from the record of a simulated disk.
 *
 * At an operation index, each file has content that is durable and changes since its last flush; each name has the
 * file that it durably means, and others that it has meant since. A crash keeps any part of the changes and any of the
 * meanings. There are too many to try all, so each index is tried with one image of each kind, drawn by seed.
 */
import { GrowableBytes } from '../../src/storage/memory.ts';
import type { DiskEvent, DiskImage, SimulatedDisk } from './simulated-disk.ts';

export const IMAGE_KINDS = [
  /** The process alone was killed: all that was written is there. */
  'kill',
  /** Nothing that was not flushed is there. */
  'unflushed lost',
  /** The last write stops at some byte, at a sector, at a page. */
  'torn at 1 B',
  'torn at 512 B',
  'torn at 4 KB',
  /** Any sectors or pages of what was not flushed are there, the later without the earlier too. */
  'reordered in 512 B',
  'reordered in 4 KB',
  /** The sizes are there, the content is not. */
  'zero-extended',
  /** Files made are not there, files removed still are; contents are. */
  'names lost',
  /** Everything at random. */
  'mixed',
] as const;

export type ImageKind = (typeof IMAGE_KINDS)[number];

export interface CrashImage {
  kind: ImageKind;
  files: DiskImage;
}

type Change = Extract<DiskEvent, { kind: 'write' | 'truncate' }>;

interface FileState {
  durable: Uint8Array;
  pending: Change[];
}

/** Walks the record of a disk from index to index. */
export class CrashReplay {
  readonly #events: readonly DiskEvent[];
  readonly #files = new Map<number, FileState>();
  /** For each name the files that it could mean after a crash, the durable one first; undefined: not there. */
  readonly #names = new Map<string, (number | undefined)[]>();
  #index = 0;

  constructor(disk: SimulatedDisk) {
    this.#events = disk.events;
    for (const [number, name] of disk.initialNames.entries()) {
      this.#files.set(number, { durable: disk.initial.get(name)!, pending: [] });
      this.#names.set(name, [number]);
    }
  }

  /** Events that have been taken in. */
  get index(): number {
    return this.#index;
  }

  get isAtEnd(): boolean {
    return this.#index === this.#events.length;
  }

  /** Takes in one event more. */
  advance(): void {
    const event = this.#events[this.#index++]!;
    switch (event.kind) {
      case 'create':
        this.#files.set(event.file, { durable: new Uint8Array(), pending: [] });
        this.#rename(event.name, event.file);
        break;
      case 'remove':
        this.#rename(event.name, undefined);
        break;
      case 'replace':
        this.#files.set(event.file, { durable: event.content, pending: [] });
        this.#names.set(event.name, [event.file]);
        break;
      case 'flush': {
        const file = this.#files.get(event.file)!;
        file.durable = contentOf(file.durable, file.pending);
        file.pending = [];
        for (const [name, meanings] of this.#names)
          if (meanings.at(-1) === event.file) this.#names.set(name, [event.file]);
        break;
      }
      default:
        this.#files.get(event.file)!.pending.push(event);
    }
  }

  /** The image of one kind, or undefined where it would be the same as that of an earlier kind. */
  image(kind: ImageKind, random: () => number): CrashImage | undefined {
    const isPending = [...this.#files.values()].some(({ pending }) => pending.length > 0);
    const isRenamed = [...this.#names.values()].some((meanings) => meanings.length > 1);
    if (kind !== 'kill' && !isPending && !isRenamed) return undefined;
    if (NEEDS_CHANGES.has(kind) && !isPending) return undefined;
    if (kind === 'names lost' && !isRenamed) return undefined;
    const files: DiskImage = new Map();
    for (const [name, meanings] of this.#names) {
      const file = meanings[this.#meaning(kind, meanings.length, random)];
      if (file !== undefined) files.set(name, this.#contentAfter(kind, this.#files.get(file)!, random));
    }
    return { kind, files };
  }

  #rename(name: string, file: number | undefined): void {
    const meanings = this.#names.get(name) ?? [undefined];
    this.#names.set(name, [...meanings, file]);
  }

  /** Which of the meanings of a name the crash keeps. */
  #meaning(kind: ImageKind, count: number, random: () => number): number {
    if (kind === 'unflushed lost') return 0;
    if (kind === 'names lost' || kind === 'mixed') return Math.floor(random() * count);
    return count - 1;
  }

  #contentAfter(kind: ImageKind, { durable, pending }: FileState, random: () => number): Uint8Array {
    if (pending.length === 0 || kind === 'unflushed lost') return durable;
    switch (kind) {
      case 'kill':
      case 'names lost':
        return contentOf(durable, pending);
      case 'torn at 1 B':
        return contentOf(durable, torn(pending, 1, random));
      case 'torn at 512 B':
        return contentOf(durable, torn(pending, 512, random));
      case 'torn at 4 KB':
        return contentOf(durable, torn(pending, 4096, random));
      case 'reordered in 512 B':
        return contentOf(durable, pieces(pending, 512, random));
      case 'reordered in 4 KB':
        return contentOf(durable, pieces(pending, 4096, random));
      case 'zero-extended':
        return contentOf(durable, pending.map(zeroed));
      case 'mixed': {
        const kept = pending.filter(() => random() < 0.7);
        const changes = random() < 0.5 ? pieces(kept, 512, random) : torn(kept, 1, random);
        return contentOf(durable, random() < 0.2 ? kept.map(zeroed) : changes);
      }
    }
  }
}

const NEEDS_CHANGES: ReadonlySet<ImageKind> = new Set([
  'torn at 1 B',
  'torn at 512 B',
  'torn at 4 KB',
  'reordered in 512 B',
  'reordered in 4 KB',
  'zero-extended',
]);

function contentOf(durable: Uint8Array, changes: readonly Change[]): Uint8Array {
  if (changes.length === 0) return durable;
  const content = new GrowableBytes();
  content.write(0, durable);
  for (const change of changes)
    if (change.kind === 'truncate') content.resize(change.size);
    else content.write(change.offset, change.bytes);
  return content.copy(0, content.length);
}

/** The last change stops at a border of `unit` bytes of the file; those before are whole. */
function torn(changes: readonly Change[], unit: number, random: () => number): Change[] {
  const last = changes.at(-1);
  if (!last) return [];
  const before = changes.slice(0, -1);
  if (last.kind === 'truncate') return before;
  const { offset, bytes } = last;
  const firstBorder = unit === 1 ? offset : Math.ceil((offset + 1) / unit) * unit;
  const borders = Math.ceil((offset + bytes.length - firstBorder) / unit);
  // Without a border inside, nothing of it or all of it is there.
  if (borders <= 0) return random() < 0.5 ? before : [...changes];
  const end = firstBorder + Math.floor(random() * borders) * unit;
  return [...before, { ...last, bytes: bytes.subarray(0, end - offset) }];
}

/** Each change in pieces between borders of `unit` bytes, some of which are missing. */
function pieces(changes: readonly Change[], unit: number, random: () => number): Change[] {
  // Few or many are kept, not always half.
  const share = random();
  const kept: Change[] = [];
  for (const change of changes) {
    if (change.kind === 'truncate') {
      if (random() < share) kept.push(change);
      continue;
    }
    const { offset, bytes } = change;
    for (let start = 0; start < bytes.length; ) {
      const end = Math.min(bytes.length, (Math.floor((offset + start) / unit) + 1) * unit - offset);
      if (random() < share)
        kept.push({ ...change, offset: offset + start, bytes: bytes.subarray(start, end) });
      start = end;
    }
  }
  return kept;
}

function zeroed(change: Change): Change {
  return change.kind === 'truncate' ? change : { ...change, bytes: new Uint8Array(change.bytes.length) };
}
