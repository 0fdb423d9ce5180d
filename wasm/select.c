#include "select.h"

#include "batch.h"
#include "codes.h"
#include "links.h"

/** Of L2 distances, squared: 1.05 times 1.05. */
#define RELAXATION 1.1025f
/** Of the square of a vector's length: half the squared L2 distance under cosine, below which rounding and codes tell too
 *  little for a ratio. */
#define RELAXED_MIN 0.02f

/** The distance below which a slot lies too near to a candidate at some distance from the base. */
static f32 crowded_below(f32 distance) {
  if (ix.euclidean) return distance / RELAXATION;
  const f32 square = ix.scale * ix.scale;
  // lengths mean nothing to the product of others
  if (ix.metric == ISOVEC_DOT || square + distance < RELAXED_MIN * square) return distance;
  return (square + distance) / RELAXATION - square;
}

int is_spread(key distance, u32 candidate, const u32 *slots, u32 count) {
  const void *query = query_of(candidate);
  const f32 crowded = crowded_below(key_distance(distance));
  for (u32 i = 0; i < count; i += 4) {
    // by fours, because one of the first is often enough
    const u32 group = count - i < 4 ? count - i : 4;
    f32 group_distances[4] __attribute__((aligned(16)));
    slot_distances(query, slots + i, group, group_distances);
    for (u32 k = 0; k < group; k++)
      if (group_distances[k] < crowded) return 0;
  }
  return 1;
}

/** What stands in the upper half of the keys of a slot's own copies. */
static u32 copy_distance(u32 base) { return (u32)(key_of(distance_to(query_of(base), base), 0) >> 32); }

/** One in four, at least one. */
static u32 copies_max(u32 max) { return max < 8 ? 1 : max / 4; }

u32 select_spread(u32 base, const key *candidates, u32 count, u32 max, u32 *taken, u32 *passed_over) {
  u32 taken_count = 0, passed = 0;
  if (count < max) {
    for (; taken_count < count; taken_count++) taken[taken_count] = key_number(candidates[taken_count]);
    return count;
  }
  const u32 copy = copy_distance(base);
  u32 copies_left = copies_max(max);
  for (u32 i = 0; i < count; i++) {
    if (taken_count == max && !passed_over) break;
    const int is_copy = candidates[i] >> 32 == copy;
    if (taken_count < max && !(is_copy && copies_left == 0) &&
        is_spread(candidates[i], key_number(candidates[i]), taken, taken_count)) {
      taken[taken_count++] = key_number(candidates[i]);
      copies_left -= is_copy;
    } else if (passed_over) {
      passed_over[passed++] = key_number(candidates[i]);
    }
  }
  return taken_count;
}

int is_copy_of(u32 base, key candidate) { return candidate >> 32 == copy_distance(base); }

void shuffle_equals(u32 base, key *keys, u32 count) {
  u32 random = base * 2654435769u + 1;
  for (u32 first = 0, i = 1; i < count; i++) {
    if (keys[i] >> 32 != keys[first] >> 32) {
      first = i;
      continue;
    }
    random = random * 1664525u + 1013904223u;
    const u32 other = first + (random >> 8) % (i - first + 1);
    const key moved = keys[i];
    keys[i] = keys[other];
    keys[other] = moved;
  }
}

void measure(const void *query, const u32 *slots, u32 count, key *keys) {
  const void *codes[LINKS_MAX + BATCH_MAX + 4];
  f32 measured[LINKS_MAX + BATCH_MAX + 4] __attribute__((aligned(16)));
  find_codes(slots, count, codes);
  distances(query, codes, count, measured);
  for (u32 i = 0; i < count; i++) keys[i] = key_of(measured[i], slots[i]);
}
