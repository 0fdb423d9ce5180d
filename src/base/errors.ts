/** What went wrong, for programs. Codes are stable API; messages are for people and may change. */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'DIMENSION_MISMATCH'
  | 'INVALID_VECTOR'
  | 'INVALID_FILTER'
  | 'SCHEMA_VIOLATION'
  | 'DUPLICATE_ID'
  | 'NOT_FOUND'
  | 'CONFIG_MISMATCH'
  | 'READ_ONLY'
  | 'CLOSED'
  | 'ABORTED'
  | 'LOCK_TIMEOUT'
  | 'QUOTA_EXCEEDED'
  | 'STORAGE_IO'
  | 'CORRUPTION'
  | 'FORMAT_VERSION'
  | 'UNSUPPORTED';

export interface ErrorContext {
  /** Where and what: the offending value, its index or path, the file and offset. Must survive structured cloning. */
  details?: Record<string, unknown>;
  /** What was caught and led to this. */
  cause?: unknown;
}

/** The one error class of isovec. It keeps code, details and cause across the worker boundary. */
export class IsovecError extends Error {
  override readonly name = 'IsovecError';
  readonly code: ErrorCode;
  readonly details?: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, context: ErrorContext = {}) {
    super(message, 'cause' in context ? { cause: context.cause } : undefined);
    this.code = code;
    if (context.details) this.details = context.details;
  }
}

export function closed(what: 'database' | 'transaction'): IsovecError {
  const message = what === 'database' ? 'the database has been closed' : 'the transaction has ended';
  return new IsovecError('CLOSED', message, { details: { closed: what } });
}

/** For a warning about what nobody waits for. */
export function errorCodeOf(thrown: unknown): ErrorCode {
  return thrown instanceof IsovecError ? thrown.code : 'STORAGE_IO';
}

/** An error as plain data: what crosses a thread. */
export interface ErrorImage {
  name: string;
  message: string;
  stack?: string;
  code?: ErrorCode;
  details?: Record<string, unknown>;
  cause?: ErrorImage;
}

/** How many causes deep an image goes; a cycle of causes must end somewhere. */
const CAUSE_DEPTH_MAX = 8;

export function errorToImage(thrown: unknown, depth = 0): ErrorImage {
  if (!(thrown instanceof Error)) return { name: 'Error', message: String(thrown) };
  return {
    name: thrown.name,
    message: thrown.message,
    ...(thrown.stack !== undefined && { stack: thrown.stack }),
    ...(thrown instanceof IsovecError && { code: thrown.code }),
    ...(thrown instanceof IsovecError && thrown.details && { details: thrown.details }),
    ...(thrown.cause !== undefined &&
      depth < CAUSE_DEPTH_MAX && { cause: errorToImage(thrown.cause, depth + 1) }),
  };
}

export function errorFromImage(image: ErrorImage): Error {
  const cause = image.cause && errorFromImage(image.cause);
  const error = image.code
    ? new IsovecError(image.code, image.message, {
        ...(image.details && { details: image.details }),
        ...(cause && { cause }),
      })
    : Object.assign(new Error(image.message, cause && { cause }), { name: image.name });
  if (image.stack !== undefined) error.stack = image.stack;
  return error;
}

/** For states that only a mistake in isovec itself can reach. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`isovec: internal error: ${message}`);
}
