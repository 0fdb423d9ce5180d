/**
 * Values of one field as numbers. What the dictionary has no room for becomes a hash, if it is a string, or `UNKNOWN`:
 * then a test says of such rows what is certain, and the records say the rest.
 */
import { valueTest } from '../filter/compile.ts';
import type { Scalar, Test } from '../filter/condition.ts';
import { setOf } from '../filter/value-set.ts';
import { Composite, type FieldImage, imagePasses } from './field-image.ts';

export const MISSING = 0;
/** Codes from here on are no entries of the dictionary. */
export const HASHED = 0x8000_0000;
export const UNKNOWN = 0xffff_ffff;

/** Of an entry in V8 besides its text: in a map and in an array. */
const ENTRY_BYTES = 80;
/** With four or eight bytes of column: at most 16 a row. */
export const BYTES_PER_ROW = 8;
/** However few the rows are: those that come first should find room, too. */
const BYTES_MIN = 1024 * 1024;

/** Rows of a column that could be looked at while a test is asked of one value. */
const LOOKS_PER_ENTRY = 64;

export interface Verdict {
  /** By code: 1 where the test holds. */
  table: Uint8Array;
  isNone: boolean;
  /** Of rows whose code is a hash. */
  hashed: 'no' | 'maybe' | 'yes';
  /** Only these hashes, if given. */
  hashes?: ReadonlySet<number>;
}

export class Dictionary {
  readonly #images: FieldImage[] = [undefined];
  readonly #codes = new Map<Scalar, number>();
  readonly #composites = new Map<string, number>();
  #bytes = 0;

  get memoryBytes(): number {
    return this.#bytes;
  }

  /** Codes of entries are below. */
  get size(): number {
    return this.#images.length;
  }

  image(code: number): FieldImage {
    return this.#images[code];
  }

  /** @param rowCount of the column: how large the dictionary may be goes by it */
  codeOf(image: FieldImage, rowCount: number): number {
    if (image === undefined) return MISSING;
    const known = this.#find(image);
    if (known !== undefined) return known;
    const bytes = ENTRY_BYTES + bytesOf(image);
    if (this.#bytes + bytes > Math.max(BYTES_MIN, BYTES_PER_ROW * rowCount))
      return typeof image === 'string' ? hashOf(image) : UNKNOWN;
    this.#bytes += bytes;
    const code = this.#images.push(image) - 1;
    if (image instanceof Composite) this.#composites.set(image.key, code);
    else this.#codes.set(image, code);
    return code;
  }

  /** @returns 1 where the test may hold of a row whose code is none of an entry, 2 where it does */
  static judgeOther(code: number, { hashed, hashes }: Verdict): 0 | 1 | 2 {
    if (code === UNKNOWN) return 1;
    if (hashed === 'yes') return 2;
    return hashed === 'maybe' && (hashes === undefined || hashes.has(code)) ? 1 : 0;
  }

  looksOf(test: Test): number {
    return test.kind === 'in' ? Math.min(test.values.length, this.size) : this.size * LOOKS_PER_ENTRY;
  }

  /** @param hasHashed whether any row's code is a hash */
  judge(test: Test, hasHashed: boolean): Verdict {
    const table = new Uint8Array(this.size);
    if (test.kind === 'in') this.#judgeIn(test.values, table);
    else {
      const passes = valueTest(test);
      for (let code = 0; code < table.length; code++)
        table[code] = Number(imagePasses(this.#images[code], passes));
    }
    return { table, isNone: !table.includes(1), ...(hasHashed ? judgeHashed(test) : NONE_HASHED) };
  }

  #judgeIn(values: Scalar[], table: Uint8Array): void {
    if (values.length > table.length) {
      const wanted: ReadonlySet<unknown> = setOf(values);
      for (const [code, image] of this.#images.entries())
        table[code] = Number(wanted.has(code === MISSING ? null : image));
    } else
      for (const value of values) {
        const code = this.#codes.get(value);
        if (code !== undefined) table[code] = 1;
        if (value === null) table[MISSING] = 1;
      }
    if (this.#composites.size === 0) return;
    const passes = valueTest({ kind: 'in', values });
    for (const code of this.#composites.values())
      table[code] = Number(imagePasses(this.#images[code], passes));
  }

  #find(image: Exclude<FieldImage, undefined>): number | undefined {
    return image instanceof Composite ? this.#composites.get(image.key) : this.#codes.get(image);
  }
}

const NONE_HASHED = { hashed: 'no' } as const;

/** Of a string, all that is known is its hash. */
function judgeHashed(test: Test): Pick<Verdict, 'hashed' | 'hashes'> {
  switch (test.kind) {
    case 'in':
      return {
        hashed: 'maybe',
        hashes: new Set(test.values.filter((value) => typeof value === 'string').map(hashOf)),
      };
    case 'exists':
      return { hashed: 'yes' };
    case 'range':
      return { hashed: typeof test.bound === 'string' ? 'maybe' : 'no' };
    case 'contains':
      return { hashed: typeof test.value === 'string' ? 'maybe' : 'no' };
    case 'startsWith':
      return { hashed: 'maybe' };
  }
}

function bytesOf(image: FieldImage): number {
  if (typeof image === 'string') return 2 * image.length;
  // Its key, and its values.
  return image instanceof Composite ? 2 * ENTRY_BYTES + 4 * image.key.length : 0;
}

/** FNV-1a over UTF-16 units, in 31 bits. It is stored, so it stays. */
function hashOf(text: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  const code = (hash | HASHED) >>> 0;
  return code === UNKNOWN ? code - 1 : code;
}
