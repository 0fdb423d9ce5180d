/**
 * A manifest made of the files that are there, for a database of which neither the manifest nor its copy can be read.
 *
 * Of each collection the newest epoch counts whose files are complete: those of a compaction that never ended are not.
 * Replaying more of the log than a lost manifest would have asked for does no harm, so all of it is replayed. It tells
 * what has become of whatever the files have too much: obsolete files are removed before the log that they do not hold.
 */
import { DIMENSIONS_MAX } from '../../base/limits.ts';
import { findOrphans } from '../../journal/creation.ts';
import { type LiveFile, MANIFEST_NAME, type Manifest } from '../../journal/manifest.ts';
import { parseSegmentName } from '../../journal/segment.ts';
import { readWatermark, watermarkOf } from '../../journal/watermark.ts';
import type { StorageFile } from '../../storage/storage.ts';
import { DATA_HEADER_BYTES, type DataFileIdentity } from '../../tables/data-header.ts';
import { parseDataFileName } from '../../tables/recognize-file.ts';
import type { RecordExtent } from '../../tables/rows-file.ts';
import { salvageVectors, vectorOffset, vectorStrideBytes } from '../../tables/vectors-file.ts';
import { FIRST_VECTOR_BYTES_MAX, findDimensions } from '../../tables/write-vectors.ts';
import { type ResolvedConfig, resolveConfig } from '../config.ts';
import { openHasher } from '../digest.ts';
import { type DatabaseState, growingFileNames, type StoredCollection } from '../manifest-state.ts';
import { type Definitions, readDefinitions } from './definitions.ts';
import { Findings } from './findings.ts';
import { type SurveyParts, surveyCollection } from './survey-collection.ts';
import { openIfThere } from './survey-file.ts';
import { KnownRows, RecordsSurvey, surveyRowsFile } from './survey-rows.ts';

/** Read at a time: a few milliseconds. */
const PIECE_BYTES = 1024 * 1024;
/** What a row takes at least, in each of its collection's files. */
const ROW_BYTES_MIN = 6;

interface Candidate {
  stored: StoredCollection;
  files: Record<string, LiveFile>;
  /** Nothing else said which. */
  isConfigMadeUp: boolean;
}

export type RebuildParts = Omit<SurveyParts, 'files'>;

/** @returns undefined where there is nothing to make one of */
export async function rebuildManifest(parts: RebuildParts): Promise<Manifest<DatabaseState> | undefined> {
  const { storage, findings } = parts;
  const names = await storage.list();
  if (!names.includes(MANIFEST_NAME) && (await findOrphans(storage)).length === 0) return undefined;
  const firstSequences = names.map(parseSegmentName).filter((sequence) => sequence !== undefined);
  const coveredSequence = firstSequences.length > 0 ? Math.min(...firstSequences) - 1 : 0;
  const identities = names.map(parseDataFileName).filter((identity) => identity !== undefined);
  const definitions = await readDefinitions(storage, coveredSequence);
  const files: Record<string, LiveFile> = {};
  const collections: StoredCollection[] = [];
  for (const id of new Set(identities.map(({ collectionId }) => collectionId))) {
    if (definitions.dropped.has(id)) continue;
    const chosen = await choose(parts, id, identities, definitions);
    if (!chosen) continue;
    collections.push(chosen.stored);
    Object.assign(files, chosen.files);
    if (chosen.isConfigMadeUp) tellMadeUp(findings, chosen.stored);
  }
  const idsThere = identities.map(({ collectionId }) => collectionId + 1);
  const nextCollectionId = Math.max(definitions.nextCollectionId, ...idsThere);
  // A graph's file is numbered after the manifest that first names it.
  const generations = identities.map(({ kind, number }) => (kind === 'graph' ? number : 0));
  const watermark = watermarkOf(storage);
  const told = watermark && readWatermark(watermark);
  const generation = Math.max(told?.generation ?? 0, ...generations);
  const state = { nextCollectionId, collections };
  return { generation, coveredSequence, writtenAt: 0, files, state };
}

function tellMadeUp(findings: Findings, { id, name, config }: StoredCollection): void {
  const { dimensions, metric } = config;
  findings.add(
    MANIFEST_NAME,
    'reference',
    `the name and the config of collection ${id} are lost; it is "${name}" now, with ${dimensions} dimensions and metric ${metric}`,
  );
}

async function choose(
  parts: RebuildParts,
  id: number,
  identities: readonly DataFileIdentity[],
  definitions: Definitions,
): Promise<Candidate | undefined> {
  const epochs = new Set<number>();
  for (const { collectionId, kind, number } of identities)
    if (collectionId === id && kind !== 'graph') epochs.add(number);
  const candidates: Candidate[] = [];
  for (const epoch of [...epochs].sort((a, b) => b - a)) {
    const candidate = await candidateOf(parts, id, epoch, definitions);
    if (candidate.stored.rowCount === 0) continue;
    if (await isComplete(parts, candidate)) return candidate;
    candidates.push(candidate);
  }
  if (candidates.length === 0) tellUnreadable(parts.findings, id, epochs);
  // The oldest: whatever is newer and not complete is more likely to have been begun than to be damaged.
  return candidates.at(-1);
}

