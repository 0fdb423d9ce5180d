import type { Highlight } from '../../base/api.ts';
import { WORDS_PER_LOOK } from '../../text/analyzer.ts';
import type { RankedRows } from '../../text/best-rows.ts';
import { Expander, type Expansion, isExact } from '../../text/expand.ts';
import type { MemorySegment } from '../../text/memory-segment.ts';
import type { Postings } from '../../text/postings.ts';
import type { Ranked } from '../../text/rank.ts';
import { Segment, type SegmentTerm } from '../../text/segment.ts';
import { type TextQuery, wordsOf } from '../../text/text-query.ts';
import type { CollectionState } from '../collection-state.ts';
import type { Engine } from '../engine.ts';
import type { MatchingRows } from '../matching-rows.ts';
import { Slices } from '../slices.ts';
import type { CheckedText } from './checked-text.ts';
import { textIndexOf } from './segment-files.ts';
import type { TextIndex } from './text-index.ts';

/** Where a term's postings are, and the block that they are in. */
interface LoadedTerm {
  at: SegmentTerm;
  payload: Uint8Array;
}

type LoadedTerms = ReadonlyMap<Segment, ReadonlyMap<string, LoadedTerm>>;

/** Lets others have a turn, if it is time. */
type Rest = () => Promise<void> | undefined;

/** Terms looked at between looks at the clock: each by 1,024 words at most. */
const TERMS_PER_LOOK = 64;
/** Terms looked up in a dictionary between looks at the clock. */
const LOOK_UPS_PER_LOOK = 32;

/** What of a text index a query needs, read beforehand, so that it can be ranked in one turn. */
export class PreparedText {
  readonly #state: CollectionState;
  readonly #index: TextIndex;
  readonly #query: TextQuery;
  readonly #loaded: LoadedTerms;
  readonly #words: ExpandedWords;
  readonly #rest: Rest;
  readonly #isLast: boolean;

  /**
   * @param isLast it is to be of use, whatever has been written meanwhile
   * @throws IsovecError CORRUPTION naming a record that is damaged, ABORTED
   */
  static async make(
    engine: Engine,
    state: CollectionState,
    { text, options }: CheckedText,
    { signal, isLast }: { signal: AbortSignal | undefined; isLast: boolean },
  ): Promise<PreparedText> {
    const index = textIndexOf(engine, state);
    const slices = new Slices(engine.pause, signal);
    const rest = () => (slices.isOver ? slices.rest() : undefined);
    const query = { words: await wordsOf(text, index.analyzer, rest), ...options };
    await index.catchUp(() => state.rows.rowCount, signal);
    const words = new ExpandedWords(query);
    await words.expand(index, rest);
    const loaded = await index.reading(() => load(engine, index, words.terms(), rest));
    return new PreparedText(state, index, { query, words, loaded }, { rest, isLast });
  }

  private constructor(
    state: CollectionState,
    index: TextIndex,
    { query, words, loaded }: { query: TextQuery; words: ExpandedWords; loaded: LoadedTerms },
    { rest, isLast }: { rest: Rest; isLast: boolean },
  ) {
    this.#state = state;
    this.#index = index;
    this.#query = query;
    this.#words = words;
    this.#loaded = loaded;
    this.#rest = rest;
    this.#isLast = isLast;
  }

  /** @returns undefined where what was prepared is of another state than there is by now */
  rank(topK: number, matching: MatchingRows | undefined): RankedRows | undefined {
    const ranked = this.#ranked(matching);
    return ranked && this.#index.ranker.rank(ranked, topK);
  }

  /** Of these rows; zero for those that are not found. @returns undefined as `rank` does */
  scoresOf(rows: Uint32Array): Float64Array | undefined {
    const ranked = this.#ranked(undefined);
    return ranked && this.#index.ranker.scoresOf(ranked, rows);
  }

  /** Where in texts something is found. @throws IsovecError ABORTED */
  async highlights(texts: readonly (string | undefined)[]): Promise<Highlight[][]> {
    const terms = this.#words.terms();
    const all: Highlight[][] = [];
    for (const text of texts) {
      const found: Highlight[] = [];
      all.push(found);
      let count = 0;
      for (const words = this.#index.analyzer.read(text ?? ''); words.next(); ) {
        const { term, start, end } = words;
        if (terms.has(term)) found.push({ start, end });
        const rested = ++count % WORDS_PER_LOOK === 0 ? this.#rest() : undefined;
        if (rested) await rested;
      }
    }
    return all;
  }

