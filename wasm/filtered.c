#include "filtered.h"

#include "links.h"
#include "nearest.h"

struct allowed allowed;

int is_allowed(u32 slot) {
  const u32 row = *row_of(slot);
  return row >> 5 < allowed.words && ((const u32 *)at(allowed.bits))[row >> 5] >> (row & 31) & 1;
}

address isovec_allow(u32 words, u32 near_min, u32 ef) {
  if (words > allowed.capacity) {
    const address bits = take_bytes(words * sizeof(u32));
    if (bits == 0) return 0;
    allowed.bits = bits;
    allowed.capacity = words;
  }
  allowed.counts = words > 0;
  allowed.words = words;
  allowed.near_min = near_min;
  allowed.ef = ef;
  return allowed.bits;
}

u32 meet_allowed(const u32 *words, u8 epoch, u32 *slots) {
  u8 *visited = visited_marks();
  u32 passed[LINKS_MAX];
  u32 count = 0, passed_count = 0, enough = ix.capacity_ground / 2;
  // first its own links, then those of one passed slot after another
  for (u32 p = 0;; words = ground_links(passed[p++])) {
    for (u32 i = 0; i < ix.capacity_ground && words[i] != NONE && count < ix.capacity_ground; i++) {
      const u32 slot = words[i] & ~IN_LINK;
      if (visited[slot] == epoch) continue;
      const int is_wanted = is_allowed(slot);
      if (is_wanted || p == 0) visited[slot] = epoch;
      if (is_wanted)
        slots[count++] = slot;
      else if (p == 0)
        passed[passed_count++] = slot;
    }
    if (p == passed_count || count >= enough) return count;
  }
}

/** Visits after which a walk looks whether it is among what is allowed. */
#define PROBE_VISITS 64u

/** Whether enough of what a walk has found first is allowed: half of what should be in the end, for these are few. */
static int is_among_allowed(const struct nearest *nearest) {
  u32 count = 0;
  for (u32 i = 0; i < nearest->count && i < PROBE_VISITS; i++) count += (u32)is_allowed(nearest_slot(nearest, i));
  return count >= allowed.near_min * (PROBE_VISITS / 2) / nearest->capacity;
}

/** Where a walk over what is allowed begins besides what has been found, and slots looked at to find them. */
#define SAMPLE_MAX 256u
#define SAMPLED_MAX 4096u
/** The golden ratio: slots so far apart lie evenly. */
#define SAMPLE_STEP 0x9e3779b9u

/** Allowed slots here and there, not met yet. @return how many */
static u32 sample_allowed(u32 *slots) {
  u8 *visited = visited_marks();
  u32 count = 0;
  for (u32 i = 0; i < SAMPLED_MAX && count < SAMPLE_MAX; i++) {
    const u32 slot = i * SAMPLE_STEP % ix.slots;
    if (state_of(slot) != STATE_LINKED || visited[slot] == walker->epoch || !is_allowed(slot)) continue;
    visited[slot] = walker->epoch;
    slots[count++] = slot;
  }
  return count;
}

/** Keeps of what a walk has found what is allowed, as if it had just met that. */
static void keep_allowed(struct nearest *nearest, struct met *met) {
  if (nearest->fresh_count > 0) nearest_merge(nearest, met);
  next_epoch();
  u32 count = 0;
  for (u32 i = 0; i < nearest->count; i++) {
    const u32 slot = nearest_slot(nearest, i);
    if (!is_allowed(slot)) continue;
    visited_marks()[slot] = walker->epoch;
    nearest->keys[count++] = nearest->keys[i] & ~(key)VISITED;
  }
  nearest->count = count;
  nearest->next = 0;
}

u32 walk_to_allowed(const void *query, u32 entry, u32 ef) {
  struct nearest nearest;
  struct met met;
  begin_walk(&nearest, query, entry, ef);
  walk_on(&nearest, &met, query, 0, WALK_COLLECTS_ANSWERABLE, PROBE_VISITS);
  if (!is_among_allowed(&nearest)) return 0;
  walk_on(&nearest, &met, query, 0, WALK_COLLECTS_ANSWERABLE, NONE);
  keep_allowed(&nearest, &met);
  if (nearest.count < allowed.near_min) return 0;
  if (allowed.ef > 0) {
    nearest.capacity = allowed.ef;
    if (nearest.count > allowed.ef) nearest.count = allowed.ef;
    take_met(&nearest, &met, sample_allowed(met.slots), query);
    walk_on(&nearest, &met, query, 0, WALK_COLLECTS_ALLOWED, NONE);
  }
  return collect(&nearest, 1);
}
