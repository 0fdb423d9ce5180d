/** The door for queries. */
import type { Include, Query } from '../base/api.ts';
import { EF_MAX, TOP_K_DEFAULT, TOP_K_MAX } from '../base/limits.ts';
import type { CompiledFilter } from '../filter/filter.ts';
import { checkBoolean, checkInteger, checkObject, checkOneOf, invalid, unsupported } from './check.ts';
import type { ResolvedConfig } from './config.ts';
import { checkedFilter } from './given-filter.ts';
import type { GivenSelection } from './queries/select.ts';
import { checkVector, copyVector } from './vectors.ts';

export interface CheckedQuery {
  vector: Float32Array;
  topK: number;
  ef: number;
  exact: boolean;
  minScore: number;
  include: IncludeFlags;
  filter?: Promise<CompiledFilter>;
  signal?: AbortSignal;
  /** Not checked yet. */
  selection?: GivenSelection;
}

export interface IncludeFlags {
  vector: boolean;
  metadata: boolean;
}

/** @throws IsovecError INVALID_ARGUMENT, DIMENSION_MISMATCH, INVALID_VECTOR; UNSUPPORTED for text */
export function checkQuery(query: Query, path: string, config: ResolvedConfig): CheckedQuery {
  checkObject(query, path);
  const { vector, text, topK = TOP_K_DEFAULT, filter, include, ef = config.index.efSearch } = query;
  const { exact = false, minScore = Number.NEGATIVE_INFINITY, fusion, signal } = query;
  const { groupBy, groupSize, diversity } = query;
  if (text !== undefined) throw unsupported('text search', `${path}.text`);
  if (fusion !== undefined) throw unsupported('hybrid search', `${path}.fusion`);
  if (vector === undefined) throw invalid(`${path}.vector`, 'given', vector);
  checkInteger(topK, 1, TOP_K_MAX, `${path}.topK`);
  checkInteger(ef, 1, EF_MAX, `${path}.ef`);
  checkBoolean(exact, `${path}.exact`);
  if (typeof minScore !== 'number' || Number.isNaN(minScore))
    throw invalid(`${path}.minScore`, 'a number', minScore);
  const copy = copyVector(vector, `${path}.vector`);
  checkVector(copy, { ...config, maxMagnitude: Number.POSITIVE_INFINITY }, `${path}.vector`);
  return {
    vector: copy,
    topK,
    ef,
    exact,
    minScore,
    include: checkInclude(include, ['metadata'], `${path}.include`),
    ...(filter !== undefined && { filter: checkedFilter(filter, `${path}.filter`) }),
    ...(signal && { signal }),
    ...((groupBy ?? groupSize ?? diversity) !== undefined && {
      selection: { groupBy, groupSize, diversity, path },
    }),
  };
}

/** @param fallback what is included when nothing is said */
export function checkInclude(
  include: Include[] | undefined,
  fallback: Include[],
  path: string,
): IncludeFlags {
  const included = include ?? fallback;
  if (!Array.isArray(included)) throw invalid(path, 'an array', included);
  for (const [index, part] of included.entries())
    checkOneOf(part, ['vector', 'metadata', 'text'], `${path}[${index}]`);
  return { vector: included.includes('vector'), metadata: included.includes('metadata') };
}
