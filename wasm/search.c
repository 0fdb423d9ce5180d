/** Answers: by the graph, and exactly. */
#include "codes.h"
#include "filtered.h"
#include "scan.h"
#include "walk.h"

// ------------------------------------------------------------ the answer

/** Distances that differ may be shown as equal, and equal ones stand in the order of their rows: hence the second sort. */
static void answer(struct best *best) {
  // as its keys stand among those of others
  const u32 first = (u32)(best->keys - scratch_best());
  u32 *rows = (u32 *)at(scratch.answer_rows) + first;
  f32 *distances = (f32 *)at(scratch.answer_distances) + first;
  for (u32 i = 0; i < best->count; i++)
    best->keys[i] = key_of(shown_distance(key_distance(best->keys[i])), key_number(best->keys[i]));
  sort_keys(best->keys, best->count);
  for (u32 i = 0; i < best->count; i++) {
    rows[i] = key_number(best->keys[i]);
    distances[i] = key_distance(best->keys[i]);
  }
}

/** At most as many as there are. */
static u32 top_of(u32 top) {
  const u32 held = ix.pending_count + ix.linked_count;
  return top < held ? top : held;
}

// ------------------------------------------------------------ by the graph

/** Slots without an answer take places in a walk: more candidates in their stead, up to four times as many. Where
 *  that is not enough, as when a whole region is doomed, a scan answers. */
static u32 widened(u32 ef) {
  const u32 walked = ix.linked_count + ix.awaiting_count + ix.doomed_count;
  const u64 wide = (u64)ef * (walked < 4ull * ix.linked_count ? walked : 4ull * ix.linked_count) / ix.linked_count;
  return wide < walked ? (u32)wide : walked;
}

/** Offers what a walk finds. @return whether it finds enough */
static int find_linked(struct best *best, u32 ef) {
  const u32 entry = descend(best->query, 0), wanted = best->top < ix.linked_count ? best->top : ix.linked_count;
  const u32 found = allowed.counts ? walk_to_allowed(best->query, entry, ef)
                                   : walk(best->query, entry, 0, ef, WALK_COLLECTS_ANSWERABLE);
  if (allowed.counts ? found == 0 : found < wanted) return 0;
  const key *results = scratch_results();
  for (u32 i = 0; i < found; i++) offer(best, key_number(results[i]), key_distance(results[i]));
  return 1;
}

// ------------------------------------------------------------ queries

/** Of several queries, what encode_query made of them. 0 before the first use. */
static address kept;

static void *kept_query(u32 number) { return (u8 *)at(kept) + number * query_bytes(); }

i32 isovec_keep_query(u32 number) {
  if (number >= ISOVEC_QUERIES_MAX) return ISOVEC_BAD_ARGUMENT;
  if (!kept) kept = take_bytes(ISOVEC_QUERIES_MAX * query_bytes());
  if (!kept) return ISOVEC_NO_MEMORY;
  copy_bytes(kept_query(number), encode_query(), query_bytes());
  return 0;
}

i32 isovec_search(u32 count, u32 top, u32 ef) {
  if (count < 1 || count > ISOVEC_QUERIES_MAX || (count > 1 && (!kept || allowed.counts))) return ISOVEC_BAD_ARGUMENT;
  const int is_exact = ef == 0 || ix.linked_count == 0 || ix.type == ISOVEC_FLAT;
  top = top_of(top);
  if (top == 0) return 0;
  if (ef < top) ef = top;
  ef = is_exact ? 0 : widened(ef < ix.linked_count ? ef : ix.linked_count);
  // so many slots as would overflow find no room in 4 GiB
  const u32 answers = top * count, candidates = ef > allowed.ef ? ef : allowed.ef;
  if (!reserve_scratch(answers > candidates ? answers : candidates)) return ISOVEC_NO_MEMORY;
  struct best bests[ISOVEC_QUERIES_MAX];
  struct scan whole, pending;
  whole.count = pending.count = 0;
  for (u32 q = 0; q < count; q++) {
    struct best *best = bests + q;
    *best = (struct best){count > 1 ? kept_query(q) : encode_query(), scratch_best() + q * top, 0, top};
    const int is_found = !is_exact && find_linked(best, ef);
    if (!is_found && !is_exact && allowed.counts) return 0;
    scan_for(is_found ? &pending : &whole, best);
  }
  scan_all(&whole);
  scan_pending(&pending);
  for (u32 q = 0; q < count; q++) answer(bests + q);
  return (i32)bests->count;
}

// ------------------------------------------------------------ exactly, among some

static struct scan among;
static struct best among_best;

/** No walk uses it meanwhile. */
address isovec_slot_buffer(void) { return address_of(scratch_results()); }

i32 isovec_among_begin(u32 top) {
  top = top_of(top);
  if (!reserve_scratch(top)) return ISOVEC_NO_MEMORY;
  among.count = among.slots_count = 0;
  among_best = (struct best){encode_query(), scratch_best(), 0, top};
  scan_for(&among, &among_best);
  return 0;
}

i32 isovec_among(u32 count) {
  if (count > ISOVEC_SLOT_BUFFER) return ISOVEC_BAD_ARGUMENT;
  if (among_best.top == 0) return 0;
  const u32 *slots = (const u32 *)scratch_results();
  for (u32 i = 0; i < count; i++) {
    const u32 slot = slots[i];
    if (slot < ix.slots && is_answerable(*state_byte(slot))) scan_slot(&among, slot);
  }
  return 0;
}

i32 isovec_among_end(void) {
  if (among_best.top > 0) flush_slots(&among);
  answer(&among_best);
  return (i32)among_best.count;
}

address isovec_answer_rows(void) { return scratch.answer_rows; }
address isovec_answer_distances(void) { return scratch.answer_distances; }
