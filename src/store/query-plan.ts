/** The door for queries. */
import type { Include, Query } from '../base/api.ts';
import { checkBoolean, checkInteger, checkObject, checkOneOf, invalid } from '../base/check.ts';
import { EF_MAX, TOP_K_DEFAULT, TOP_K_MAX } from '../base/limits.ts';
import type { CompiledFilter } from '../filter/filter.ts';
import type { ResolvedConfig } from './config.ts';
import { copyOf } from './copy-of.ts';
import { checkedFilter, type KnownFilters } from './given-filter.ts';
import type { PlanRecorder } from './plan-recorder.ts';
import type { GivenSelection } from './queries/selecting.ts';
import { checkVector, copyVector } from './vectors.ts';

export interface CheckedQuery {
  /** Empty for a query by text alone. */
  vector: Float32Array<ArrayBuffer>;
  text?: GivenText;
  topK: number;
  ef: number;
  exact: boolean;
  minScore: number;
  include: IncludeFlags;
  filter?: Promise<CompiledFilter>;
  signal?: AbortSignal;
  /** Not checked yet. */
  selection?: GivenSelection;
  explain: boolean;
  /** Where it is to be explained. */
  plan?: PlanRecorder;
}

/** What is asked of texts: checked where it is searched. */
export interface GivenText extends Pick<Query, 'text' | 'textOptions' | 'fusion'> {
  path: string;
}

export type IncludeFlags = Record<Include, boolean>;

const OPTIONS: ReadonlySet<string> = /* @__PURE__ */ new Set([
  'vector',
  'text',
  'topK',
  'filter',
  'include',
  'ef',
  'exact',
  'minScore',
  'fusion',
  'textOptions',
  'signal',
  'groupBy',
  'groupSize',
  'diversity',
  'explain',
] satisfies (keyof Query)[]);

/** What several queries may share, or one leave to the next. */
export interface CheckingQueries {
  filters?: KnownFilters;
  /** For a copy of the vector, if it is as long: memory of its own would take longer than all checks. */
  vector?: Float32Array<ArrayBuffer> | undefined;
}

/** @throws IsovecError INVALID_ARGUMENT, DIMENSION_MISMATCH, INVALID_VECTOR */
export function checkQuery(
  query: Query,
  path: string,
  config: ResolvedConfig,
  { filters, vector: into }: CheckingQueries = {},
): CheckedQuery {
  checkObject(query, path);
  // Not by a copy without the known ones, which takes a microsecond.
  for (const key of Object.keys(query))
    if (!OPTIONS.has(key) && query[key as keyof Query] !== undefined)
      throw invalid(`${path}.${key}`, 'left out (no such option)', query[key as keyof Query]);
  const {
    vector,
    text,
    topK = TOP_K_DEFAULT,
    filter,
    include,
    ef = config.index.efSearch,
    exact = false,
    minScore = Number.NEGATIVE_INFINITY,
    fusion,
    textOptions,
    signal,
    groupBy,
    groupSize,
    diversity,
    explain = false,
  } = query;
  if (vector === undefined && text === undefined) throw invalid(`${path}.vector`, 'given', vector);
  checkInteger(topK, 1, TOP_K_MAX, `${path}.topK`);
  checkInteger(ef, 1, EF_MAX, `${path}.ef`);
  checkBoolean(exact, `${path}.exact`);
  checkBoolean(explain, `${path}.explain`);
  if (typeof minScore !== 'number' || Number.isNaN(minScore))
    throw invalid(`${path}.minScore`, 'a number', minScore);
  const copy = vector === undefined ? new Float32Array() : copyVector(vector, `${path}.vector`, into);
  const { dimensions, metric } = config;
  if (vector !== undefined) checkVector(copy, { dimensions, metric }, `${path}.vector`);
  const checked: CheckedQuery = {
    vector: copy,
    topK,
    ef,
    exact,
    minScore,
    explain,
    include: checkInclude(include, ['metadata'], `${path}.include`),
  };
  if (text !== undefined) checked.text = copyOf({ text, textOptions, fusion, path } as GivenText);
  if (filter !== undefined) checked.filter = checkedFilter(filter, `${path}.filter`, filters);
  if (signal) checked.signal = signal;
  if ((groupBy ?? groupSize ?? diversity) !== undefined)
    checked.selection = { groupBy, groupSize, diversity, path };
  return checked;
}

const INCLUDES: readonly Include[] = ['vector', 'metadata', 'text', 'highlights'];

/** @param fallback what is included when nothing is said @param known what may be asked for */
export function checkInclude(
  include: Include[] | undefined,
  fallback: Include[],
  path: string,
  known = INCLUDES,
): IncludeFlags {
  const included = include ?? fallback;
  if (!Array.isArray(included)) throw invalid(path, 'an array', included);
  const flags: IncludeFlags = { vector: false, metadata: false, text: false, highlights: false };
  for (const [index, part] of included.entries()) {
    checkOneOf(part, known, `${path}[${index}]`);
    flags[part] = true;
  }
  return flags;
}
