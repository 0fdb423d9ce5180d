/**
 * Makes a collection's index anew, with codes of another kind or calibration, while everything goes on. The new one
 * takes over the graph as it stands and gets every vector again, from storage; what is written meanwhile goes to both.
 * It takes the old one's place with the checkpoint that stores its codes. Until then both are in memory.
 */
import type { Quantization } from '../base/api.ts';
import { type Calibration, calibrationFor } from '../search/calibration.ts';
import { ComponentSample } from '../search/component-sample.ts';
import { learnFrom } from '../search/learn-calibration.ts';
import type { VectorIndex } from '../search/vector-index.ts';
import { noteReplaced, type StoreSnapshot } from './checkpoint.ts';
import type { CollectionState } from './collection-state.ts';
import type { ResolvedConfig } from './config.ts';
import type { Engine } from './engine.ts';
import { copyGraph } from './graph-pages.ts';

/** Rows read at a time: a few MB of them, whatever the collection's size. */
const ROWS_PER_STEP = 1024;

export interface IndexChange {
  quantization: Quantization;
  calibration?: Calibration;
}

/** Vectors from which a calibration is learnt, from all over the collection. */
const SAMPLED_ROWS = 1024;

async function learnCalibration(
  state: CollectionState,
  quantization: Quantization,
): Promise<Calibration | undefined> {
  const { rowCount } = state.rows;
  const step = Math.max(1, Math.floor(rowCount / SAMPLED_ROWS));
  const rows: number[] = [];
  for (let row = 0; row < rowCount; row += step) if (state.rows.isLive(row)) rows.push(row);
  if (quantization !== 'int8' || rows.length === 0) return undefined;
  const { metric } = state.config;
  const sample = new ComponentSample(metric);
  const read = await state.read(rows, { body: false, vector: true });
  for (const { vector } of read) sample.add(vector!);
  if (sample.isDue) return learnFrom(sample);
  // Few tell too little of those to come: a guess, as with a collection's first vector, until there are more.
  const guesses = read.map(({ vector }) => calibrationFor(vector!, metric).clip);
  return { clip: Math.max(...guesses) };
}

export class IndexReplacement {
  readonly state: CollectionState;
  readonly #engine: Engine;
  readonly #config: ResolvedConfig;
  readonly #index: VectorIndex;
  /** Rows from here on are added as they are written. */
  readonly #endRow: number;

  /** In one turn: from then on the new index follows every change. @param next still empty */
  private constructor(engine: Engine, state: CollectionState, config: ResolvedConfig, next: VectorIndex) {
    this.state = state;
    this.#engine = engine;
    this.#config = config;
    this.#endRow = state.rows.rowCount;
    this.#index = next;
    const { index, rows } = state;
    if (index.count > index.pendingCount) copyGraph(index, next);
    this.#index.reserve(rows.liveCount);
    state.nextIndex = this.#index;
  }

  static async begin(engine: Engine, state: CollectionState, change: IndexChange): Promise<IndexReplacement> {
    const { quantization } = change;
    const calibration = change.calibration ?? (await learnCalibration(state, quantization));
    const config = { ...state.config, quantization };
    const next = await engine.createIndex(config, calibration);
    engine.memoryLimit?.checkFits('a second index beside the first', next.bytesFor(state.rows.liveCount));
    return new IndexReplacement(engine, state, config, next);
  }

  /** Gives the new index what was there at the start. */
  async fill(onFilled: (rows: number) => void): Promise<void> {
    const { state } = this;
    for (let first = 0; first < this.#endRow && !state.isDropped; first += ROWS_PER_STEP) {
      const end = Math.min(first + ROWS_PER_STEP, this.#endRow);
      const rows = Array.from({ length: end - first }, (_, at) => first + at);
      const live = rows.filter((row) => state.rows.isLive(row));
      const records = await state.read(live, { body: false, vector: true });
      for (const [at, row] of live.entries())
        if (state.rows.isLive(row)) this.#index.add(row, records[at]!.vector!);
      onFilled(rows.length);
    }
  }

  note(): StoreSnapshot {
    const { state } = this;
    const replaced = { config: this.#config, index: this.#index };
    return noteReplaced(this.#engine, state, replaced, () => {
      Object.assign(state, replaced);
      state.nextIndex = undefined;
      state.sample = undefined;
      state.files.vectorCache = undefined;
    });
  }

  /** Lets go of the new index, unless it has taken the other's place. */
  abandon(): void {
    if (this.state.nextIndex === this.#index) this.state.nextIndex = undefined;
  }
}
