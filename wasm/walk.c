#include "walk.h"

#include "codes.h"
#include "links.h"

/** Begins a new set of visited slots. */
static void next_epoch(void) {
  if (++walker->epoch != 0) return;
  fill_bytes(visited_marks(), 0, walker->visited_capacity);
  walker->epoch = 1;
}

// ------------------------------------------------------------ descending

u32 descend(const void *query, u32 level) {
  key nearest = key_of(distance_to(query, ix.entry), ix.entry);
  f32 found_distances[LINKS_MAX] __attribute__((aligned(16)));
  for (u32 l = ix.entry_level; l > level; l--) {
    for (u32 from = NONE; from != key_number(nearest);) {
      from = key_number(nearest);
      const struct links list = links_of(from, l);
      const u32 count = links_out_count(list);
      slot_distances(query, list.words, count, found_distances);
      for (u32 i = 0; i < count; i++) {
        const key found = key_of(found_distances[i], list.words[i]);
        if (found < nearest) nearest = found;
      }
    }
  }
  return key_number(nearest);
}

// ------------------------------------------------------------ one level

/** Writes down those of a list's out-links that this walk has not met. @return how many */
ALWAYS_INLINE u32 meet(const u32 *words, u32 capacity, u8 epoch, u32 *slots) {
  u8 *visited = visited_marks();
  u32 count = 0;
  for (u32 i = 0; i < capacity && is_out_link(words[i]); i++) {
    const u32 slot = words[i];
    slots[count] = slot;
    count += visited[slot] != epoch;
    visited[slot] = epoch;
  }
  return count;
}

/** Brings in the links of the slot that will probably be visited next, as touch_codes does codes: 1.05x. */
ALWAYS_INLINE void touch_links(u32 slot) {
  const volatile u32 *words = ground_links(slot);
  (void)words[0];
  (void)words[ix.capacity_ground / 2];
}

/**
 * The nearest slots that a walk has met, in order. Sorted arrays cost less than heaps, every branch of which is a guess.
 * A key's lowest bit says that its slot has been visited; the rest of its lower half is the slot.
 */
struct nearest {
  /** Room for LINKS_MAX beyond `capacity`. */
  key *keys;
  u32 count, capacity;
  /** All before it have been visited. */
  u32 next;
};

#define VISITED 1u

ALWAYS_INLINE key nearest_key(f32 distance, u32 slot) { return key_of(distance, slot << 1); }
ALWAYS_INLINE u32 nearest_slot(const struct nearest *nearest, u32 i) { return key_number(nearest->keys[i]) >> 1; }

/** The number of keys below one, found without branches. */
ALWAYS_INLINE u32 rank_of(const key *keys, u32 count, key sought) {
  const key *first = keys;
  while (count > 0) {
    const u32 half = (count + 1) / 2;
    first += first[half - 1] < sought ? half : 0;
    count -= half;
  }
  return (u32)(first - keys);
}

/** Keys from `from` up to `end` go `by` places up, two at a time. */
ALWAYS_INLINE void move_up(key *keys, u32 from, u32 end, u32 by) {
  while (end > from + 1) {
    end -= 2;
    key two[2];
    copy_bytes(two, keys + end, sizeof two);
    copy_bytes(keys + end + by, two, sizeof two);
  }
  if (end > from) keys[end - 1 + by] = keys[end - 1];
}

/** Takes in sorted keys, each of which moves only what lies between it and the one before. */
static void nearest_merge(struct nearest *nearest, const key *fresh, u32 count) {
  u32 end = nearest->count;
  for (u32 i = count; i-- > 0;) {
    const u32 rank = rank_of(nearest->keys, end, fresh[i]);
    move_up(nearest->keys, rank, end, i + 1);
    nearest->keys[rank + i] = fresh[i];
    end = rank;
  }
  nearest->count += count;
  if (nearest->count > nearest->capacity) nearest->count = nearest->capacity;
  if (end < nearest->next) nearest->next = end;
}

/** @return the nearest slot not visited yet, which then is */
ALWAYS_INLINE u32 visit_next(struct nearest *nearest) {
  const u32 slot = nearest_slot(nearest, nearest->next);
  nearest->keys[nearest->next] |= VISITED;
  do nearest->next++;
  while (nearest->next < nearest->count && nearest->keys[nearest->next] & VISITED);
  return slot;
}

/** What a walk has met of the links of one slot. */
struct met {
  u32 slots[LINKS_MAX];
  const void *codes[LINKS_MAX + 3];
  f32 distances[LINKS_MAX] __attribute__((aligned(16)));
  key keys[LINKS_MAX];
};

/** Sorted keys of those met that are nearer than the farthest of what has been found. @return how many */
ALWAYS_INLINE u32 sort_met(const struct nearest *nearest, struct met *met, u32 count) {
  const key farthest = nearest->count < nearest->capacity ? KEY_MAX : nearest->keys[nearest->count - 1];
  u32 kept = 0;
  for (u32 i = 0; i < count; i++) {
    met->keys[kept] = nearest_key(met->distances[i], met->slots[i]);
    kept += met->keys[kept] < farthest;
  }
  if (kept > FEW_KEYS)
    sort_keys(met->keys, kept);
  else
    sort_few_keys(met->keys, kept);
  return kept;
}

/** Makes plain keys of what was found, leaving out what the caller has no use for. @return how many */
static u32 collect(const struct nearest *nearest, int answerable_only) {
  u32 count = 0;
  for (u32 i = 0; i < nearest->count; i++) {
    const u32 slot = nearest_slot(nearest, i);
    if (answerable_only && !is_answerable(*state_byte(slot))) continue;
    nearest->keys[count++] = nearest->keys[i] >> 32 << 32 | slot;
  }
  return count;
}

u32 walk(const void *query, u32 entry, u32 level, u32 ef, enum walk_collects collects) {
  const u32 capacity = level == 0 ? ix.capacity_ground : ix.capacity_upper;
  struct nearest nearest = {scratch_results(), 1, ef, 0};
  struct met met;
  next_epoch();
  const u8 epoch = walker->epoch;
  visited_marks()[entry] = epoch;
  nearest.keys[0] = nearest_key(distance_to(query, entry), entry);
  while (nearest.next < nearest.count) {
    const u32 slot = visit_next(&nearest);
    const u32 *words = level == 0 ? ground_links(slot) : links_of(slot, level).words;
    const u32 count = meet(words, capacity, epoch, met.slots);
    if (count == 0) continue;
    if (nearest.next < nearest.count && level == 0) touch_links(nearest_slot(&nearest, nearest.next));
    find_codes(met.slots, count, met.codes);
    distances(query, met.codes, count, met.distances);
    const u32 kept = sort_met(&nearest, &met, count);
    if (kept > 0) nearest_merge(&nearest, met.keys, kept);
  }
  return collect(&nearest, collects == WALK_COLLECTS_ANSWERABLE && ix.doomed_count + ix.awaiting_count > 0);
}
