/**
 * Codes of links: beside the links of a slot, a few bits of where each neighbour lies as seen from it, by which a walk
 * tells those that may be near enough to be worth a look. One read in line stands for one in another page for each of the others.
 *
 * The code of a neighbour is the signs of its difference from the slot, rotated at random, with two numbers that make of
 * their product with a query an unbiased estimate of the distance: RaBitQ (Gao and Long, 2024), of residuals as in
 * SymphonyQG (Gou et al., 2025). Codes of 32 neighbours are compared at once, four dimensions by one look-up of sixteen
 * table entries in a register: FastScan (Andre, Kermarrec and Le Scouarnec, 2015).
 *
 * A slot's block of codes is a copy of what it stands for and no part of any image: it is made when a query first wants
 * it, by the thread that owns the index, and forgotten when an out-link comes or goes. A linked slot's own code stays as it
 * is for as long as others link to it, but for those that an image left awaiting theirs: until none does, no block is made.
 */
#ifndef ISOVEC_LINK_CODES_H
#define ISOVEC_LINK_CODES_H

#include "index.h"

#if HAS_LINK_CODES

/** Sums of table entries find room in 16 bits. */
#define LINK_CODES_DIMENSIONS_MAX 4096u
#define LINKS_A_SET 32u

enum link_codes_state {
  LINK_CODES_NONE = 0,
  LINK_CODES_MADE = 1,
  /** What they would be made of is too large for arithmetic. */
  LINK_CODES_UNFIT = 2,
};

/** At the beginning of a block. Behind it stand `count` links, with room for all, and codes of 32 of them at a time: of each four
 *  dimensions 16 bytes, links 0 to 15 in the lower halves, then a byte of an addend and a byte of a gain for each link. */
struct link_codes {
  u32 state;
  u32 count;
  /** The squared length of the slot's code. */
  f32 square;
  /** A link's addend is `addend_low` and so many times `addend_step`, its gain so many times `gain_step`. */
  f32 addend_low, addend_step, gain_step;
  u32 reserved[2];
};

ALWAYS_INLINE struct link_codes *link_codes_of(u32 slot) {
  return (struct link_codes *)((u8 *)at(block_of(slot) + ix.link_codes_offset) +
                               (slot & ix.block_mask) * ix.link_codes_stride);
}

/** Makes a slot's block anew. */
void make_link_codes(u32 slot);

/** Before a walk: what estimates need of a query. */
void begin_estimates(const void *query);

/** @return whether there is a block of this slot, made now if need be: a query makes a few at the most */
int has_link_codes(u32 slot);

/**
 * Writes down a slot's out-links that this walk has not met, but for those that are very probably farther than `farthest`, which
 * count as not met.
 * @param distance of the slot from the query
 * @return how many
 */
u32 meet_promising(u32 slot, f32 distance, f32 farthest, u32 *slots);

/** Estimates of the distances of 32 links from the one that is `first` on, a multiple of 32: as `distances`, in units of the code. */
void link_estimates(u32 slot, f32 distance, u32 first, f32 *estimates);

/** Brings a slot's block into the cache, as find_codes does codes. */
ALWAYS_INLINE void touch_link_codes(u32 slot) {
  const volatile u8 *block = (const volatile u8 *)link_codes_of(slot);
  for (u32 i = 0; i < ix.link_codes_stride; i += CACHE_LINE_BYTES) (void)block[i];
}

#endif

#endif