  #ranked(matching: MatchingRows | undefined): Ranked | undefined {
    const index = this.#index;
    const isLoaded = index.parts.every((part) => !(part instanceof Segment) || this.#loaded.has(part));
    if (!isLoaded || !index.takeRest(this.#isLast) || !this.#words.takeRest(index)) return undefined;
    const { rows } = this.#state;
    return {
      words: this.#words.expansions(),
      isAll: this.#query.isAll,
      statistics: index.statistics(),
      lengths: index.lengths.values,
      read: (term, into) => this.#read(term, into),
      ...(rows.deadCount > 0 && { isLive: (row) => rows.isLive(row) }),
      ...(matching && { isWanted: isIn(matching) }),
    };
  }

  #read(term: string, into: Postings): void {
    for (const part of this.#index.parts) {
      if (!(part instanceof Segment)) part.readPostings(term, into);
      else {
        const loaded = this.#loaded.get(part)!.get(term);
        if (loaded) part.readPostings(loaded.at, loaded.payload, into);
      }
    }
  }
}

function isIn({ words }: MatchingRows): (row: number) => boolean {
  return (row) => ((words[row >>> 5] ?? 0) & (1 << (row & 31))) !== 0;
}

/** What the words of a query stand for, by the terms that there are. */
class ExpandedWords {
  /** Where the words stand for themselves only. */
  readonly #exact: Expansion[][] | undefined;
  readonly #expander: Expander;
  readonly #prefixes: readonly string[];
  /** Of the memory segment, so many terms have been offered. */
  #memory: MemorySegment | undefined;
  #termCount = 0;
  #known: Expansion[][] | undefined;

  constructor(query: TextQuery) {
    if (isExact(query)) this.#exact = query.words.map((term) => [{ term, weight: 1 }]);
    this.#expander = new Expander(query);
    this.#prefixes = query.words;
  }

  expansions(): Expansion[][] {
    this.#known ??= this.#exact ?? this.#expander.expansions();
    return this.#known;
  }

  terms(): Set<string> {
    return new Set(this.expansions().flatMap((each) => each.map(({ term }) => term)));
  }

  /** By all terms of the index. */
  async expand(index: TextIndex, rest: Rest): Promise<void> {
    if (this.#exact) return;
    const offer = (term: string) => this.#expander.offer(term);
    const { parts, memory } = index;
    for (const part of parts)
      if (part instanceof Segment)
        for (const block of this.#blocksOf(part)) {
          part.visitTerms(block, offer);
          const rested = rest();
          if (rested) await rested;
        }
    this.#memory = memory;
    for (const term of memory.terms()) {
      offer(term);
      const rested = ++this.#termCount % TERMS_PER_LOOK === 0 ? rest() : undefined;
      if (rested) await rested;
    }
  }

  /** By the terms that have come since, which only add to what there was: nothing more is asked of what has been read.
   *  @returns false where others have taken the place of those */
  takeRest({ memory }: TextIndex): boolean {
    if (this.#exact) return true;
    if (memory !== this.#memory) return false;
    if (memory.termCount === this.#termCount) return true;
    let at = 0;
    for (const term of memory.terms()) if (at++ >= this.#termCount) this.#expander.offer(term);
    this.#termCount = memory.termCount;
    this.#known = undefined;
    return true;
  }

  /** Those that have terms which a word may stand for. */
  #blocksOf(segment: Segment): Iterable<number> {
    if (this.#expander.isOfAllTerms) return Array(segment.blockCount).keys();
    const blocks = new Set<number>();
    for (const prefix of this.#prefixes) {
      const [first, end] = segment.blocksOf(prefix);
      for (let block = first; block < end; block++) blocks.add(block);
    }
    return blocks;
  }
}

async function load(
  engine: Engine,
  index: TextIndex,
  terms: ReadonlySet<string>,
  rest: Rest,
): Promise<LoadedTerms> {
  const loaded = new Map<Segment, ReadonlyMap<string, LoadedTerm>>();
  for (const part of index.parts) {
    if (!(part instanceof Segment)) continue;
    try {
      loaded.set(part, await loadOf(engine, part, terms, rest));
    } catch (error) {
      index.startOver(part.firstRow, error);
      break;
    }
  }
  return loaded;
}

async function loadOf(
  engine: Engine,
  segment: Segment,
  terms: ReadonlySet<string>,
  rest: Rest,
): Promise<ReadonlyMap<string, LoadedTerm>> {
  const loaded = new Map<string, LoadedTerm>();
  /** Each once, though the cache may be too small for all. */
  const blocks = new Map<number, Uint8Array>();
  let count = 0;
  for (const term of terms) {
    const rested = ++count % LOOK_UPS_PER_LOOK === 0 ? rest() : undefined;
    if (rested) await rested;
    const at = segment.find(term);
    if (!at) continue;
    let payload = blocks.get(at.block);
    if (!payload) {
      const key = `${segment.source.name}:${at.block}`;
      const block = engine.cache.get(key, segment.blockBytes(at.block), () => segment.readBlock(at.block));
      payload = block instanceof Uint8Array ? block : await block;
      blocks.set(at.block, payload);
    }
    loaded.set(term, { at, payload });
  }
  return loaded;
}
