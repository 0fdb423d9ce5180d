import type { Hit, QueryPlan } from '../base/api.ts';
import type { CollectionState } from './collection-state.ts';
import type { CodesQuery } from './query-codes.ts';

/** What is found out about a query while it is answered, by all who take part: for `explain`. */
export class PlanRecorder {
  readonly #plan: QueryPlan = { strategy: 'scan', exact: true, candidates: 0, milliseconds: {} };
  #sinceMs = performance.now();

  /** The later word counts, but candidates add up. */
  note({ candidates = 0, ...rest }: Partial<QueryPlan>): void {
    Object.assign(this.#plan, rest);
    this.#plan.candidates += candidates;
  }

  /** The time since the stage before was this one's. */
  endStage(name: string): void {
    const now = performance.now();
    const { milliseconds } = this.#plan;
    milliseconds[name] = (milliseconds[name] ?? 0) + now - this.#sinceMs;
    this.#sinceMs = now;
  }

  /** All vectors have been searched, by the index. */
  search(
    { index, config }: CollectionState,
    { exact, ef, topK }: Pick<CodesQuery, 'exact' | 'ef' | 'topK'>,
  ): void {
    this.endStage('search');
    const { count, pendingCount } = index;
    const isScan = exact || config.index.type === 'flat' || pendingCount === count;
    const isExact = isScan && (exact || config.quantization === 'none');
    const candidates = isScan ? count : pendingCount + Math.max(ef, topK);
    this.note({ strategy: isScan ? 'scan' : 'walk', exact: isExact, candidates });
  }

  /** Gives hits the plan. */
  explain(hits: Hit[]): void {
    this.endStage('read');
    Object.assign(hits, { plan: this.#plan });
  }
}
