#include "select.h"

ALWAYS_INLINE void four_distances(const f32 *query, const u32 *slots, u32 count, int euclidean, f32 out[4]) {
  const f32 *const rows[4] = {vector_of(slots[0]), vector_of(slots[count > 1 ? 1 : 0]), vector_of(slots[count > 2 ? 2 : 0]),
                              vector_of(slots[count > 3 ? 3 : 0])};
  distance_four(query, rows, ix.stride, euclidean, out);
}

ALWAYS_INLINE int is_spread_by(key candidate, const u32 *slots, u32 count, int euclidean) {
  const f32 *vector = vector_of(key_number(candidate));
  for (u32 i = 0; i < count; i += 4) {
    const u32 group = count - i < 4 ? count - i : 4;
    f32 distances[4] __attribute__((aligned(16)));
    four_distances(vector, slots + i, group, euclidean, distances);
    for (u32 k = 0; k < group; k++)
      if (key_of(distances[k], 0) >> 32 < candidate >> 32) return 0;
  }
  return 1;
}

int is_spread(key candidate, const u32 *slots, u32 count) {
  return ix.euclidean ? is_spread_by(candidate, slots, count, 1) : is_spread_by(candidate, slots, count, 0);
}

u32 select_spread(const key *candidates, u32 count, u32 max, u32 *taken, u32 *passed_over) {
  u32 taken_count = 0, passed = 0;
  if (count < max) {
    for (; taken_count < count; taken_count++) taken[taken_count] = key_number(candidates[taken_count]);
    return count;
  }
  for (u32 i = 0; i < count; i++) {
    if (taken_count == max && !passed_over) break;
    if (taken_count < max && is_spread(candidates[i], taken, taken_count))
      taken[taken_count++] = key_number(candidates[i]);
    else if (passed_over)
      passed_over[passed++] = key_number(candidates[i]);
  }
  return taken_count;
}

ALWAYS_INLINE void measure_by(const f32 *query, const u32 *slots, u32 count, key *keys, int euclidean) {
  for (u32 i = 0; i < count; i += 4) {
    const u32 group = count - i < 4 ? count - i : 4;
    f32 distances[4] __attribute__((aligned(16)));
    four_distances(query, slots + i, group, euclidean, distances);
    for (u32 k = 0; k < group; k++) keys[i + k] = key_of(distances[k], slots[i + k]);
  }
}

void measure(const f32 *query, const u32 *slots, u32 count, key *keys) {
  if (ix.euclidean)
    measure_by(query, slots, count, keys, 1);
  else
    measure_by(query, slots, count, keys, 0);
}
