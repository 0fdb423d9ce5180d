/** Which of many near slots to link to: algorithm 4 of Malkov and Yashunin (2016), as hnswlib has it. */
#ifndef ISOVEC_SELECT_H
#define ISOVEC_SELECT_H

#include "index.h"

/**
 * Takes a candidate unless it lies nearer to one already taken than to the base: so links spread in all directions.
 * Fewer candidates than `max` are all taken.
 * @param candidates keys (distance to the base, slot), least first
 * @param max at most LINKS_MAX
 * @param taken receives the slots taken, nearest first
 * @param passed_over null, or an array that receives what was not taken, least first
 * @return how many were taken
 */
u32 select_spread(const key *candidates, u32 count, u32 max, u32 *taken, u32 *passed_over);

/** Whether no slot of a list lies nearer to the candidate than the base does. */
int is_spread(key candidate, const u32 *slots, u32 count);

/** Keys of the distances from a vector to slots, in their order. */
void measure(const f32 *query, const u32 *slots, u32 count, key *keys);

#endif
