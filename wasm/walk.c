#include "walk.h"

#include "codes.h"
#include "links.h"

void next_epoch(void) {
  if (++ix.epoch != 0) return;
  for (u32 b = 0; b < ix.blocks; b++) fill_bytes(at(ix.block[b] + ix.visited_offset), 0, ix.block_mask + 1);
  ix.epoch = 1;
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
      distances(query, list.words, count, found_distances);
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
ALWAYS_INLINE u32 meet(const u32 *words, u32 capacity, u8 epoch, u32 *met) {
  u32 count = 0;
  for (u32 i = 0; i < capacity && is_out_link(words[i]); i++) {
    u8 *visited = visited_byte(words[i]);
    met[count] = words[i];
    count += *visited != epoch;
    *visited = epoch;
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
 * Makes room among the slots to visit: those farther than the worst result will never be visited. The others are
 * among the results, so at most `ef` are left - unless many are doomed, when the farther half is given up.
 */
static u32 prune_open(key *open, u32 count, key worst) {
  u32 kept = 0;
  for (u32 i = 0; i < count; i++)
    if (open[i] <= worst) open[kept++] = open[i];
  sort_keys(open, kept);
  return kept > count / 2 ? count / 2 : kept;
}

u32 walk(const void *query, u32 entry, u32 level, u32 ef, enum walk_collects collects) {
  const int checks = collects == WALK_COLLECTS_ANSWERABLE && ix.doomed_count + ix.awaiting_count > 0;
  key *results = scratch_results();
  key *open = scratch_open();
  const u32 open_capacity = 2 * scratch.capacity;
  const u32 capacity = level == 0 ? ix.capacity_ground : ix.capacity_upper;
  u32 met[LINKS_MAX];
  f32 met_distances[LINKS_MAX] __attribute__((aligned(16)));
  next_epoch();
  const u8 epoch = ix.epoch;

  open[0] = key_of(distance_to(query, entry), entry);
  u32 open_count = 1, count = 0;
  *visited_byte(entry) = epoch;
  if (!checks || is_answerable(*state_byte(entry))) results[count++] = open[0];
  key worst = count < ef ? KEY_MAX : results[0];

  while (open_count > 0) {
    const key nearest = near_pop(open, &open_count);
    if (nearest > worst) break;
    const u32 *words = level == 0 ? ground_links(key_number(nearest)) : links_of(key_number(nearest), level).words;
    const u32 met_count = meet(words, capacity, epoch, met);
    if (open_count > 0 && level == 0) touch_links(key_number(open[0]));
    touch_codes(met, met_count);
    // all distances first: the branches below are hard to predict, and would break the stream of loads
    distances(query, met, met_count, met_distances);
    for (u32 i = 0; i < met_count; i++) {
      const key found = key_of(met_distances[i], met[i]);
      if (found >= worst) continue;
      if (open_count == open_capacity) open_count = prune_open(open, open_count, worst);
      near_push(open, &open_count, found);
      if (checks && !is_answerable(*state_byte(met[i]))) continue;
      far_offer(results, &count, ef, found);
      if (count == ef) worst = results[0];
    }
  }
  return count;
}
