import { IsovecError } from '../base/errors.ts';

/** No slot, or no row. */
export const NONE = 0xffff_ffff;

/** Rows are dense, so pages of them are: 4,096 rows are 16 KiB, and growth copies none. */
const PAGE_SHIFT = 12;
const PAGE_ROWS = 1 << PAGE_SHIFT;

/** Which slot of the kernel holds a row's vector: four bytes a row. */
export class RowSlots {
  #pages: (Uint32Array | undefined)[] = [];
  #pageCount = 0;

  get bytes(): number {
    return this.#pageCount * PAGE_ROWS * 4;
  }

  get(row: number): number {
    return this.#pages[row >>> PAGE_SHIFT]?.[row & (PAGE_ROWS - 1)] ?? NONE;
  }

  /** @throws IsovecError QUOTA_EXCEEDED when there is no memory; nothing is changed then */
  set(row: number, slot: number): void {
    this.#page(row)[row & (PAGE_ROWS - 1)] = slot;
  }

  delete(row: number): void {
    const page = this.#pages[row >>> PAGE_SHIFT];
    if (page) page[row & (PAGE_ROWS - 1)] = NONE;
  }

  #page(row: number): Uint32Array {
    const number = row >>> PAGE_SHIFT;
    const page = this.#pages[number];
    if (page) return page;
    try {
      const made = new Uint32Array(PAGE_ROWS).fill(NONE);
      this.#pages[number] = made;
      this.#pageCount++;
      return made;
    } catch (cause) {
      throw new IsovecError('QUOTA_EXCEEDED', `search index: no memory for row ${row}`, {
        details: { row },
        cause,
      });
    }
  }
}
