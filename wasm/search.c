/** Answers: by the graph, and exactly. */
#include "index.h"
#include "walk.h"

/** The best rows so far: keys (distance, row) in a far heap. It lies where the walk has its open slots, which are no
 *  longer needed by then. */
struct best {
  key *keys;
  u32 count;
  u32 top;
};

// ------------------------------------------------------------ exactly

/** Up to four slots whose distances are computed together. */
struct group {
  u32 slots[4];
  u32 count;
};

ALWAYS_INLINE void flush_group(struct best *best, struct group *group, const f32 *query, int euclidean) {
  if (group->count == 0) return;
  for (u32 k = group->count; k < 4; k++) group->slots[k] = group->slots[0];
  const f32 *const rows[4] = {vector_of(group->slots[0]), vector_of(group->slots[1]), vector_of(group->slots[2]),
                              vector_of(group->slots[3])};
  f32 distances[4] __attribute__((aligned(16)));
  distance_four(query, rows, ix.stride, euclidean, distances);
  for (u32 k = 0; k < group->count; k++) {
    if (best->count == best->top && key_of(distances[k], 0) > best->keys[0]) continue;
    far_offer(best->keys, &best->count, best->top, key_of(distances[k], *row_of(group->slots[k])));
  }
  group->count = 0;
}

ALWAYS_INLINE void add_to_group(struct best *best, struct group *group, u32 slot, const f32 *query, int euclidean) {
  group->slots[group->count++] = slot;
  if (group->count == 4) flush_group(best, group, query, euclidean);
}

ALWAYS_INLINE void scan_all_by(struct best *best, const f32 *query, int euclidean) {
  struct group group = {.count = 0};
  for (u32 first = 0; first < ix.slots; first += ix.block_mask + 1) {
    const u32 end = ix.slots - first <= ix.block_mask ? ix.slots : first + ix.block_mask + 1;
    const u8 *states = state_byte(first);
    for (u32 slot = first; slot < end; slot++)
      if (is_answerable(states[slot - first])) add_to_group(best, &group, slot, query, euclidean);
  }
  flush_group(best, &group, query, euclidean);
}

ALWAYS_INLINE void scan_pending_by(struct best *best, const f32 *query, int euclidean) {
  struct group group = {.count = 0};
  for (u32 slot = ix.pending_head; slot != NONE; slot = ground_links(slot)[1])
    add_to_group(best, &group, slot, query, euclidean);
  flush_group(best, &group, query, euclidean);
}

static void scan_all(struct best *best, const f32 *query) {
  if (ix.euclidean)
    scan_all_by(best, query, 1);
  else
    scan_all_by(best, query, 0);
}

static void scan_pending(struct best *best, const f32 *query) {
  if (ix.euclidean)
    scan_pending_by(best, query, 1);
  else
    scan_pending_by(best, query, 0);
}

// ------------------------------------------------------------ the answer

/** As users read it: see isovec_answer_distances. */
static f32 shown_distance(f32 distance) {
  if (ix.metric == ISOVEC_EUCLIDEAN) return __builtin_sqrtf(distance);
  if (ix.metric == ISOVEC_DOT) return distance;
  const f32 shown = 1 + distance;
  return shown > 0 ? shown : 0;
}

/** Distances that differ may be shown as equal, and equal ones stand in the order of their rows: hence the second sort. */
static i32 answer(struct best *best) {
  u32 *rows = (u32 *)at(scratch.answer_rows);
  f32 *distances = (f32 *)at(scratch.answer_distances);
  for (u32 i = 0; i < best->count; i++)
    best->keys[i] = key_of(shown_distance(key_distance(best->keys[i])), key_number(best->keys[i]));
  sort_keys(best->keys, best->count);
  for (u32 i = 0; i < best->count; i++) {
    rows[i] = key_number(best->keys[i]);
    distances[i] = key_distance(best->keys[i]);
  }
  return (i32)best->count;
}

i32 isovec_scan(u32 top) {
  const u32 held = ix.pending_count + ix.linked_count;
  if (top > held) top = held;
  if (top == 0) return 0;
  if (!reserve_scratch(top)) return ISOVEC_NO_MEMORY;
  prepare_vector();
  struct best best = {scratch_open(), 0, top};
  scan_all(&best, scratch_vector());
  return answer(&best);
}

i32 isovec_search(u32 top, u32 ef) {
  if (top > ix.linked_count + ix.pending_count) top = ix.linked_count + ix.pending_count;
  if (ix.linked_count == 0 || ix.type == ISOVEC_FLAT) return isovec_scan(top);
  if (top == 0) return 0;
  if (ef < top) ef = top;
  if (ef > ix.linked_count) ef = ix.linked_count;
  if (!reserve_scratch(ef > top ? ef : top)) return ISOVEC_NO_MEMORY;
  prepare_vector();
  const f32 *query = scratch_vector();
  const u32 found = walk(query, descend(query, 0), 0, ef, WALK_COLLECTS_ANSWERABLE);
  struct best best = {scratch_open(), 0, top};
  const u32 wanted = top < ix.linked_count ? top : ix.linked_count;
  if (found < wanted) {
    scan_all(&best, query);
    return answer(&best);
  }
  const key *results = scratch_results();
  for (u32 i = 0; i < found; i++)
    far_offer(best.keys, &best.count, top, key_of(key_distance(results[i]), *row_of(key_number(results[i]))));
  scan_pending(&best, query);
  return answer(&best);
}

address isovec_answer_rows(void) { return scratch.answer_rows; }
address isovec_answer_distances(void) { return scratch.answer_distances; }
