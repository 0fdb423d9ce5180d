/** Calls of one client that have not been answered yet, whoever will answer them. */
import type { RecordInput } from '../base/api.ts';
import { createUuid } from '../store/uuid.ts';
import type { Answer, Call } from './protocol.ts';
import type { NumberedOperation } from './tab-protocol.ts';

export interface PendingCall {
  id: number;
  call: Call;
  /** Numbers those calls that change something: the same number in every attempt. */
  operation: number | undefined;
  sinceMs: number;
  /** The term of the writer that was asked last. */
  sentTo: string | undefined;
  isAborted: boolean;
  /** Once there is one. */
  answer: Answer<unknown> | undefined;
  onAnswer: ((answer: Answer<unknown>) => void) | undefined;
}

export class PendingCalls {
  readonly #pending = new Map<number, PendingCall>();
  /** Those that the present writer has not been asked, oldest first. */
  #unsent: PendingCall[] = [];
  /** Of pending calls, ascending. */
  readonly #operations = new Set<number>();
  #lastOperation = 0;
  #onEmpty: (() => void) | undefined;

  get size(): number {
    return this.#pending.size;
  }

  find(id: number): PendingCall | undefined {
    return this.#pending.get(id);
  }

  [Symbol.iterator](): IterableIterator<PendingCall> {
    return this.#pending.values();
  }

  add(id: number, call: Call): PendingCall {
    nameRecords(call);
    const operation = isChange(call) ? ++this.#lastOperation : undefined;
    if (operation !== undefined) this.#operations.add(operation);
    const pending: PendingCall = {
      id,
      call,
      operation,
      sinceMs: performance.now(),
      sentTo: undefined,
      isAborted: false,
      answer: undefined,
      onAnswer: undefined,
    };
    this.#pending.set(id, pending);
    this.#unsent.push(pending);
    return pending;
  }

  settle(pending: PendingCall, answer: Answer<unknown>): void {
    if (this.#pending.get(pending.id) !== pending) return;
    this.#pending.delete(pending.id);
    if (pending.operation !== undefined) this.#operations.delete(pending.operation);
    pending.answer = answer;
    pending.onAnswer?.(answer);
    if (this.#pending.size === 0) this.#onEmpty?.();
  }

  /** Resolves when every call has been answered. */
  async settled(): Promise<void> {
    if (this.#pending.size > 0)
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
  }

  /** The oldest call that the present writer has not been asked. */
  takeUnsent(): PendingCall | undefined {
    for (;;) {
      const next = this.#unsent.shift();
      if (!next || this.#pending.get(next.id) === next) return next;
    }
  }

  /** The writer has not looked at it. */
  resend(pending: PendingCall): void {
    pending.sentTo = undefined;
    this.#unsent.push(pending);
  }

  /** There is a new writer, who is to be asked everything. */
  resendAll(): void {
    this.#unsent = [...this.#pending.values()];
    for (const pending of this.#unsent) pending.sentTo = undefined;
  }

  operationOf({ operation: number }: PendingCall): NumberedOperation | undefined {
    if (number === undefined) return undefined;
    for (const settledBefore of this.#operations) return { number, settledBefore };
    return undefined;
  }
}

function isChange(call: Call): boolean {
  switch (call.type) {
    case 'write':
    case 'delete':
      return true;
    case 'openCollection':
      return call.config !== undefined;
    case 'database':
      return call.method === 'dropCollection';
    case 'end':
      return call.isCommit;
    default:
      return false;
  }
}

/** Ids that are left to the store are given here, so that every attempt stores the same records. */
function nameRecords(call: Call): void {
  if (call.type !== 'write' || call.method === 'update') return;
  for (const { fields } of call.packed.records) {
    const record = fields as Partial<RecordInput>;
    if (record.id === undefined) record.id = createUuid();
  }
}