/** Without a row a collection has no files. */
function tellUnreadable(findings: Findings, id: number, epochs: ReadonlySet<number>): void {
  for (const epoch of epochs)
    findings.add(
      growingFileNames(id, epoch).rows,
      'checksum',
      'neither it nor the records file names any row',
    );
}

async function isComplete(
  { storage, createIndex, pause }: RebuildParts,
  { stored, files }: Candidate,
): Promise<boolean> {
  const findings = unheard();
  const { isDamaged } = await surveyCollection({ storage, createIndex, pause, files, findings }, stored);
  return !isDamaged;
}

/** What is found out here is found again, and told then. */
function unheard(): Findings {
  return new Findings(0, () => {});
}

async function candidateOf(
  { storage }: RebuildParts,
  id: number,
  epoch: number,
  definitions: Definitions,
): Promise<Candidate> {
  const names = growingFileNames(id, epoch);
  const open = new Map<string, StorageFile>();
  const files: Record<string, LiveFile> = {};
  try {
    for (const name of Object.values(names)) {
      const file = await openIfThere(storage, name);
      // One that is missing counts as the empty file.
      files[name] = await liveFile(file);
      if (file) open.set(name, file);
    }
    const rows = await knownRows(open.get(names.rows), open.get(names.records));
    const rowCount = rows.ids.length;
    const isLive = (row: number) => row < rowCount && !rows.dead.has(row);
    const defined = definitions.created.get(id);
    const dimensions = definitions.dimensions.get(id);
    const config = defined?.config ?? (await configOf(open.get(names.vectors), rowCount, isLive, dimensions));
    const deadCount = [...rows.dead].filter((row) => row < rowCount).length;
    const name = defined?.name ?? `recovered-${id}`;
    const stored = { id, name, config, epoch, rowCount, files: names, deadCount };
    return { stored, files, isConfigMadeUp: !defined };
  } finally {
    for (const file of open.values()) await file.close();
  }
}

async function liveFile(file: StorageFile | undefined): Promise<LiveFile> {
  const bytes = (await file?.size()) ?? 0;
  const hasher = await openHasher('crc32c');
  for (let at = 0; at < bytes; at += PIECE_BYTES)
    hasher.update(await file!.read(at, Math.min(PIECE_BYTES, bytes - at)));
  return { bytes, digest: hasher.digest() };
}

/** What the rows file and the records file say together. */
async function knownRows(
  rowsFile: StorageFile | undefined,
  recordsFile: StorageFile | undefined,
): Promise<KnownRows> {
  const bytesOf = async (file: StorageFile | undefined) => (await file?.size()) ?? 0;
  const rowsBytes = await bytesOf(rowsFile);
  const recordsBytes = await bytesOf(recordsFile);
  const known = new KnownRows(Math.floor(Math.max(rowsBytes, recordsBytes) / ROW_BYTES_MIN));
  const findings = unheard();
  let extents: RecordExtent[] = [];
  if (rowsFile) extents = await surveyRowsFile({ file: rowsFile, bytes: rowsBytes }, known, findings);
  if (recordsFile)
    await new RecordsSurvey({ file: recordsFile, bytes: recordsBytes }, extents, known, findings).run();
  return known;
}

async function configOf(
  file: StorageFile | undefined,
  rowCount: number,
  isLive: (row: number) => boolean,
  knownDimensions: number | undefined,
): Promise<ResolvedConfig> {
  const bytes = Math.max(0, ((await file?.size()) ?? 0) - DATA_HEADER_BYTES);
  const headBytes = Math.min(bytes, FIRST_VECTOR_BYTES_MAX);
  const head = headBytes > 0 ? await file?.read(DATA_HEADER_BYTES, headBytes) : undefined;
  // By what the rows take, where the first is damaged; with neither, no vector can be read.
  const divided = bytes / rowCount / 4 - 1;
  const isPossible = Number.isInteger(divided) && divided >= 1 && divided <= DIMENSIONS_MAX;
  const dimensions = knownDimensions ?? (head && findDimensions(head)) ?? (isPossible ? divided : 1);
  const hasZero = file !== undefined && (await hasZeroVector(file, dimensions, bytes, isLive));
  return resolveConfig({ dimensions, metric: hasZero ? 'euclidean' : 'cosine' });
}

/** Such a one has no direction, so the metric cannot be the cosine. */
async function hasZeroVector(
  file: StorageFile,
  dimensions: number,
  bytes: number,
  isLive: (row: number) => boolean,
): Promise<boolean> {
  const stride = vectorStrideBytes(dimensions);
  const rowsPerPiece = Math.max(1, Math.floor(PIECE_BYTES / stride));
  const rowsThere = Math.floor(bytes / stride);
  for (let first = 0; first < rowsThere; first += rowsPerPiece) {
    const count = Math.min(rowsPerPiece, rowsThere - first);
    const piece = await file.read(vectorOffset(first, dimensions), count * stride);
    for (const [index, vector] of salvageVectors(piece, dimensions).entries())
      if (vector && isLive(first + index) && vector.every((value) => value === 0)) return true;
  }
  return false;
}
