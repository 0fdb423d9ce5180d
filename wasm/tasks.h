/** What a batch is made of, for those who do its tasks (tasks.c) and those who begin it and write it down (batch.c). */
#ifndef ISOVEC_TASKS_H
#define ISOVEC_TASKS_H

#include "batch.h"

#if HAS_THREADS

/** Targets that are one task: revising one takes a tenth of the time of choosing. */
#define TARGETS_A_TASK 8u

enum step { STEP_CHOOSING, STEP_REVISING };

struct newcomer {
  u32 slot, level;
  /** Of its lists, from level 0 up. */
  u32 first_list;
  /** Whether it has been removed meanwhile. */
  u32 is_removed;
};

/** A slot that newcomers link to. */
struct target {
  u32 slot, level;
  /** Its edges. */
  u32 first, count;
  /** Whether it has too few words for all, so that the mask counts. */
  u32 is_crowded;
};

struct batch {
  /** Slots, lists and memory for so many slots. */
  u32 count, lists, capacity;
  enum step step;
  u32 removed_count;
  u32 edges_count, targets_count;
  /** What stands where: newcomers; lists of a count and m slots; edges; targets; their masks; a byte a task. */
  address newcomers, choices, edges, targets, masks, finished;
  u32 mask_words;
  /** Tasks of the step, and in the atomic words how many are done, and, above the number of the step, not begun. */
  u32 tasks;
  u32 done;
  u64 open;
  /** Whether the owner goes on with a copy. */
  u32 is_left;
};

/** This thread's. Who has been given up stays with the one that it had a task of: others have a copy since. */
extern THREAD_LOCAL struct batch *batch;

ALWAYS_INLINE struct newcomer *newcomer_at(u32 i) { return (struct newcomer *)at(batch->newcomers) + i; }
ALWAYS_INLINE struct target *target_at(u32 i) { return (struct target *)at(batch->targets) + i; }
ALWAYS_INLINE u32 *choices_at(u32 list) { return (u32 *)at(batch->choices) + list * (ix.m + 1); }
ALWAYS_INLINE key *edges(void) { return at(batch->edges); }
/** A bit for each out-link that a target had, and then for each newcomer: whether it follows it from now on. */
ALWAYS_INLINE u32 *mask_at(u32 target) { return (u32 *)at(batch->masks) + target * batch->mask_words; }
ALWAYS_INLINE u8 *finished(void) { return at(batch->finished); }

/** Then the graph changes, and is not to be read. */
ALWAYS_INLINE int is_left(void) { return (int)__atomic_load_n(&batch->is_left, __ATOMIC_SEQ_CST); }

/* An edge: the target, the level, the newcomer's place in the batch. Sorted, they stand by target. Revising marks some. */
#define LEFT_OUT ((key)1 << 63)
ALWAYS_INLINE key edge_of(u32 target, u32 level, u32 newcomer) {
  return ((key)target << 5 | level) << 8 | newcomer;
}
ALWAYS_INLINE u32 edge_newcomer(key edge) { return (u32)edge & 0xff; }
ALWAYS_INLINE u32 edge_level(key edge) { return (u32)(edge >> 8) & 31; }
ALWAYS_INLINE u32 edge_target(key edge) { return (u32)(edge >> 13); }

/** Does a task of the present step. It reads the graph and writes into the batch. */
void do_task(u32 task);

#endif

#endif
