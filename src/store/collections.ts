import type { CollectionInfo } from '../base/api.ts';
import { assert } from '../base/errors.ts';
import type { CollectionState } from './collection-state.ts';
import type { ResolvedConfig } from './config.ts';
import type { Operation } from './operations.ts';
import { Receipts } from './receipts.ts';

type CreateEmpty = (id: number, name: string, config: ResolvedConfig) => Promise<CollectionState>;

/** What is committed: all collections, by number, and the receipts. */
export class Collections extends Map<number, CollectionState> {
  nextCollectionId = 1;
  receipts = new Receipts();
  readonly #createEmpty: CreateEmpty;
  /** Made, but not created yet. */
  readonly #prepared = new Map<number, CollectionState>();

  constructor(createEmpty: CreateEmpty) {
    super();
    this.#createEmpty = createEmpty;
  }

  find(name: string): CollectionState | undefined {
    for (const state of this.values()) if (state.name === name) return state;
    return undefined;
  }

  infos(): CollectionInfo[] {
    return [...this.values()].map((state) => state.info());
  }

  /**
   * Makes what these operations are going to create: loading an engine takes time, and applying takes none.
   * @throws IsovecError UNSUPPORTED where an engine is missing or cannot run
   */
  async prepare(operations: readonly Operation[]): Promise<void> {
    for (const operation of operations)
      if (operation.kind === 'create') {
        const { collectionId, name, config } = operation;
        this.#prepared.set(collectionId, await this.#createEmpty(collectionId, name, config));
      }
  }

  /** Takes in the operations of one log entry, in one turn. @throws as `prepare` */
  async applyAll(operations: readonly Operation[]): Promise<void> {
    await this.prepare(operations);
    for (const operation of operations) this.apply(operation);
  }

  /** Takes in one operation that is durable: just committed, or read from the log. */
  apply(operation: Operation): void {
    if (operation.kind === 'receipt') {
      this.receipts.add(operation);
      return;
    }
    const { collectionId } = operation;
    switch (operation.kind) {
      case 'create':
        this.#create(collectionId);
        this.nextCollectionId = Math.max(this.nextCollectionId, collectionId + 1);
        break;
      case 'drop': {
        const state = this.get(collectionId);
        assert(state, `collection ${collectionId} is dropped but not there`);
        state.isDropped = true;
        this.delete(collectionId);
        break;
      }
      case 'configure':
        this.get(collectionId)?.configure(operation.change);
        break;
      default:
        // Written before the drop was, committed after it: the drop has the last word.
        this.get(collectionId)?.apply(operation);
    }
  }

  #create(collectionId: number): void {
    const state = this.#prepared.get(collectionId);
    assert(state, `collection ${collectionId} is created but has not been prepared`);
    this.#prepared.delete(collectionId);
    this.set(collectionId, state);
  }
}
