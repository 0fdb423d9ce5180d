import type { CollectionConfig, FieldKind, Fields, Quantization } from '../base/api.ts';
import { checkInteger, checkKeys, checkObject, checkOneOf, invalid, unsupported } from '../base/check.ts';
import { IsovecError } from '../base/errors.ts';
import { DIMENSIONS_MAX, EF_MAX, LINK_CODES_DIMENSIONS_MAX, M_MAX, M_MIN } from '../base/limits.ts';
import { checkedSchema } from './schemas.ts';

/** A collection's configuration with every default filled in: what is stored, and what everything inside receives. */
export interface ResolvedConfig {
  dimensions: number;
  metric: 'cosine' | 'dot' | 'euclidean';
  quantization: Quantization;
  index: {
    /** Left out for isovec's own. */
    engine?: 'hnswlib-wasm';
    type: 'hnsw' | 'flat';
    m: number;
    efConstruction: number;
    efSearch: number;
    /** Left out where there are none. */
    linkCodes?: true;
  };
  maxMagnitude?: number;
  /** In canonical form. */
  schema?: object;
  embedding?: { fingerprint: string };
  /** Left out: records have no text. */
  text?: TextConfig;
  /** Left out where none are indexed. */
  fields?: Fields;
}

export interface TextConfig {
  language: 'en' | 'none';
}

const CONFIG_KEYS = [
  'dimensions',
  'metric',
  'quantization',
  'index',
  'schema',
  'fields',
  'text',
  'maxMagnitude',
  'embedding',
] as const;
const INDEX_KEYS = ['engine', 'type', 'm', 'efConstruction', 'efSearch', 'linkCodes'] as const;

/**
 * Checks a configuration and fills in the defaults.
 * @param config with its schema in canonical form
 * @throws IsovecError INVALID_ARGUMENT; UNSUPPORTED for what this version does not do yet
 */
export function resolveConfig(config: CollectionConfig): ResolvedConfig {
  checkConfig(config);
  const {
    dimensions,
    metric = 'cosine',
    quantization = 'none',
    index = {},
    maxMagnitude,
    schema,
    embedding,
    text,
    fields = {},
  } = config;
  if (dimensions === undefined)
    throw new IsovecError(
      'INVALID_ARGUMENT',
      'config.dimensions is missing: give the length of your vectors',
      {
        details: { path: 'config.dimensions' },
      },
    );
  const { engine = 'isovec', type = 'hnsw', m = 16, efConstruction = 200, efSearch = 64, linkCodes } = index;
  return {
    dimensions,
    metric,
    quantization,
    index: {
      ...(engine !== 'isovec' && { engine }),
      type,
      m,
      efConstruction,
      efSearch,
      ...(linkCodes && { linkCodes }),
    },
    ...(maxMagnitude !== undefined && { maxMagnitude }),
    ...(schema !== undefined && { schema }),
    ...(embedding && { embedding: { fingerprint: embedding.fingerprint } }),
    ...(text && { text: { language: languageOf(text) ?? 'en' } }),
    ...(Object.keys(fields).length > 0 && { fields }),
  };
}

/**
 * The configuration with its schema in canonical form.
 * @throws IsovecError INVALID_ARGUMENT where the schema is no JSON Schema, naming the place in it
 */
export async function withCheckedSchema(config: CollectionConfig): Promise<CollectionConfig> {
  checkObject(config, 'config');
  if (config.schema === undefined) return config;
  return { ...config, schema: await checkedSchema(config.schema, 'config.schema') };
}

function checkConfig(config: CollectionConfig): void {
  checkObject(config, 'config');
  checkKeys(config, CONFIG_KEYS, 'config');
  const { dimensions, metric, quantization, index, fields, text, maxMagnitude, embedding } = config;
  if (dimensions !== undefined) checkInteger(dimensions, 1, DIMENSIONS_MAX, 'config.dimensions');
  if (metric !== undefined) checkOneOf(metric, ['cosine', 'dot', 'euclidean'], 'config.metric');
  if (quantization !== undefined) checkQuantization(quantization, 'config.quantization');
  if (text !== undefined) checkTextConfig(text);
  if (fields !== undefined) checkFields(fields, 'config.fields');
  if (maxMagnitude !== undefined && !(typeof maxMagnitude === 'number' && maxMagnitude > 0))
    throw new IsovecError(
      'INVALID_ARGUMENT',
      `config.maxMagnitude must be a positive number, not ${String(maxMagnitude)}`,
      { details: { path: 'config.maxMagnitude' } },
    );
  if (embedding !== undefined) checkEmbedding(embedding);
  if (index !== undefined) checkIndexConfig(index);
  if (index?.engine === 'hnswlib-wasm') checkHnswlibConfig(config);
  if (index?.linkCodes) checkLinkCodes(config);
}

function checkTextConfig(text: NonNullable<CollectionConfig['text']>): void {
  if (typeof text === 'boolean') return;
  checkObject(text, 'config.text');
  checkKeys(text, ['language'], 'config.text');
  if (text.language !== undefined) checkOneOf(text.language, ['en', 'none'], 'config.text.language');
}

/** What is said of it, if anything is. */
function languageOf(text: CollectionConfig['text']): 'en' | 'none' | undefined {
  return typeof text === 'object' ? text.language : undefined;
}

const FIELD_KINDS: readonly FieldKind[] = ['keyword', 'number', 'boolean', 'date'];

