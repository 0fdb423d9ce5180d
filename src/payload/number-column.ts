/**
 * Numbers and dates: eight bytes a row. What has no number is a NaN whose low half is its code in a dictionary: for
 * most columns that is what is missing. NaNs pass no comparison, so a range is one pass over the numbers as they lie;
 * it takes 1.6 ms a million rows, where a sorted order would take four bytes a row more, and time to be kept.
 */
import type { Metadata } from '../base/api.ts';
import type { Test } from '../filter/condition.ts';
import { type Column, PAGE_ROWS, PAGE_SHIFT, PAGE_WORDS } from './column.ts';
import { joinBytes, splitBytes } from './column-bytes.ts';
import { Dictionary, HASHED, MISSING, type Verdict } from './dictionary.ts';
import { Composite, type FieldImage, imager } from './field-image.ts';
import type { Interval, NumberScale } from './intervals.ts';
import { anyRows, noRows, type RowBounds, type WordRange } from './row-bounds.ts';

/** The high half of what is no number: no arithmetic makes it. */
const CODE_MARK = 0xfff8_0001;

export class NumberColumn implements Column {
  readonly #path: string;
  readonly #scale: NumberScale;
  readonly #image: (metadata: Metadata) => FieldImage;
  readonly #dictionary: Dictionary;
  readonly #pages: Page[] = [];
  #rowCount = 0;
  #codedCount = 0;
  #hasHashed = false;

  constructor(path: string, scale: NumberScale, dictionary = new Dictionary()) {
    this.#path = path;
    this.#scale = scale;
    this.#image = imager(path);
    this.#dictionary = dictionary;
  }

  get memoryBytes(): number {
    return this.#pages.length * PAGE_ROWS * Float64Array.BYTES_PER_ELEMENT + this.#dictionary.memoryBytes;
  }

  push(metadata: Metadata | undefined): void {
    const image = metadata && this.#image(metadata);
    const number = image instanceof Composite ? undefined : this.#scale.numberOf(image);
    if (number !== undefined) this.#place().numbers[this.#rowCount++ & (PAGE_ROWS - 1)] = number;
    else this.#pushCode(this.#dictionary.codeOf(image, this.#rowCount));
  }

  looksOf(test: Test): number {
    return this.#codedCount === 0 ? 0 : this.#dictionary.looksOf(test);
  }

