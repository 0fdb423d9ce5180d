/** What walks keep: the nearest slots they have met, and those they have not visited yet among them. */
#ifndef ISOVEC_NEAREST_H
#define ISOVEC_NEAREST_H

#include "index.h"
#include "links.h"
#include "walk.h"

/** Begins a new set of visited slots. */
void next_epoch(void);

/** Brings in the links of the slot that will probably be visited next, as find_codes does codes: 1.05x. */
ALWAYS_INLINE void touch_links(u32 slot) { (void)*(const volatile u32 *)ground_links(slot); }

/** So many keys are merged with what a walk has found, even if none of them is the next to be visited. */
#define FRESH_FEW 32u
/** Of keys that are not merged yet. */
#define FRESH_MAX (FRESH_FEW + LINKS_MAX)

/**
 * The nearest slots that a walk has met, in order. Sorted arrays cost less than heaps, every branch of which is a guess.
 * A key's lowest bit says that its slot has been visited; the rest of its lower half is the slot.
 */
struct nearest {
  /** Room for FRESH_MAX beyond `capacity`. */
  key *keys;
  u32 count, capacity;
  /** All before it have been visited. */
  u32 next;
  /** Keys in `met` that are not merged yet, and the least of them, if there are any. */
  u32 fresh_count;
  key least;
};

/** What a walk has met of the links of one slot, and keys of what it has met and not merged. */
struct met {
  u32 slots[LINKS_MAX];
  const void *codes[LINKS_MAX + 3];
  f32 distances[LINKS_MAX] __attribute__((aligned(16)));
  key fresh[FRESH_MAX];
};

#define VISITED 1u

ALWAYS_INLINE key nearest_key(f32 distance, u32 slot) { return key_of(distance, slot << 1); }
ALWAYS_INLINE u32 nearest_slot(const struct nearest *nearest, u32 i) { return key_number(nearest->keys[i]) >> 1; }

/** Takes all fresh keys in. */
void nearest_merge(struct nearest *nearest, struct met *met);

/** @return whether there is a slot that has not been visited. Merging waits until a fresh key is the next to be visited, or
 *  there are many: what is visited and found stays the same, but keys are moved less often. 1.05x. */
ALWAYS_INLINE int has_next(struct nearest *nearest, struct met *met) {
  const u32 fresh = nearest->fresh_count;
  if (fresh > FRESH_FEW ||
      (fresh > 0 && (nearest->next >= nearest->count || nearest->least < nearest->keys[nearest->next])))
    nearest_merge(nearest, met);
  return nearest->next < nearest->count;
}

/** @return the nearest slot not visited yet, which then is; has_next() says whether there is one */
ALWAYS_INLINE u32 visit_next(struct nearest *nearest) {
  const u32 slot = nearest_slot(nearest, nearest->next);
  nearest->keys[nearest->next] |= VISITED;
  do nearest->next++;
  while (nearest->next < nearest->count && nearest->keys[nearest->next] & VISITED);
  return slot;
}

/** Computes distances to `count` slots met, and keeps those nearer than the farthest of what has been found. */
void take_met(struct nearest *nearest, struct met *met, u32 count, const void *query);

/** Begins a walk. @param ef at most scratch.capacity */
void begin_walk(struct nearest *nearest, const void *query, u32 entry, u32 ef);

/** Goes on with it, for so many visits at the most. */
void walk_on(struct nearest *nearest, struct met *met, const void *query, u32 level, enum walk_collects collects,
             u32 visits);

/** Makes plain keys of what was found, leaving out what the caller has no use for. @return how many */
u32 collect(const struct nearest *nearest, int answerable_only);

#endif
