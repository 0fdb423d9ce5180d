/** Walks over the graph: algorithms 2 and 5 of Malkov and Yashunin, "Efficient and robust approximate nearest neighbor
 *  search using Hierarchical Navigable Small World graphs" (2016). */
#ifndef ISOVEC_WALK_H
#define ISOVEC_WALK_H

#include "index.h"

enum walk_collects {
  /** Every slot met: for linking. */
  WALK_COLLECTS_ALL,
  /** Only what an answer may name; the others are walked through. */
  WALK_COLLECTS_ANSWERABLE,
  /** The same, of allowed slots, and nothing else is walked through: see filtered.h. */
  WALK_COLLECTS_ALLOWED,
};

/** Goes down from the entry to the level above `level`, always to the nearest. @return where to begin on `level` */
u32 descend(const void *query, u32 level);

/**
 * The `ef` nearest that a best-first walk on one level finds.
 * @param ef at most scratch.capacity
 * @return how many; they stand in scratch_results(), nearest first, as keys (distance, slot)
 */
u32 walk(const void *query, u32 entry, u32 level, u32 ef, enum walk_collects collects);

#endif
