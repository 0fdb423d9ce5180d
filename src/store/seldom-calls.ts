/** What few call of a collection. */
import type { Fields, Filter, Quantization } from '../base/api.ts';
import { unsupported } from '../base/check.ts';
import type { CollectionState } from './collection-state.ts';
import { checkFields, checkQuantization } from './config.ts';
import type { Engine } from './engine.ts';
import { checkedFilter } from './given-filter.ts';
import type { Maintenance } from './maintenance.ts';
import { countMatching } from './matching.ts';

export { queryPage } from './queries/page.ts';
export { recommend } from './queries/recommend.ts';
export { changeSchema as setSchema } from './schemas.ts';
export { startScan } from './start-scan.ts';

/** What such a call works on. */
export interface Called {
  engine: Engine;
  state: CollectionState;
  maintenance: Maintenance;
  /** Takes in what others have written. @throws IsovecError NOT_FOUND when the collection has been dropped */
  refresh(): Promise<void> | undefined;
  /** Runs `fn` as one public call. */
  run<T>(fn: () => Promise<T> | T): Promise<T>;
}

export async function setQuantization(
  { state, maintenance, refresh }: Called,
  quantization: Quantization,
): Promise<void> {
  checkQuantization(quantization, 'quantization');
  const { engine, linkCodes } = state.config.index;
  if (engine !== undefined) throw unsupported(`quantization with index.engine '${engine}'`, 'quantization');
  if (linkCodes && quantization === 'binary')
    throw unsupported("quantization 'binary' with index.linkCodes", 'quantization');
  await refresh();
  if (state.config.quantization !== quantization)
    await (await maintenance.overhaul()).replaceIndex(state, { quantization });
}

export async function setFields({ state, maintenance, refresh }: Called, fields: Fields): Promise<void> {
  checkFields(fields, 'fields');
  await refresh();
  await (await maintenance.overhaul()).setFields(state, fields);
}

export async function count({ engine, state, refresh }: Called, filter: Filter | undefined): Promise<number> {
  const checked = filter === undefined ? undefined : checkedFilter(filter, 'filter');
  await refresh();
  return checked ? countMatching(state, await checked, engine.pause) : state.rows.liveCount;
}
