/**
 * Mending: taking a doomed slot out of the graph.
 *
 * All who link to it stand in its own lists (links.h). Each that followed it chooses replacements among those that the
 * doomed slot followed, as FreshDiskANN does (Singh et al., 2021, algorithm 4), by the rule that chose its links in
 * the first place. Nothing then links to the slot, and it is free.
 */
#include "codes.h"
#include "link.h"
#include "links.h"
#include "select.h"

/** Adds an out-link and its in-link over there, or neither. @return whether there was memory */
static int follow(u32 slot, u32 other, u32 level) {
  const struct links list = links_of(slot, level);
  const struct links there = links_of(other, level);
  const u32 word = links_find(list, other);
  if (word != NONE) {
    links_promote(list, other);
    return 1;
  }
  if (!links_add_in(there, slot)) return 0;
  if (links_add_out(list, other)) return 1;
  links_remove(there, slot);
  return 0;
}

/** The other side follows a slot that has just come to follow it, if it has room and the slot spreads there. */
static void follow_back(u32 other, u32 slot, key distance, u32 level) {
  const struct links list = links_of(other, level);
  const u32 out = links_out_count(list);
  if (out == list.capacity || is_out_link(links_find(list, slot))) return;
  if (is_spread(distance, slot, list.words, out)) links_promote(list, slot);
}

/**
 * A slot has lost an out-link: it follows those of the candidates that spread, as long as it has room, or the nearest
 * of them when none does. (Without the latter, and without following back, recall at ef 10 and 40 fell by 0.016 under
 * five-fold churn, where it now falls by 0.004 and 0.012: docs/kernel.md.)
 */
static void replace_link(u32 slot, const u32 *candidates, u32 count, u32 level) {
  const struct links list = links_of(slot, level);
  u32 fresh[LINKS_MAX];
  key keys[LINKS_MAX];
  u32 fresh_count = 0, out = links_out_count(list);
  for (u32 i = 0; i < count; i++) {
    if (candidates[i] == slot) continue;
    const u32 word = links_find(list, candidates[i]);
    if (word == NONE || !is_out_link(word)) fresh[fresh_count++] = candidates[i];
  }
  if (fresh_count == 0) return;
  measure(query_of(slot), fresh, fresh_count, keys);
  sort_few_keys(keys, fresh_count);
  const u32 out_before = out;
  for (u32 i = 0; i < fresh_count && out < list.capacity; i++) {
    if (!is_spread(keys[i], key_number(keys[i]), list.words, out) || is_copy_of(slot, keys[i])) continue;
    if (!follow(slot, key_number(keys[i]), level)) return;
    out++;
    follow_back(key_number(keys[i]), slot, keys[i], level);
  }
  if (out == out_before) follow(slot, key_number(keys[0]), level);
}

static void mend_level(u32 doomed, u32 level) {
  const struct links list = links_of(doomed, level);
  u32 candidates[LINKS_MAX];
  const u32 count = links_out_count(list);
  copy_bytes(candidates, list.words, count * 4);
  for (u32 word; (word = links_any(list)) != NONE;) {
    const u32 neighbour = word & ~IN_LINK;
    links_remove(list, neighbour);
    const u32 there = links_remove(links_of(neighbour, level), doomed);
    if (is_out_link(there)) replace_link(neighbour, candidates, count, level);
  }
}

/** Any slot of the highest level there is. */
static void find_entry(void) {
  ix.entry = NONE;
  ix.entry_level = 0;
  for (u32 slot = 0; slot < ix.slots; slot++) {
    const enum state state = state_of(slot);
    if (state == STATE_FREE || state == STATE_PENDING) continue;
    if (ix.entry != NONE && level_of(slot) <= ix.entry_level) continue;
    ix.entry = slot;
    ix.entry_level = level_of(slot);
  }
}

/** @return the slot doomed last, no longer counted as doomed */
static u32 take_doomed(void) {
  const u32 slot = ix.doomed_head;
  ix.doomed_head = *row_of(slot);
  ix.doomed_count--;
  return slot;
}

void mend_doomed(void) {
  const u32 slot = take_doomed();
  const u32 level = level_of(slot);
  const u32 successor = slot == ix.entry ? links_any(links_of(slot, level)) : NONE;
  for (u32 l = 0; l <= level; l++) mend_level(slot, l);
  for (u32 record = *upper_of(slot), l = 0; l < level; l++) {
    const u32 next = *pool_record(&ix.upper, record);
    pool_give(&ix.upper, record);
    record = next;
  }
  free_slot(slot);
  if (slot != ix.entry) return;
  if (successor == NONE)
    find_entry();
  else
    ix.entry = successor & ~IN_LINK;
}

void forget_doomed(void) {
  ix.entry = NONE;
  ix.entry_level = 0;
  reset_pools();
  free_slot(take_doomed());
}
