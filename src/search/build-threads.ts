/** Threads that help to build graphs: what a runtime gives, and what it is given. */
export interface BuildThreads {
  /** The kernel for several threads (src/runtime/isovec-threads.wasm). */
  readonly kernel: WebAssembly.Module;
  /** Helpers at most, 1 or more. */
  readonly count: number;
  /** Starts one, which runs `help(task)`. @param onEnd called once: with an error unless it has ended by itself */
  spawn(task: HelperTask, onEnd: (error?: unknown) => void): Helper;
  /** Tells that they have failed. */
  warn(message: string): void;
}

export interface Helper {
  /** Resolves when nothing of it runs any more. */
  terminate(): Promise<void>;
}

export type HelperTask = HelperStart | TouchTask;

/** Memory of which the system is to bring the pages, up to an address, because it is about to be filled. */
export interface TouchTask {
  readonly memory: WebAssembly.Memory;
  readonly touchedBytes: number;
}

/** What a helper that links has to know. */
export interface HelperStart {
  readonly kernel: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Its number, from 1. */
  readonly helper: number;
  readonly stackAddress: number;
  readonly stackBytes: number;
  /** With nothing to do for so long it ends. */
  readonly patienceMs: number;
}

const HELPERS_AUTO_MAX = 4;

/** How many there are to be. @param concurrency threads that the machine has */
export function helpersCount(wanted: number | 'auto', concurrency: number): number {
  return wanted === 'auto' ? Math.max(0, Math.min(HELPERS_AUTO_MAX, concurrency - 1)) : wanted;
}

/** What a helper does, in a thread of its own. */
export function help(task: HelperTask): void {
  if ('touchedBytes' in task) touch(task);
  else link(task);
}

/** The least that systems have. */
const SYSTEM_PAGE_BYTES = 4096;

/**
 * Puts 0 into a word of each page where there is 0, atomically. This asks for the page at once with leave to write, 1.9 us each;
 * `Atomics.or` and `add` read first, which gets a page of zeros that all share, and another when they write, 3.4.
 */
function touch({ memory, touchedBytes }: TouchTask): void {
  const words = new Int32Array(memory.buffer);
  const step = SYSTEM_PAGE_BYTES / words.BYTES_PER_ELEMENT;
  const end = touchedBytes / words.BYTES_PER_ELEMENT;
  for (let at = 0; at < end; at += step) Atomics.compareExchange(words, at, 0, 0);
}

/** Returns when there has been nothing to do for a while. */
function link({ kernel, memory, helper, stackAddress, stackBytes, patienceMs }: HelperStart): void {
  const exports = new WebAssembly.Instance(kernel, { env: { memory } }).exports as unknown as {
    __stack_pointer: WebAssembly.Global;
    __wasm_init_tls(address: number): void;
    isovec_help(helper: number, patienceMs: number): void;
  };
  const stackEnd = stackAddress + stackBytes;
  exports.__stack_pointer.value = stackEnd;
  exports.__wasm_init_tls(stackEnd);
  exports.isovec_help(helper, patienceMs);
}
