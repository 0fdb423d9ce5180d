/** Answers: by the graph, and exactly. */
#include "batch.h"
#include "codes.h"
#include "filtered.h"
#include "walk.h"

/** The best rows so far: keys (distance, row) in a far heap. */
struct best {
  key *keys;
  u32 count;
  u32 top;
};

// ------------------------------------------------------------ exactly

__attribute__((noinline)) static void keep(struct best *best, u32 slot, f32 distance) {
  if (allowed.counts && !is_allowed(slot)) return;
  far_offer(best->keys, &best->count, best->top, key_of(distance, *row_of(slot)));
}

/** Offers what has been found to be kept. */
ALWAYS_INLINE void offer(struct best *best, u32 slot, f32 distance) {
  if (best->count == best->top && key_of(distance, 0) > best->keys[0]) return;
  keep(best, slot, distance);
}

/** Slots here and there whose distances are computed in one go. */
#define GROUP_MAX 64u

struct group {
  u32 slots[GROUP_MAX];
  u32 count;
};

static void flush_group(struct best *best, struct group *group, const void *query) {
  const void *codes[GROUP_MAX + 3];
  f32 found[GROUP_MAX] __attribute__((aligned(16)));
  find_codes(group->slots, group->count, codes);
  distances(query, codes, group->count, found);
  for (u32 i = 0; i < group->count; i++) offer(best, group->slots[i], found[i]);
  group->count = 0;
}

ALWAYS_INLINE void add_to_group(struct best *best, struct group *group, u32 slot, const void *query) {
  group->slots[group->count++] = slot;
  if (group->count == GROUP_MAX) flush_group(best, group, query);
}

/** Consecutive slots of one block. */
static void scan_run(struct best *best, u32 first, u32 end, const void *query) {
  f32 found[IN_LINE_MAX] __attribute__((aligned(16)));
  for (; first < end; first += IN_LINE_MAX) {
    const u32 left = end - first, count = left < IN_LINE_MAX ? left : IN_LINE_MAX;
    distances_in_line(query, first, count, left, found);
    for (u32 i = 0; i < count; i++) offer(best, first + i, found[i]);
  }
}

static void scan_all(struct best *best, const void *query) {
  for (u32 first = 0; first < ix.slots; first += ix.block_mask + 1) {
    const u32 end = ix.slots - first <= ix.block_mask ? ix.slots : first + ix.block_mask + 1;
    const u8 *states = state_byte(first);
    for (u32 slot = first; slot < end; slot++) {
      const u32 from = slot;
      while (slot < end && is_answerable(states[slot - first])) slot++;
      scan_run(best, from, slot, query);
    }
  }
}

/** So many distances are computed at a time, if need be some of them twice. */
#define RUN_MIN 4u

/** Slots that follow one another in memory as in the queue, as most do, are done in line. */
static void scan_pending(struct best *best, const void *query) {
  struct group group;
  group.count = 0;
  for (u32 slot = ix.pending_head; slot != NONE;) {
    const u32 from = slot, last = slot | ix.block_mask;
    u32 end = slot + 1;
    while ((slot = ground_links(end - 1)[1]) == end && end <= last) end++;
    if (end - from >= RUN_MIN)
      scan_run(best, from, end, query);
    else
      for (u32 i = from; i < end; i++) add_to_group(best, &group, i, query);
  }
  flush_group(best, &group, query);
  u32 batch[BATCH_MAX];
  for (u32 i = batch_slots(batch); i-- > 0;) add_to_group(best, &group, batch[i], query);
  flush_group(best, &group, query);
}

// ------------------------------------------------------------ the answer

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
  struct best best = {scratch_best(), 0, top};
  scan_all(&best, encode_query());
  return answer(&best);
}

/** Slots without an answer take places in a walk: more candidates in their stead, up to four times as many. Where
 *  that is not enough, as when a whole region is doomed, a scan answers. */
static u32 widened(u32 ef) {
  const u32 walked = ix.linked_count + ix.awaiting_count + ix.doomed_count;
  const u64 wide = (u64)ef * (walked < 4ull * ix.linked_count ? walked : 4ull * ix.linked_count) / ix.linked_count;
  return wide < walked ? (u32)wide : walked;
}

i32 isovec_search(u32 top, u32 ef) {
  if (top > ix.linked_count + ix.pending_count) top = ix.linked_count + ix.pending_count;
  if (ix.linked_count == 0 || ix.type == ISOVEC_FLAT) return isovec_scan(top);
  if (top == 0) return 0;
  if (ef < top) ef = top;
  ef = widened(ef < ix.linked_count ? ef : ix.linked_count);
  if (!reserve_scratch(ef > allowed.ef ? ef : allowed.ef)) return ISOVEC_NO_MEMORY;
  const void *query = encode_query();
  const u32 entry = descend(query, 0), wanted = top < ix.linked_count ? top : ix.linked_count;
  const u32 found =
      allowed.counts ? walk_to_allowed(query, entry, ef) : walk(query, entry, 0, ef, WALK_COLLECTS_ANSWERABLE);
  if (allowed.counts && found == 0) return 0;
  struct best best = {scratch_best(), 0, top};
  if (!allowed.counts && found < wanted) {
    scan_all(&best, query);
    return answer(&best);
  }
  const key *results = scratch_results();
  for (u32 i = 0; i < found; i++) keep(&best, key_number(results[i]), key_distance(results[i]));
  scan_pending(&best, query);
  return answer(&best);
}

// ------------------------------------------------------------ exactly, among some

static struct {
  struct best best;
  struct group group;
  const void *query;
} among;

/** No walk uses it meanwhile. */
address isovec_slot_buffer(void) { return address_of(scratch_results()); }

i32 isovec_among_begin(u32 top) {
  const u32 held = ix.pending_count + ix.linked_count;
  if (top > held) top = held;
  if (!reserve_scratch(top)) return ISOVEC_NO_MEMORY;
  among.best = (struct best){scratch_best(), 0, top};
  among.group.count = 0;
  among.query = encode_query();
  return 0;
}

i32 isovec_among(u32 count) {
  if (count > ISOVEC_SLOT_BUFFER) return ISOVEC_BAD_ARGUMENT;
  if (among.best.top == 0) return 0;
  const u32 *slots = (const u32 *)scratch_results();
  for (u32 i = 0; i < count; i++) {
    const u32 slot = slots[i];
    if (slot < ix.slots && is_answerable(*state_byte(slot)))
      add_to_group(&among.best, &among.group, slot, among.query);
  }
  return 0;
}

i32 isovec_among_end(void) {
  if (among.best.top > 0) flush_group(&among.best, &among.group, among.query);
  return answer(&among.best);
}

address isovec_answer_rows(void) { return scratch.answer_rows; }
address isovec_answer_distances(void) { return scratch.answer_distances; }
