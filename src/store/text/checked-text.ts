/** The door for what a query asks of texts. */
import type { Fusion, TextOptions } from '../../base/api.ts';
import { checkBoolean, checkInteger, checkKeys, checkObject, checkOneOf, invalid } from '../../base/check.ts';
import { TOP_K_MAX } from '../../base/limits.ts';
import type { TextQuery } from '../../text/text-query.ts';
import type { ResolvedConfig } from '../config.ts';
import type { GivenText } from '../query-plan.ts';

const RRF_K_DEFAULT = 60;
const VECTOR_WEIGHT_DEFAULT = 0.5;
/** So many are found fast by either; docs/benchmarks.md has what others come to. */
const CANDIDATES_DEFAULT = 100;

export interface CheckedText {
  text: string;
  options: Omit<TextQuery, 'words'>;
  fusion: Required<Fusion>;
}

/** @throws IsovecError INVALID_ARGUMENT, naming the place */
export function checkText(
  { text, textOptions = {}, fusion, path }: GivenText,
  config: ResolvedConfig,
): CheckedText {
  if (!config.text)
    throw invalid(`${path}.text`, 'left out of queries to a collection without config.text', text);
  if (typeof text !== 'string') throw invalid(`${path}.text`, 'a string', text);
  return {
    text,
    options: checkOptions(textOptions, `${path}.textOptions`),
    fusion: checkFusion(fusion ?? { method: 'rrf' }, `${path}.fusion`),
  };
}

function checkOptions(options: TextOptions, path: string): CheckedText['options'] {
  checkObject(options, path);
  checkKeys(options, ['prefix', 'fuzzy', 'operator'], path);
  const { prefix = false, fuzzy = false, operator = 'or' } = options;
  checkBoolean(prefix, `${path}.prefix`);
  checkOneOf(fuzzy, [true, false, 0, 1, 2], `${path}.fuzzy`);
  checkOneOf(operator, ['or', 'and'], `${path}.operator`);
  return { isPrefix: prefix, edits: fuzzy === true ? 'auto' : Number(fuzzy), isAll: operator === 'and' };
}

function checkFusion(fusion: Fusion, path: string): Required<Fusion> {
  checkObject(fusion, path);
  checkOneOf(fusion.method, ['rrf', 'weighted'], `${path}.method`);
  const isByRank = fusion.method === 'rrf';
  const known = ['method', 'vectorWeight', 'candidates'];
  checkKeys(fusion, isByRank ? [...known, 'k'] : known, path);
  const { vectorWeight = isByRank ? VECTOR_WEIGHT_DEFAULT : undefined } = fusion;
  const { candidates = CANDIDATES_DEFAULT } = fusion;
  checkInteger(candidates, 1, TOP_K_MAX, `${path}.candidates`);
  if (typeof vectorWeight !== 'number' || !(vectorWeight >= 0 && vectorWeight <= 1))
    throw invalid(`${path}.vectorWeight`, 'a number from 0 to 1', vectorWeight);
  if (!isByRank) return { method: 'weighted', vectorWeight, candidates };
  const { k = RRF_K_DEFAULT } = fusion;
  if (typeof k !== 'number' || !(k >= 0 && k < Number.POSITIVE_INFINITY))
    throw invalid(`${path}.k`, 'a number that is not negative', k);
  return { method: 'rrf', k, vectorWeight, candidates };
}
