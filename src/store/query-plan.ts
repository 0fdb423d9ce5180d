/** The door for queries. */
import type { Include, Query } from '../base/api.ts';
import { checkBoolean, checkInteger, checkObject, checkOneOf, invalid } from '../base/check.ts';
import { EF_MAX, TOP_K_DEFAULT, TOP_K_MAX } from '../base/limits.ts';
import type { CompiledFilter } from '../filter/filter.ts';
import type { ResolvedConfig } from './config.ts';
import { copyOf } from './copy-of.ts';
import { checkedFilter, type KnownFilters } from './given-filter.ts';
import type { PlanRecorder } from './plan-recorder.ts';
import type { GivenSelection } from './queries/select.ts';
import { checkVector, copyVector } from './vectors.ts';

export interface CheckedQuery {
  /** Empty for a query by text alone. */
  vector: Float32Array;
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

/** @throws IsovecError INVALID_ARGUMENT, DIMENSION_MISMATCH, INVALID_VECTOR */
export function checkQuery(
  query: Query,
  path: string,
  config: ResolvedConfig,
  filters?: KnownFilters,
): CheckedQuery {
  checkObject(query, path);
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
    ...unknown
  } = query;
  for (const [key, value] of Object.entries(unknown))
    if (value !== undefined) throw invalid(`${path}.${key}`, 'left out (no such option)', value);
  if (vector === undefined && text === undefined) throw invalid(`${path}.vector`, 'given', vector);
  checkInteger(topK, 1, TOP_K_MAX, `${path}.topK`);
  checkInteger(ef, 1, EF_MAX, `${path}.ef`);
  checkBoolean(exact, `${path}.exact`);
  checkBoolean(explain, `${path}.explain`);
  if (typeof minScore !== 'number' || Number.isNaN(minScore))
    throw invalid(`${path}.minScore`, 'a number', minScore);
  const copy = vector === undefined ? new Float32Array() : copyVector(vector, `${path}.vector`);
  if (vector !== undefined)
    checkVector(copy, { ...config, maxMagnitude: Number.POSITIVE_INFINITY }, `${path}.vector`);
  return {
    vector: copy,
    topK,
    ef,
    exact,
    minScore,
    ...(text !== undefined && { text: copyOf({ text, textOptions, fusion, path } as GivenText) }),
    explain,
    include: checkInclude(include, ['metadata'], `${path}.include`),
    ...(filter !== undefined && { filter: checkedFilter(filter, `${path}.filter`, filters) }),
    ...(signal && { signal }),
    ...((groupBy ?? groupSize ?? diversity) !== undefined && {
      selection: { groupBy, groupSize, diversity, path },
    }),
  };
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
  for (const [index, part] of included.entries()) checkOneOf(part, known, `${path}[${index}]`);
  return Object.fromEntries(INCLUDES.map((part) => [part, included.includes(part)])) as IncludeFlags;
}