  select(test: Test, range: WordRange): RowBounds {
    const intervals = this.#scale.intervalsOf(test);
    if (!intervals) return anyRows(range);
    const bounds = noRows(range);
    this.#eachPage(range, (page, firstWord, at, count) => {
      const words = bounds.certain.subarray(at, at + count);
      if (intervals instanceof Set) lookUp(page.numbers, firstWord, intervals, words);
      else for (const interval of intervals as Interval[]) compare(page.numbers, firstWord, interval, words);
    });
    if (this.#codedCount === 0) return bounds;
    const verdict = this.#dictionary.judge(test, this.#hasHashed);
    if (verdict.isNone && !this.#hasHashed) return bounds;
    return this.#selectCoded(verdict, bounds, range);
  }

  encode(firstRow: number, endRow: number): Uint8Array<ArrayBuffer> {
    const images: FieldImage[] = [];
    const localCodes = new Map<number, number>([[MISSING, MISSING]]);
    const halves = new Uint32Array(2 * (endRow - firstRow));
    for (let row = firstRow; row < endRow; row++) {
      const { halves: from } = this.#pages[row >>> PAGE_SHIFT]!;
      const at = 2 * (row & (PAGE_ROWS - 1));
      const to = 2 * (row - firstRow);
      halves[to] = from[at]!;
      halves[to + 1] = from[at + 1]!;
      if (from[at + 1] !== CODE_MARK || from[at]! >= HASHED) continue;
      let local = localCodes.get(from[at]!);
      if (local === undefined) {
        local = images.push(this.#dictionary.image(from[at]!));
        localCodes.set(from[at]!, local);
      }
      halves[to] = local;
    }
    return joinBytes(images, halves);
  }

  decode(bytes: Uint8Array, rowCount: number): void {
    const { images, values } = splitBytes(bytes);
    const halves = new Uint32Array(values);
    if (halves.length !== 2 * rowCount)
      throw new RangeError(`${halves.length} halves of ${rowCount} numbers`);
    const codes = [undefined, ...images].map((image) =>
      this.#dictionary.codeOf(image, this.#rowCount + rowCount),
    );
    for (let at = 0; at < halves.length; at += 2) {
      const low = halves[at]!;
      if (halves[at + 1] !== CODE_MARK) this.#pushHalves(low, halves[at + 1]!);
      else {
        const code = low >= HASHED ? low : codes[low];
        if (code === undefined) throw new RangeError(`code ${low} of ${images.length}`);
        this.#pushCode(code);
      }
    }
  }

  renumbered(oldRows: Uint32Array): Column {
    const column = new NumberColumn(this.#path, this.#scale, this.#dictionary);
    for (const row of oldRows) {
      const { halves } = this.#pages[row >>> PAGE_SHIFT]!;
      const at = 2 * (row & (PAGE_ROWS - 1));
      if (halves[at + 1] === CODE_MARK) column.#pushCode(halves[at]!);
      else column.#pushHalves(halves[at]!, halves[at + 1]!);
    }
    return column;
  }

  #selectCoded(verdict: Verdict, { certain }: RowBounds, range: WordRange): RowBounds {
    const { table } = verdict;
    const possible = this.#hasHashed ? certain.slice() : certain;
    this.#eachPage(range, ({ halves }, firstWord, at, count) => {
      for (let row = 0; row < count * 32; row++) {
        const low = 2 * (firstWord * 32 + row);
        if (halves[low + 1] !== CODE_MARK) continue;
        const code = halves[low]!;
        const said = code < HASHED ? 2 * table[code]! : Dictionary.judgeOther(code, verdict);
        if (said === 0) continue;
        const word = at + (row >>> 5);
        possible[word]! |= 1 << (row & 31);
        if (said === 2) certain[word]! |= 1 << (row & 31);
      }
    });
    return { certain, possible };
  }

  /** @param visit gets a page, the first of its words that is wanted, where that stands in the answer, and how many are */
  #eachPage(
    { firstWord, endWord }: WordRange,
    visit: (page: Page, firstWord: number, at: number, count: number) => void,
  ): void {
    for (let word = firstWord; word < endWord; ) {
      const number = Math.floor(word / PAGE_WORDS);
      const page = this.#pages[number];
      if (!page) return;
      const end = Math.min(endWord, (number + 1) * PAGE_WORDS);
      visit(page, word % PAGE_WORDS, word - firstWord, end - word);
      word = end;
    }
  }

  #pushCode(code: number): void {
    this.#codedCount++;
    this.#hasHashed ||= code >= HASHED;
    this.#pushHalves(code, CODE_MARK);
  }

  /** As whole numbers, which no engine changes on the way as it may the bits of a NaN. */
  #pushHalves(low: number, high: number): void {
    const { halves } = this.#place();
    const at = 2 * (this.#rowCount++ & (PAGE_ROWS - 1));
    halves[at] = low;
    halves[at + 1] = high;
  }

  /** The page of the next row. */
  #place(): Page {
    if (this.#rowCount % PAGE_ROWS === 0) this.#pages.push(newPage());
    return this.#pages.at(-1)!;
  }
}

interface Page {
  numbers: Float64Array;
  /** The same: the low half first, as all engines that run WebAssembly have it. */
  halves: Uint32Array;
}

function newPage(): Page {
  const numbers = new Float64Array(PAGE_ROWS);
  return { numbers, halves: new Uint32Array(numbers.buffer) };
}

/** Adds what is in the interval to the words, without a branch to guess: with one it takes five times as long. To compare
 *  with one bound takes two thirds of the time of two. */
function compare(
  numbers: Float64Array,
  firstWord: number,
  { first, end }: Interval,
  words: Uint32Array,
): void {
  if (end === Number.POSITIVE_INFINITY) {
    compareFrom(numbers, firstWord, first, words);
    return;
  }
  for (let word = 0, at = firstWord * 32; word < words.length; word++) {
    let bits = 0;
    for (let bit = 0; bit < 32; bit++, at++) {
      const number = numbers[at]!;
      bits |= (Number(number >= first) & Number(number < end)) << bit;
    }
    words[word]! |= bits;
  }
}

function compareFrom(numbers: Float64Array, firstWord: number, first: number, words: Uint32Array): void {
  for (let word = 0, at = firstWord * 32; word < words.length; word++) {
    let bits = 0;
    for (let bit = 0; bit < 32; bit++, at++) bits |= Number(numbers[at]! >= first) << bit;
    words[word]! |= bits;
  }
}

function lookUp(
  numbers: Float64Array,
  firstWord: number,
  wanted: ReadonlySet<unknown>,
  words: Uint32Array,
): void {
  for (let row = 0; row < words.length * 32; row++)
    if (wanted.has(numbers[firstWord * 32 + row]!)) words[row >>> 5]! |= 1 << (row & 31);
}
