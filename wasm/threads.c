/** Helpers: see isovec-threads.h. */
#include "threads.h"

#include "arrange.h"
#include "batch.h"
#include "isovec-threads.h"
#include "link.h"

#if HAS_THREADS

/** As that of the owner. */
#define STACK_BYTES 131072u
/** The owner waits so long for others before it looks after what else there is. */
#define TURN_MS 1u
/** Who has not done a task by then, of a fraction of a millisecond, is given up: so many waits of so long, because the
 *  whole time that a machine sleeps is one wait, after which all threads go on. */
#define LOST_WAITS 100u
#define WAIT_MS 100u
/** Tasks between looks at whether helpers are dismissed. */
#define TASKS_PER_LOOK 4u

#ifdef __wasm__

#define TLS_BYTES (u32)__builtin_wasm_tls_size()

/** @return whether the word has changed, or may have, within so long */
static int wait_for_change(u32 *word, u32 seen, u32 timeout_ms) {
  return __builtin_wasm_memory_atomic_wait32((int *)word, (int)seen, (long long)timeout_ms * 1000000) != 2;
}
static void wake_all(u32 *word) { __builtin_wasm_memory_atomic_notify((int *)word, NONE); }

#else

/** Natively there is one thread: nothing changes while it waits. */
#define TLS_BYTES 0u
static int wait_for_change(const u32 *word, u32 seen, u32 timeout_ms) {
  (void)timeout_ms;
  return *word != seen;
}
static void wake_all(const u32 *word) { (void)word; }

#endif

/** Helpers ever prepared, with the addresses that were given to them. */
static u32 helpers_count;
static address helper_memory[WALKERS_MAX];
/** Changes with each step. */
static u32 bell;
static u32 is_dismissed;

/** Helpers that are going to be prepared once more slots than that are pending. */
static u32 expected_count, expected_above;

i32 isovec_helpers_expect(u32 helpers, u32 pending) {
  expected_count = helpers < WALKERS_MAX ? helpers : WALKERS_MAX - 1;
  expected_above = pending;
  return 0;
}

u64 threads_bytes(u32 slots, u64 pending) {
  const u32 count = pending > expected_above && expected_count > helpers_count ? expected_count : helpers_count;
  u64 bytes = batch_bytes();
  for (u32 i = 1; i <= count; i++)
    bytes += walker_bytes(walkers + i, ix.ef_construction, slots) + (helper_memory[i] ? 0 : STACK_BYTES + TLS_BYTES);
  return bytes;
}

int threads_reserve(void) {
  for (u32 i = 1; i <= helpers_count; i++)
    if (!reserve_walker(walkers + i, ix.ef_construction)) return 0;
  return 1;
}

address isovec_helper_prepare(u32 helper) {
  if (helper < 1 || helper >= WALKERS_MAX || helper > helpers_count + 1 || ix.type == ISOVEC_FLAT) return 0;
  if (!reserve_walker(walkers + helper, ix.ef_construction)) return 0;
  if (!helper_memory[helper]) helper_memory[helper] = take_bytes(STACK_BYTES + TLS_BYTES);
  if (helper_memory[helper] && helper > helpers_count) helpers_count = helper;
  return helper_memory[helper];
}

u32 isovec_helper_stack_bytes(void) { return STACK_BYTES; }

void threads_wake(void) {
  __atomic_add_fetch(&bell, 1, __ATOMIC_SEQ_CST);
  wake_all(&bell);
}

void threads_tell(u32 *word) { wake_all(word); }

void threads_wait_for_step(void) {
  for (u32 waits = 0; !batch_step_is_done(); waits++) {
    u32 *word = batch_done_word();
    const u32 seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    if (batch_step_is_done()) return;
    if (waits == LOST_WAITS) {
      batch_leave();
      batch_work_again();
    } else {
      wait_for_change(word, seen, WAIT_MS);
    }
  }
}

void isovec_help(u32 helper, u32 patience_ms) {
  struct walker *owner = walker;
  walker = walkers + helper;
  for (;;) {
    const u32 seen = __atomic_load_n(&bell, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&is_dismissed, __ATOMIC_SEQ_CST)) break;
    batch_join();
    if (batch_work(TASKS_PER_LOOK) > 0) continue;
    if (!wait_for_change(&bell, seen, patience_ms)) break;
  }
  walker = owner;
}

i32 isovec_helpers_dismiss(u32 dismissed) {
  __atomic_store_n(&is_dismissed, dismissed, __ATOMIC_SEQ_CST);
  threads_wake();
  return 0;
}

i32 isovec_link_along(u32 count) {
  if (ix.type == ISOVEC_FLAT) return 0;
  if (batch_is_open()) {
    // nothing is moved meanwhile
    arrange(0);
  } else {
    const u32 mended = mend(count);
    if (arrange(ix.doomed_head == NONE) || ix.doomed_head != NONE || ix.pending_head == NONE) return (i32)mended;
    const i32 begun = batch_begin(BATCH_MAX);
    if (begun < 0) return begun;
  }
  if (count > 0 && batch_work(count) == count) return 0;
  u32 *word = batch_done_word();
  const u32 seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);
  if (!batch_step_is_done()) wait_for_change(word, seen, TURN_MS);
  return batch_step_is_done() ? (i32)batch_advance() : 0;
}

i32 isovec_helpers_lost(void) {
  if (!batch_is_open()) return 0;
  batch_work(NONE);
  batch_work_again();
  return 0;
}

#endif
