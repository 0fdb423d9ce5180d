/**
 * Links of a slot on one level.
 *
 * The invariant on which removal rests: b stands in a's list if and only if a stands in b's. An entry is either an
 * out-link, which walks follow, or, with its top bit set, an in-link only: the other side links here and this side
 * does not link back. HNSW's pruning makes one direction of a pair go; here it turns an out-link into an in-link, so
 * all who link to a slot are known to it without looking for them.
 *
 * In a list's own words stand the out-links, then in-links, then NONE to the end. A walk stops at the first word with
 * its top bit set. In-links that find no room (hubs have many) go to a chain of spill records, which is in use only
 * while the words are full. Order among out-links, and among in-links, means nothing.
 */
#ifndef ISOVEC_LINKS_H
#define ISOVEC_LINKS_H

#include "index.h"

#define IN_LINK 0x80000000u
/** Of one list's own words: level 0 at m = 256. */
#define LINKS_MAX 512u
#define UPPER_HEADER_WORDS 2u
/** A spill record: the next one, and seven links. 32 bytes. */
#define SPILL_WORDS 8u

struct links {
  u32 *words;
  u32 *spill;
  u32 capacity;
#if HAS_LINK_CODES
  /** Null, or the state of the codes made of the list: see link-codes.h. */
  u32 *codes_state;
#endif
};

/** An out-link comes or goes. */
ALWAYS_INLINE void forget_link_codes(struct links list) {
#if HAS_LINK_CODES
  if (list.codes_state) *list.codes_state = 0;
#else
  (void)list;
#endif
}

ALWAYS_INLINE int is_out_link(u32 word) { return !(word & IN_LINK); }

/** @param level at most the slot's own, which must be linked, awaiting or doomed */
struct links links_of(u32 slot, u32 level);

void links_clear(struct links list);
u32 links_out_count(struct links list);
/** @return the word that names the other slot, whichever way, or NONE */
u32 links_find(struct links list, u32 other);
/** Adds an out-link: there must be fewer than `capacity`. @return 0 when there was no memory to move an in-link away */
int links_add_out(struct links list, u32 other);
/** @return 0 when there was no memory for it */
int links_add_in(struct links list, u32 other);
/** Takes out the entry of the other slot, if there is one. @return the word it was, or NONE */
u32 links_remove(struct links list, u32 other);
/** Turns an out-link into an in-link. */
void links_demote(struct links list, u32 other);
/** Turns an in-link into an out-link: there must be fewer than `capacity` out-links. */
void links_promote(struct links list, u32 other);
/** @return any entry's word, or NONE when the list is empty */
u32 links_any(struct links list);

#endif
