/**
 * Answers of some rows only.
 *
 * A walk over the subgraph of their slots: one that has few allowed neighbours counts the neighbours of those that are not
 * as its own, after Patel et al., "ACORN: Performant and Predicate-Agnostic Search Over Vector Embeddings and
 * Structured Data" (2024); and as every link is known at both ends, links to a slot count as much as those from it. So
 * the walk stays within what is allowed, and holds together where that is a few in a hundred.
 */
#ifndef ISOVEC_FILTERED_H
#define ISOVEC_FILTERED_H

#include "index.h"

struct allowed {
  /** A bit for each row. */
  address bits;
  /** Words of 32 rows that there is room for, and that are in use. */
  u32 capacity, words;
  /** Are rows that are not allowed left out of answers? */
  int counts;
  /** As given to isovec_allow. */
  u32 near_min, ef;
};
extern struct allowed allowed;

int is_allowed(u32 slot);

/**
 * The allowed slots nearest to a query, by walks.
 * @param entry where a walk over all begins
 * @param ef its candidates
 * @return how many; they stand in scratch_results(), nearest first, as keys (distance, slot)
 */
u32 walk_to_allowed(const void *query, u32 entry, u32 ef);

/** Writes down allowed slots one step from one with these links, and two steps where those are fewer than half of what it
 *  may link to. @return how many */
u32 meet_allowed(const u32 *words, u8 epoch, u32 *slots);

#endif
