/** What contending processes are told, and what they tell. */
export interface ContenderTask {
  /** The address of the built package's entry. */
  isovec: string;
  location: string;
  /** Unlike any other's. */
  name: string;
  batches: number;
  /** Every so many batches comes a transaction that appends to the history. */
  batchesPerTransaction: number;
}

export interface ContenderReport {
  /** Of each batch, in milliseconds: what a caller waits, its turn included. */
  waitsMs: number[];
  /** The heads of the history that this process has set, in order. */
  heads: number[];
}

export const DIMENSIONS = 8;
export const BATCH_RECORDS = 2;
/** The record in which all count. */
export const HEAD_ID = 'head';
