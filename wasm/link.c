/** Linking: algorithm 1 of Malkov and Yashunin (2016). By batches, where threads share the work; else one by one. */
#include "link.h"

#include "arrange.h"
#include "batch.h"
#include "codes.h"
#include "links.h"
#include "select.h"
#include "walk.h"

/** The next number of xorshift64* (Vigna, 2016), its better upper half. */
static u32 next_random(void) {
  u64 x = ix.random;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  ix.random = x;
  return (u32)(x * 0x2545f4914f6cdd1dull >> 32);
}

u32 draw_level(void) {
  u32 random = next_random();
  const u32 share = 0xffffffffu / ix.m;
  u32 level = 0;
  for (; level < LEVEL_MAX && random <= share; level++) random *= ix.m;
  return level;
}

void make_lists(u32 slot, u32 level) {
  u32 *above = upper_of(slot);
  *above = NONE;
  for (u32 l = 1; l <= level; l++) {
    *above = pool_take(&ix.upper);
    above = pool_record(&ix.upper, *above);
    above[0] = NONE;
  }
  for (u32 l = 0; l <= level; l++) links_clear(links_of(slot, l));
}

void stop_following(u32 slot, u32 other, u32 level) {
  const struct links there = links_of(other, level);
  if (is_out_link(links_find(there, slot))) {
    links_demote(links_of(slot, level), other);
  } else {
    links_remove(there, slot);
    links_remove(links_of(slot, level), other);
  }
}

u32 mend(u32 count) {
  u32 done = 0;
  for (; done < count && ix.doomed_head != NONE; done++) {
    if (ix.linked_count + ix.awaiting_count > 0)
      mend_doomed();
    else
      forget_doomed();
  }
  return done;
}

#if HAS_THREADS

i32 isovec_link(u32 count) {
  if (ix.type == ISOVEC_FLAT) return 0;
  u32 done = batch_finish();
  if (done < count) done += mend(count - done);
  if (arrange(count - done)) return (i32)done;
  while (done < count && ix.pending_head != NONE) {
    if (batch_begin(count - done) < 0) return done > 0 ? (i32)done : ISOVEC_NO_MEMORY;
    done += batch_finish();
  }
  return (i32)done;
}

#else

/** A slot whose out-links are full has been linked to: it chooses anew among them and the newcomer. */
static void choose_anew(u32 slot, u32 newcomer, u32 level) {
  u32 slots[LINKS_MAX + 1];
  key keys[LINKS_MAX + 1];
  u32 taken[LINKS_MAX];
  u32 passed_over[LINKS_MAX + 1];
  struct links list = links_of(slot, level);
  const u32 out = links_out_count(list);
  copy_bytes(slots, list.words, out * 4);
  slots[out] = newcomer;
  measure(query_of(slot), slots, out + 1, keys);
  sort_few_keys(keys, out + 1);
  shuffle_equals(slot, keys, out + 1);
  const u32 taken_count = select_spread(slot, keys, out + 1, list.capacity, taken, passed_over);
  int follows_newcomer = 1;
  for (u32 i = 0; i < out + 1 - taken_count; i++) {
    if (passed_over[i] == newcomer)
      follows_newcomer = 0;
    else
      stop_following(slot, passed_over[i], level);
  }
  if (follows_newcomer)
    links_add_out(list, newcomer);
  else
    links_add_in(list, newcomer);
}

static void connect(u32 slot, const u32 *neighbours, u32 count, u32 level) {
  const struct links own = links_of(slot, level);
  for (u32 i = 0; i < count; i++) {
    const struct links list = links_of(neighbours[i], level);
    links_add_out(own, neighbours[i]);
    if (links_out_count(list) < list.capacity)
      links_add_out(list, slot);
    else
      choose_anew(neighbours[i], slot, level);
  }
}

static void link_slot(u32 slot, u32 level) {
  u32 neighbours[LINKS_MAX];
  make_lists(slot, level);
  if (ix.entry != NONE) {
    u32 from = descend(query_of(slot), level < ix.entry_level ? level : ix.entry_level);
    for (u32 l = (level < ix.entry_level ? level : ix.entry_level) + 1; l-- > 0;) {
      const u32 found = walk(query_of(slot), from, l, ix.ef_construction, WALK_COLLECTS_ALL);
      shuffle_equals(slot, scratch_results(), found);
      const u32 count = select_spread(slot, scratch_results(), found, ix.m, neighbours, 0);
      connect(slot, neighbours, count, l);
      from = neighbours[0];
    }
  }
  if (ix.entry == NONE || level > ix.entry_level) {
    ix.entry = slot;
    ix.entry_level = level;
  }
}

/** All the memory that linking one slot may take, so that it cannot fail half way. @return whether it is there */
static int reserve_link(u32 level) {
  // each neighbour on each level spills one in-link at the most, into a record of its own at the worst
  return pool_reserve(&ix.upper, level) && pool_reserve(&ix.spill, ix.m * (level + 1));
}

i32 isovec_link(u32 count) {
  if (ix.type == ISOVEC_FLAT) return 0;
  u32 done = mend(count);
  if (arrange(count - done)) return (i32)done;
  for (; done < count && ix.pending_head != NONE; done++) {
    const u64 random = ix.random;
    const u32 level = draw_level();
    if (!reserve_link(level)) {
      ix.random = random;
      return done > 0 ? (i32)done : ISOVEC_NO_MEMORY;
    }
    const u32 slot = ix.pending_head;
    pending_unlink(slot);
    link_slot(slot, level);
    set_state(slot, STATE_LINKED, level);
    ix.linked_count++;
  }
  return (i32)done;
}

#endif
