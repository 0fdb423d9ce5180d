import { checkNotAborted } from '../../base/abort.ts';
import type { Hit, Query, RecommendQuery } from '../../base/api.ts';
import { invalid } from '../../base/check.ts';
import { IsovecError } from '../../base/errors.ts';
import { NO_ROW } from '../../tables/id-hash.ts';
import type { CollectionState } from '../collection-state.ts';
import { PlanRecorder } from '../plan-recorder.ts';
import { selectingFrom } from '../query.ts';
import { checkQuery } from '../query-plan.ts';
import { checkIds } from '../records.ts';
import type { Called } from '../seldom-calls.ts';
import { checkVector } from '../vectors.ts';
import { selectHits } from './select.ts';
import type { FindHits } from './selecting.ts';

interface Examples {
  positive: string[];
  negative: string[];
}

/**
 * @throws IsovecError INVALID_ARGUMENT; NOT_FOUND for an example that is not there; INVALID_VECTOR where they leave no
 *         direction; and as a query
 */
export async function recommend(
  { engine, state, refresh }: Called,
  { positive, negative = [], vector: vectorGiven, ...given }: RecommendQuery & Pick<Query, 'vector'>,
): Promise<Hit[]> {
  const examples = checkExamples(positive, negative);
  const { config } = state;
  const anyVector = new Float32Array(config.dimensions).fill(1);
  if (vectorGiven !== undefined) throw invalid('query.vector', 'left out, to recommend', vectorGiven);
  const query = checkQuery({ ...given, vector: anyVector }, 'query', config);
  await query.filter;
  await refresh();
  await engine.findingIds;
  if (query.explain) query.plan = new PlanRecorder();
  const vector = await vectorOf(state, examples);
  query.plan?.endStage('examples');
  checkNotAborted(query.signal);
  const selecting = selectingFrom(engine, state);
  const hits = await selectHits(
    { ...query, vector },
    { ...selecting, find: excludingExamples(examples, selecting.find) },
  );
  checkNotAborted(query.signal);
  query.plan?.explain(hits);
  return hits;
}

/** @throws IsovecError INVALID_ARGUMENT, naming which */
function checkExamples(positive: unknown, negative: unknown): Examples {
  if (!Array.isArray(positive) || positive.length === 0)
    throw invalid('query.positive', 'an array of one id or more', positive);
  if (!Array.isArray(negative)) throw invalid('query.negative', 'an array of ids', negative);
  return { positive: checkIds(positive, 'query.positive'), negative: checkIds(negative, 'query.negative') };
}

/**
 * @returns the vector to search by
 * @throws IsovecError NOT_FOUND for an example that is not there, INVALID_VECTOR where they leave no direction
 */
async function vectorOf(
  state: CollectionState,
  { positive, negative }: Examples,
): Promise<Float32Array<ArrayBuffer>> {
  const liked = await averageOf(state, positive, 'query.positive');
  const disliked = negative.length > 0 ? await averageOf(state, negative, 'query.negative') : liked;
  const vector = new Float32Array(liked.map((component, at) => 2 * component - disliked[at]!));
  const { dimensions, metric } = state.config;
  checkVector(vector, { dimensions, metric }, 'the average of the examples');
  return vector;
}

async function averageOf(state: CollectionState, ids: string[], name: string): Promise<Float64Array> {
  const encoder = new TextEncoder();
  const rows = ids.map((id, at) => {
    const row = state.rows.find(encoder.encode(id));
    if (row !== NO_ROW) return row;
    const path = `${name}[${at}]`;
    throw new IsovecError('NOT_FOUND', `${path} "${id}" is not there`, { details: { path, id } });
  });
  const sum = new Float64Array(state.config.dimensions);
  const isCosine = state.config.metric === 'cosine';
  for (const { vector } of await state.read(rows, { body: false, vector: true })) {
    const weight = (isCosine ? 1 / lengthOf(vector!) : 1) / ids.length;
    for (let at = 0; at < sum.length; at++) sum[at]! += vector![at]! * weight;
  }
  return sum;
}

function lengthOf(vector: Float32Array): number {
  let sum = 0;
  for (const component of vector) sum += component * component;
  return Math.sqrt(sum);
}

/** Never finds the examples: what is found leaves room for them. */
function excludingExamples({ positive, negative }: Examples, find: FindHits): FindHits {
  const examples = new Set([...positive, ...negative]);
  return async (query) => {
    const hits = await find({ ...query, topK: query.topK + examples.size });
    return hits.filter(({ id }) => !examples.has(id)).slice(0, query.topK);
  };
}
