/** Which of many near slots to link to: algorithm 4 of Malkov and Yashunin (2016), as hnswlib has it, relaxed as in Vamana
 *  (Subramanya et al., "DiskANN: Fast Accurate Billion-point Nearest Neighbor Search on a Single Node", 2019). */
#ifndef ISOVEC_SELECT_H
#define ISOVEC_SELECT_H

#include "index.h"

/**
 * Takes a candidate unless it lies nearer to one already taken than to the base, by a twentieth: so links spread in all
 * directions. Without that twentieth there were fewer links, and a walk to the same recall computed 1.12 to 1.23 times as
 * many distances; with a tenth or more, farther links took the place of near ones.
 * Of copies of the base itself it takes a quarter of `max` only, because a slot all of whose links lead to its copies
 * is a dead end. Fewer candidates than `max` are all taken.
 * @param candidates keys (distance to the base, slot), least first
 * @param max at most LINKS_MAX
 * @param taken receives the slots taken, nearest first
 * @param passed_over null, or an array that receives what was not taken, least first
 * @return how many were taken
 */
u32 select_spread(u32 base, const key *candidates, u32 count, u32 max, u32 *taken, u32 *passed_over);

/** Whether a key (distance to the base, slot) is that of a slot with the same vector. */
int is_copy_of(u32 base, key candidate);

/** Puts sorted keys of equal distance in an order that differs from base to base, so that not every copy of a vector
 *  chooses the same few of the others. */
void shuffle_equals(u32 base, key *keys, u32 count);

/** Whether no slot of a list lies nearer to the candidate than the base does, by a twentieth.
 *  @param distance a key with the distance from the base to the candidate; its number counts for nothing */
int is_spread(key distance, u32 candidate, const u32 *slots, u32 count);

/** Keys of at most LINKS_MAX + BATCH_MAX distances from a code to those of slots, in their order. */
void measure(const void *query, const u32 *slots, u32 count, key *keys);

#endif
