/** Exact scans, for up to four queries in one pass. */
#ifndef ISOVEC_SCAN_H
#define ISOVEC_SCAN_H

#include "index.h"

/** The best rows of a query so far: keys (distance, row) in a far heap. */
struct best {
  /** As encode_query gave it. */
  const void *query;
  key *keys;
  u32 count;
  u32 top;
};

/** Slots here and there whose distances are computed in one go. */
#define GROUP_MAX 64u

struct scan {
  struct best *best[ISOVEC_QUERIES_MAX];
  u32 count;
  u32 slots[GROUP_MAX];
  u32 slots_count;
};

/** Adds a query to a scan. */
ALWAYS_INLINE void scan_for(struct scan *scan, struct best *best) { scan->best[scan->count++] = best; }

/** Offers a slot to be kept: only if it is allowed. */
void offer(struct best *best, u32 slot, f32 distance);

/** All that may be answered. */
void scan_all(struct scan *scan);

/** All that are pending. */
void scan_pending(struct scan *scan);

/** One slot; its distance is computed with others', by flush_slots at the latest. */
void scan_slot(struct scan *scan, u32 slot);
void flush_slots(struct scan *scan);

#endif
