import type { Filter, Include, Metadata, StoredRecord } from '../base/api.ts';
import { checkInteger } from '../base/check.ts';
import { checkedFilter } from './given-filter.ts';
import { checkInclude } from './query-plan.ts';
import { publishRecord } from './records.ts';
import { Scan, type ScanBounds } from './scan.ts';
import type { Called } from './seldom-calls.ts';

const SCAN_BATCH_DEFAULT = 256;
const SCAN_BATCH_MAX = 100_000;
const RECORD_PARTS: Include[] = ['vector', 'metadata', 'text'];

export interface ScanOptions {
  filter?: Filter;
  batchSize?: number;
  include?: Include[];
}

export interface RunningScan<M extends Metadata = Metadata> {
  /** The next records, none at the end; and where the scan stands after them. */
  next(): Promise<{ records: StoredRecord<M>[]; bounds: ScanBounds }>;
  end(): void;
}

/** @throws IsovecError INVALID_ARGUMENT, INVALID_FILTER */
export async function startScan(
  { engine, state, refresh, run }: Called,
  {
    filter,
    batchSize = SCAN_BATCH_DEFAULT,
    include,
    bounds,
  }: ScanOptions & { bounds: ScanBounds | undefined },
): Promise<RunningScan> {
  const checked = filter === undefined ? undefined : checkedFilter(filter, 'options.filter');
  checkInteger(batchSize, 1, SCAN_BATCH_MAX, 'options.batchSize');
  const parts = checkInclude(include, RECORD_PARTS, 'options.include', RECORD_PARTS);
  await refresh();
  const body = parts.metadata || parts.text;
  const wanted = { body, vector: parts.vector, filter: await checked, pause: engine.pause };
  const scan = new Scan(state, wanted, bounds);
  return {
    next: () =>
      run(async () => {
        const records = await scan.next(batchSize);
        const published = records.map((record) => publishRecord(record.id, record, parts));
        return { records: published, bounds: scan.bounds };
      }),
    end: () => scan.end(),
  };
}
