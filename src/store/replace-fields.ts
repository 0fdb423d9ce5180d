import type { Fields } from '../base/api.ts';
import { PayloadIndex } from '../payload/payload-index.ts';
import { noteReplaced, type StoreSnapshot } from './checkpoint.ts';
import type { CollectionState } from './collection-state.ts';
import type { Engine } from './engine.ts';
import { takeInNext } from './payload.ts';
import { Slices } from './slices.ts';

/** Indexes other fields of a collection. They take the place of those before with the checkpoint that stores them. */
export class FieldsReplacement {
  readonly state: CollectionState;
  readonly #engine: Engine;
  readonly #index: PayloadIndex;

  constructor(engine: Engine, state: CollectionState, fields: Fields) {
    this.state = state;
    this.#engine = engine;
    this.#index = new PayloadIndex(fields);
  }

  /** Takes in what there is, until little is left. */
  async fill(onFilled: (rows: number) => void): Promise<void> {
    const { state } = this;
    const slices = new Slices(this.#engine.pause);
    for (const endRow = state.rows.rowCount; this.#index.rowCount < endRow && !state.isDropped; ) {
      const before = this.#index.rowCount;
      await takeInNext(state, this.#index, slices);
      onFilled(this.#index.rowCount - before);
    }
  }

  note(): StoreSnapshot {
    const { state } = this;
    const { fields: _, ...config } = state.config;
    const isNone = Object.keys(this.#index.fields).length === 0;
    const replaced = isNone
      ? { config, payload: undefined }
      : { config: { ...config, fields: this.#index.fields }, payload: this.#index };
    return noteReplaced(this.#engine, state, replaced, () => {
      Object.assign(state, replaced);
    });
  }
}
