#include "walk.h"

#include "codes.h"
#include "filtered.h"
#include "link-codes.h"
#include "links.h"
#include "nearest.h"

void next_epoch(void) {
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

void nearest_merge(struct nearest *nearest, struct met *met) {
  key *fresh = met->fresh;
  const u32 count = nearest->fresh_count;
  if (count > FEW_KEYS)
    sort_keys(fresh, count);
  else
    sort_few_keys(fresh, count);
  u32 ranks[FRESH_MAX];
  u32 end = nearest->count;
  // all of them first: none waits for another's, so a processor looks for several at once
  for (u32 i = 0; i < count; i++) ranks[i] = rank_of(nearest->keys, end, fresh[i]);
  // each moves only what lies between it and the one before
  for (u32 i = count; i-- > 0;) {
    move_up(nearest->keys, ranks[i], end, i + 1);
    end = ranks[i];
    nearest->keys[end + i] = fresh[i];
  }
  nearest->count += count;
  if (nearest->count > nearest->capacity) nearest->count = nearest->capacity;
  if (end < nearest->next) nearest->next = end;
  nearest->fresh_count = 0;
}

void take_met(struct nearest *nearest, struct met *met, u32 count, const void *query) {
  find_codes(met->slots, count, met->codes);
  distances(query, met->codes, count, met->distances);
  const key farthest = nearest->count < nearest->capacity ? KEY_MAX : nearest->keys[nearest->count - 1];
  u32 kept = nearest->fresh_count;
  key least = kept > 0 ? nearest->least : KEY_MAX;
  for (u32 i = 0; i < count; i++) {
    const key found = nearest_key(met->distances[i], met->slots[i]);
    met->fresh[kept] = found;
    kept += found < farthest;
    least = found < least ? found : least;
  }
  nearest->fresh_count = kept;
  nearest->least = least;
}

u32 collect(const struct nearest *nearest, int answerable_only) {
  u32 count = 0;
  for (u32 i = 0; i < nearest->count; i++) {
    const u32 slot = nearest_slot(nearest, i);
    if (answerable_only && !is_answerable(*state_byte(slot))) continue;
    nearest->keys[count++] = nearest->keys[i] >> 32 << 32 | slot;
  }
  return count;
}

void begin_walk(struct nearest *nearest, const void *query, u32 entry, u32 ef) {
  *nearest = (struct nearest){scratch_results(), 1, ef, 0, 0, KEY_MAX};
  next_epoch();
  visited_marks()[entry] = walker->epoch;
  nearest->keys[0] = nearest_key(distance_to(query, entry), entry);
}

#if HAS_LINK_CODES

/** Whether estimates are to tell which links of the next slot are looked at: before a walk has found `ef`, all are. */
static int may_estimate(const struct nearest *nearest) {
  if (nearest->count < nearest->capacity) return 0;
  const f32 distance = key_distance(nearest->keys[nearest->next]);
  return distance - distance == 0 && has_link_codes(nearest_slot(nearest, nearest->next));
}

/** As walk_on on level 0, to the end, passing over what estimates tell is too far. The block of the slot that will probably be
 *  visited next is brought in together with the codes of what has been met: 1.15x. */
static void walk_by_estimates(struct nearest *nearest, struct met *met, const void *query) {
  begin_estimates(query);
  while (has_next(nearest, met)) {
    const int estimates = may_estimate(nearest);
    const f32 distance = key_distance(nearest->keys[nearest->next]);
    const u32 slot = visit_next(nearest);
    const u32 count =
        estimates ? meet_promising(slot, distance, key_distance(nearest->keys[nearest->count - 1]), met->slots)
                  : meet(ground_links(slot), ix.capacity_ground, walker->epoch, met->slots);
    if (nearest->next < nearest->count) touch_link_codes(nearest_slot(nearest, nearest->next));
    if (count > 0) take_met(nearest, met, count, query);
  }
}

#endif

void walk_on(struct nearest *nearest, struct met *met, const void *query, u32 level, enum walk_collects collects,
             u32 visits) {
  const u32 capacity = level == 0 ? ix.capacity_ground : ix.capacity_upper;
  const u8 epoch = walker->epoch;
  while (visits-- > 0 && has_next(nearest, met)) {
    const u32 slot = visit_next(nearest);
    const u32 *words = level == 0 ? ground_links(slot) : links_of(slot, level).words;
    const u32 count = collects == WALK_COLLECTS_ALLOWED ? meet_allowed(words, epoch, met->slots)
                                                        : meet(words, capacity, epoch, met->slots);
    if (count == 0) continue;
    if (nearest->next < nearest->count && level == 0) touch_links(nearest_slot(nearest, nearest->next));
    take_met(nearest, met, count, query);
  }
}

u32 walk(const void *query, u32 entry, u32 level, u32 ef, enum walk_collects collects) {
  struct nearest nearest;
  struct met met;
  begin_walk(&nearest, query, entry, ef);
#if HAS_LINK_CODES
  if (ix.link_codes_stride > 0 && level == 0 && collects == WALK_COLLECTS_ANSWERABLE)
    walk_by_estimates(&nearest, &met, query);
  else
#endif
    walk_on(&nearest, &met, query, level, collects, NONE);
  return collect(&nearest, collects != WALK_COLLECTS_ALL && ix.doomed_count + ix.awaiting_count > 0);
}