/** @throws IsovecError INVALID_ARGUMENT */
export function checkFields(fields: Fields, path: string): void {
  checkObject(fields, path);
  for (const [field, kind] of Object.entries(fields)) {
    if (field.startsWith('$')) throw invalid(`${path}.${field}`, 'a field that a filter can name', field);
    checkOneOf(kind, FIELD_KINDS, `${path}.${field}`);
  }
}

/** What hnswlib-wasm does not do. */
function checkHnswlibConfig({ quantization, index }: CollectionConfig): void {
  const engine = "index.engine 'hnswlib-wasm'";
  if (index?.type === 'flat') throw unsupported(`${engine} with type 'flat'`, 'config.index.type');
  if (quantization !== undefined && quantization !== 'none')
    throw unsupported(`${engine} with quantization '${quantization}'`, 'config.quantization');
}

function checkLinkCodes({ dimensions = 1, quantization, index }: CollectionConfig): void {
  const isOther = index?.engine === 'hnswlib-wasm' || index?.type === 'flat' || quantization === 'binary';
  if (isOther || dimensions > LINK_CODES_DIMENSIONS_MAX)
    throw unsupported(
      `index.linkCodes with hnswlib-wasm, 'flat', 'binary' or above ${LINK_CODES_DIMENSIONS_MAX} dimensions`,
      'config.index.linkCodes',
    );
}

/** @throws IsovecError INVALID_ARGUMENT */
export function checkQuantization(quantization: Quantization, path: string): void {
  checkOneOf(quantization, ['none', 'int8', 'binary'], path);
}

function checkEmbedding(embedding: NonNullable<CollectionConfig['embedding']>): void {
  checkObject(embedding, 'config.embedding');
  checkKeys(embedding, ['fingerprint'], 'config.embedding');
  const { fingerprint } = embedding;
  if (typeof fingerprint !== 'string' || fingerprint === '')
    throw invalid('config.embedding.fingerprint', 'a string that names a model', fingerprint);
}

function checkIndexConfig(index: NonNullable<CollectionConfig['index']>): void {
  checkObject(index, 'config.index');
  checkKeys(index, INDEX_KEYS, 'config.index');
  const { engine, type, m, efConstruction, efSearch, linkCodes } = index;
  if (engine !== undefined) checkOneOf(engine, ['isovec', 'hnswlib-wasm'], 'config.index.engine');
  if (type !== undefined) checkOneOf(type, ['hnsw', 'flat'], 'config.index.type');
  if (m !== undefined) checkInteger(m, M_MIN, M_MAX, 'config.index.m');
  if (efConstruction !== undefined) checkInteger(efConstruction, 1, EF_MAX, 'config.index.efConstruction');
  if (efSearch !== undefined) checkInteger(efSearch, 1, EF_MAX, 'config.index.efSearch');
  if (linkCodes !== undefined) checkOneOf(linkCodes, [true, false], 'config.index.linkCodes');
}

/** What changes a field of a collection that is there. */
const CHANGES: Record<string, string> = {
  quantization: 'setQuantization',
  schema: 'setSchema',
  fields: 'setFields',
};

/**
 * @throws IsovecError CONFIG_MISMATCH, naming every field of `config` that says something else than what is stored;
 *         fields left out contradict nothing
 */
export function checkConfigMatches(name: string, config: CollectionConfig, stored: ResolvedConfig): void {
  checkConfig(config);
  const given: Record<string, unknown> = {
    dimensions: config.dimensions,
    metric: config.metric,
    quantization: config.quantization,
    maxMagnitude: config.maxMagnitude,
    schema: config.schema,
    'embedding.fingerprint': config.embedding?.fingerprint,
    text: config.text === undefined ? undefined : Boolean(config.text),
    'text.language': languageOf(config.text),
    fields: config.fields && inOrder(config.fields),
    'index.engine': config.index?.engine,
    'index.type': config.index?.type,
    'index.m': config.index?.m,
    'index.efConstruction': config.index?.efConstruction,
    'index.efSearch': config.index?.efSearch,
    'index.linkCodes': config.index?.linkCodes,
  };
  const held: Record<string, unknown> = {
    ...stored,
    'embedding.fingerprint': stored.embedding?.fingerprint,
    text: stored.text !== undefined,
    'text.language': stored.text?.language,
    fields: inOrder(stored.fields ?? {}),
    'index.engine': stored.index.engine ?? 'isovec',
    'index.type': stored.index.type,
    'index.m': stored.index.m,
    'index.efConstruction': stored.index.efConstruction,
    'index.efSearch': stored.index.efSearch,
    'index.linkCodes': stored.index.linkCodes ?? false,
  };
  const mismatches = Object.keys(given)
    .filter((field) => given[field] !== undefined && !isSame(given[field], held[field]))
    .map((field) => ({ field, stored: held[field], given: given[field] }));
  if (mismatches.length === 0) return;
  const list = mismatches.map(({ field, stored: has, given: got }) => {
    const told = field === 'schema' ? 'schema is another' : `${field} is ${has}, not ${got}`;
    const isFixed = field === 'quantization' && stored.index.engine !== undefined;
    const change = isFixed ? undefined : CHANGES[field];
    return change ? `${told} (leave it out, and change it by ${change}())` : told;
  });
  throw new IsovecError('CONFIG_MISMATCH', `collection "${name}" is stored otherwise: ${list.join('; ')}`, {
    details: { collection: name, mismatches },
  });
}

/** Of values that are canonical where they are objects. */
function isSame(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));
}

/** To be compared: whatever order they were given in. */
function inOrder(fields: Fields): string {
  return JSON.stringify(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
}
