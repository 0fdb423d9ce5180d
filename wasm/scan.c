#include "scan.h"

#include "batch.h"
#include "codes.h"
#include "filtered.h"

/** Beyond it, nothing is kept. */
static f32 farthest_kept(const struct best *best) {
  return best->count < best->top ? __builtin_inff() : key_distance(best->keys[0]);
}

void offer(struct best *best, u32 slot, f32 distance) {
  if (distance > farthest_kept(best) || (allowed.counts && !is_allowed(slot))) return;
  far_offer(best->keys, &best->count, best->top, key_of(distance, *row_of(slot)));
}

// ------------------------------------------------------------ slots here and there

void flush_slots(struct scan *scan) {
  f32 found[GROUP_MAX] __attribute__((aligned(16)));
  const void *codes[GROUP_MAX + 3];
  find_codes(scan->slots, scan->slots_count, codes);
  for (u32 q = 0; q < scan->count; q++) {
    struct best *best = scan->best[q];
    distances(best->query, codes, scan->slots_count, found);
    for (u32 i = 0; i < scan->slots_count; i++) offer(best, scan->slots[i], found[i]);
  }
  scan->slots_count = 0;
}

void scan_slot(struct scan *scan, u32 slot) {
  scan->slots[scan->slots_count++] = slot;
  if (scan->slots_count == GROUP_MAX) flush_slots(scan);
}

// ------------------------------------------------------------ slots in line

static void scan_line(struct best *best, u32 first, u32 count, u32 left) {
  f32 found[IN_LINE_MAX] __attribute__((aligned(16)));
  distances_in_line(best->query, first, count, left, found);
  f32 farthest = farthest_kept(best);
  for (u32 i = 0; i < count; i++) {
    if (found[i] > farthest) continue;
    offer(best, first + i, found[i]);
    farthest = farthest_kept(best);
  }
}

/** Each code is read once for all. */
static void scan_line_for_several(struct scan *scan, u32 first, u32 count, u32 left) {
  f32 found[ISOVEC_QUERIES_MAX * IN_LINE_MAX] __attribute__((aligned(16)));
  const void *queries[ISOVEC_QUERIES_MAX];
  f32 farthest[ISOVEC_QUERIES_MAX];
  for (u32 q = 0; q < ISOVEC_QUERIES_MAX; q++) {
    const struct best *best = scan->best[q < scan->count ? q : 0];
    queries[q] = best->query;
    farthest[q] = farthest_kept(best);
  }
  distances_of_several(queries, first, count, left, found);
  const f32 *near = found;
  for (u32 i = 0; i < count; i++, near += ISOVEC_QUERIES_MAX) {
    if ((near[0] > farthest[0]) & (near[1] > farthest[1]) & (near[2] > farthest[2]) & (near[3] > farthest[3])) continue;
    for (u32 q = 0; q < scan->count; q++) {
      offer(scan->best[q], first + i, near[q]);
      farthest[q] = farthest_kept(scan->best[q]);
    }
  }
}

/** From so many queries on: four are computed whether they are there or not. Fewer find the codes in the cache. */
#define SEVERAL_MIN 3u

/** Consecutive slots of one block. */
static void scan_run(struct scan *scan, u32 first, u32 end) {
  for (; first < end; first += IN_LINE_MAX) {
    const u32 left = end - first, count = left < IN_LINE_MAX ? left : IN_LINE_MAX;
    if (scan->count >= SEVERAL_MIN && CODES != ISOVEC_BINARY)
      scan_line_for_several(scan, first, count, left);
    else
      for (u32 q = 0; q < scan->count; q++) scan_line(scan->best[q], first, count, left);
  }
}

void scan_all(struct scan *scan) {
  if (scan->count == 0) return;
  for (u32 first = 0; first < ix.slots; first += ix.block_mask + 1) {
    const u32 end = ix.slots - first <= ix.block_mask ? ix.slots : first + ix.block_mask + 1;
    const u8 *states = state_byte(first);
    for (u32 slot = first; slot < end; slot++) {
      const u32 from = slot;
      while (slot < end && is_answerable(states[slot - first])) slot++;
      scan_run(scan, from, slot);
    }
  }
}

/** So many distances are computed at a time, if need be some of them twice. */
#define RUN_MIN 4u

/** Slots that follow one another in memory as in the queue, as most do, are done in line. */
void scan_pending(struct scan *scan) {
  if (scan->count == 0) return;
  scan->slots_count = 0;
  for (u32 slot = ix.pending_head; slot != NONE;) {
    const u32 from = slot, last = slot | ix.block_mask;
    u32 end = slot + 1;
    while ((slot = ground_links(end - 1)[1]) == end && end <= last) end++;
    if (end - from >= RUN_MIN)
      scan_run(scan, from, end);
    else
      for (u32 i = from; i < end; i++) scan_slot(scan, i);
  }
  u32 batch[BATCH_MAX];
  for (u32 i = batch_slots(batch); i-- > 0;) scan_slot(scan, batch[i]);
  flush_slots(scan);
}
