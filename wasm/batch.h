/**
 * Linking in batches, so that several threads can do it, and the outcome is the same whoever did what.
 *
 * Slots of a batch are linked in three steps. First each chooses whom to link to, among what its walks find in the graph
 * and its mates. Then each slot that is linked to (a target) revises its own links, among those that it has and all its
 * newcomers at once. These two only read the graph and write into the batch, so their tasks can be done in any order and
 * at the same time, and queries can go on. Last, the owner of the index writes the links down: a twentieth of the work.
 */
#ifndef ISOVEC_BATCH_H
#define ISOVEC_BATCH_H

#include "index.h"

#if HAS_THREADS

/** Slots of one batch. */
#define BATCH_MAX 128u

/** @return how many of the oldest pending slots, at most `count`, now make up a batch: fewer than that in small graphs;
 *  ISOVEC_NO_MEMORY. There must be pending slots, no doomed ones, and no other batch. May grow */
i32 batch_begin(u32 count);

/** @return what memory for the largest batch has yet to be taken */
u32 batch_bytes(void);

/** Whether there is a batch. */
int batch_is_open(void);

/** Does up to `count` tasks of the present step. Any thread may. @return how many */
u32 batch_work(u32 count);

/** Whether all tasks of the present step have been done, by whomever. */
int batch_step_is_done(void);
/** Changes with each that is done; waiters are told of the last. */
u32 *batch_done_word(void);

/** Does again those that were begun and not finished, by threads that are no more, or that have been left. */
void batch_work_again(void);

/** The owner goes on with a copy: whoever has not finished a task by now may still write into what was left, which is not
 *  used again. Helpers join with the next batch. Once a batch. */
void batch_leave(void);

/** For a helper, before it works: takes part in the present batch. */
void batch_join(void);

/** A task that a helper has taken, and where. For tests: it stalls, or is no more if it never goes on. */
struct stalled {
  struct batch *batch;
  u32 task;
};
struct stalled batch_stall(void);
void batch_go_on(struct stalled stalled);

/** On to the next step; after the last, the batch is linked. @return how many slots that were */
u32 batch_advance(void);

/** All of the rest. @return how many slots have been linked */
u32 batch_finish(void);

/** Whether a pending slot is of the batch. It then is, from now on, removed: free for nobody until the batch is linked
 *  and it is mended. */
int batch_remove(u32 slot);

/** How many have been removed so. */
u32 batch_removed_count(void);

/** The slots of the batch, for those who search what is pending. @return how many */
u32 batch_slots(u32 *slots);

void batch_forget(void);

#else

/* One by one: a little faster, and less to load. */
#define BATCH_MAX 1u
ALWAYS_INLINE int batch_is_open(void) { return 0; }
ALWAYS_INLINE int batch_remove(u32 slot) { return slot == NONE; }
ALWAYS_INLINE u32 batch_removed_count(void) { return 0; }
ALWAYS_INLINE u32 batch_slots(u32 *slots) { return slots == 0; }
ALWAYS_INLINE void batch_forget(void) {}

#endif

#endif
