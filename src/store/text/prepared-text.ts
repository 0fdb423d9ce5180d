import type { RankedRows } from '../../text/best-rows.ts';
import { type Expansion, expand, isExact } from '../../text/expand.ts';
import type { Postings } from '../../text/postings.ts';
import type { Ranked } from '../../text/rank.ts';
import { Segment, type SegmentTerm } from '../../text/segment.ts';
import { type TextQuery, wordsOf } from '../../text/text-query.ts';
import type { CollectionState } from '../collection-state.ts';
import type { Engine } from '../engine.ts';
import type { MatchingRows } from '../matching-rows.ts';
import type { CheckedText } from './checked-text.ts';
import { textIndexOf } from './segment-files.ts';
import type { TextIndex } from './text-index.ts';

/** Where a term's postings are, and the block that they are in. */
interface LoadedTerm {
  at: SegmentTerm;
  payload: Uint8Array;
}

type LoadedTerms = ReadonlyMap<Segment, ReadonlyMap<string, LoadedTerm>>;

/** What of a text index a query needs, read beforehand, so that it can be ranked in one turn. */
export class PreparedText {
  readonly #state: CollectionState;
  readonly #index: TextIndex;
  readonly #query: TextQuery;
  readonly #loaded: LoadedTerms;
  #expansions: Expansion[][];
  /** Of the index, when the expansions were found. */
  #endRow: number;

  /** @throws IsovecError CORRUPTION naming a record that is damaged */
  static async make(
    engine: Engine,
    state: CollectionState,
    { text, options }: CheckedText,
    signal: AbortSignal | undefined,
  ): Promise<PreparedText> {
    const index = textIndexOf(engine, state);
    await index.catchUp(() => state.rows.rowCount, signal);
    const query = { words: wordsOf(text, index.analyzer), ...options };
    const expansions = expandAll(query, index);
    const { endRow } = index;
    const loaded = await index.reading(() => load(engine, index, expansions));
    return new PreparedText(state, index, query, loaded, { expansions, endRow });
  }

  private constructor(
    state: CollectionState,
    index: TextIndex,
    query: TextQuery,
    loaded: LoadedTerms,
    { expansions, endRow }: { expansions: Expansion[][]; endRow: number },
  ) {
    this.#state = state;
    this.#index = index;
    this.#query = query;
    this.#loaded = loaded;
    this.#expansions = expansions;
    this.#endRow = endRow;
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

  /** Where in a text something is found. */
  highlights(text: string): { start: number; end: number }[] {
    const terms = termsOf(this.#expansions);
    const found: { start: number; end: number }[] = [];
    this.#index.analyzer.forEach(text, (term, start, end) => {
      if (terms.has(term)) found.push({ start, end });
    });
    return found;
  }

  #ranked(matching: MatchingRows | undefined): Ranked | undefined {
    const index = this.#index;
    const isLoaded = index.parts.every((part) => !(part instanceof Segment) || this.#loaded.has(part));
    if (!isLoaded || !index.takeRest()) return undefined;
    // What is new adds to what there was, and so asks for nothing more of what has been read.
    if (index.endRow !== this.#endRow) this.#expansions = expandAll(this.#query, index);
    this.#endRow = index.endRow;
    const { rows } = this.#state;
    return {
      words: this.#expansions,
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

function expandAll(query: TextQuery, { parts }: TextIndex): Expansion[][] {
  if (isExact(query)) return query.words.map((term) => [{ term, weight: 1 }]);
  return query.words.map((word) => expand(word, query, parts));
}

function termsOf(expansions: readonly (readonly Expansion[])[]): Set<string> {
  return new Set(expansions.flatMap((each) => each.map(({ term }) => term)));
}

async function load(
  engine: Engine,
  index: TextIndex,
  expansions: readonly (readonly Expansion[])[],
): Promise<LoadedTerms> {
  const terms = termsOf(expansions);
  const loaded = new Map<Segment, ReadonlyMap<string, LoadedTerm>>();
  for (const part of index.parts) {
    if (!(part instanceof Segment)) continue;
    try {
      loaded.set(part, await loadOf(engine, part, terms));
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
): Promise<ReadonlyMap<string, LoadedTerm>> {
  const loaded = new Map<string, LoadedTerm>();
  for (const term of terms) {
    const at = segment.find(term);
    if (!at) continue;
    const key = `${segment.source.name}:${at.block}`;
    const read = () => segment.readBlock(at.block);
    const block = engine.cache.get(key, segment.blockBytes(at.block), read);
    loaded.set(term, { at, payload: block instanceof Uint8Array ? block : await block });
  }
  return loaded;
}
