/** The two steps of a batch that several threads share: newcomers choose, then targets revise. */
#include "tasks.h"

#include "codes.h"
#include "links.h"
#include "select.h"
#include "walk.h"

#if HAS_THREADS

// ------------------------------------------------------------ a newcomer chooses

/** Whether a slot that was found is of the batch. Those that are removed meanwhile are free by their state. */
static int is_mate(u32 slot) {
  const enum state state = state_of(slot);
  return state == STATE_PENDING || state == STATE_FREE;
}

/** Adds the nearest of a newcomer's mates to what its walk has found. @return how many are there now */
static u32 add_mates(u32 self, u32 level, u32 found) {
  u32 slots[BATCH_MAX];
  key keys[BATCH_MAX], *results = scratch_results();
  u32 count = 0;
  for (u32 i = 0; i < batch->count; i++)
    if (i != self && newcomer_at(i)->level >= level) slots[count++] = newcomer_at(i)->slot;
  if (count == 0) return found;
  measure(query_of(newcomer_at(self)->slot), slots, count, keys);
  const key farthest = found < ix.ef_construction ? KEY_MAX : results[found - 1];
  u32 kept = 0;
  for (u32 i = 0; i < count; i++) {
    keys[kept] = keys[i];
    kept += keys[i] < farthest;
  }
  sort_keys(keys, kept);
  for (u32 to = found + kept, from = found, mate = kept; mate > 0;)
    results[--to] = from > 0 && results[from - 1] > keys[mate - 1] ? results[--from] : keys[--mate];
  return found + kept < ix.ef_construction ? found + kept : ix.ef_construction;
}

static void choose(u32 self) {
  const struct newcomer *own = newcomer_at(self);
  if (ix.entry == NONE) return;
  const u32 top = own->level < ix.entry_level ? own->level : ix.entry_level;
  u32 from = descend(query_of(own->slot), top);
  for (u32 l = top + 1; l-- > 0 && !is_left();) {
    u32 *choices = choices_at(own->first_list + l);
    u32 found = walk(query_of(own->slot), from, l, ix.ef_construction, WALK_COLLECTS_ALL);
    const u32 nearest = key_number(scratch_results()[0]);
    found = add_mates(self, l, found);
    shuffle_equals(own->slot, scratch_results(), found);
    choices[0] = select_spread(own->slot, scratch_results(), found, ix.m, choices + 1, 0);
    // a mate is nowhere to begin
    from = is_mate(choices[1]) ? nearest : choices[1];
  }
}

// ------------------------------------------------------------ a target revises

/** Those that link to one another already, both being new, are no newcomers of one another. Done twice, it is the same. */
static void leave_out_mutual(const struct target *target, struct links list) {
  key *own = edges() + target->first;
  for (u32 i = 0; i < target->count; i++)
    if (links_find(list, newcomer_at(edge_newcomer(own[i]))->slot) != NONE) own[i] |= LEFT_OUT;
}

static void set_mask(u32 *mask, const u32 *slots, u32 count, const u32 *passed_over, u32 passed_count) {
  for (u32 i = 0; i < batch->mask_words; i++) mask[i] = NONE;
  for (u32 i = 0; i < passed_count; i++) {
    u32 k = 0;
    while (k < count && slots[k] != passed_over[i]) k++;
    mask[k >> 5] &= ~(1u << (k & 31));
  }
}

static void revise(u32 number) {
  struct target *target = target_at(number);
  const struct links list = links_of(target->slot, target->level);
  u32 slots[LINKS_MAX + BATCH_MAX], taken[LINKS_MAX], passed_over[LINKS_MAX + BATCH_MAX];
  key keys[LINKS_MAX + BATCH_MAX];
  const u32 out = links_out_count(list);
  if (is_mate(target->slot)) leave_out_mutual(target, list);
  copy_bytes(slots, list.words, out * 4);
  u32 count = out;
  for (u32 i = 0; i < target->count; i++) {
    const key edge = edges()[target->first + i];
    if (!(edge & LEFT_OUT)) slots[count++] = newcomer_at(edge_newcomer(edge))->slot;
  }
  target->is_crowded = count > list.capacity;
  if (!target->is_crowded) return;
  measure(query_of(target->slot), slots, count, keys);
  sort_few_keys(keys, count);
  shuffle_equals(target->slot, keys, count);
  const u32 taken_count = select_spread(target->slot, keys, count, list.capacity, taken, passed_over);
  set_mask(mask_at(number), slots, count, passed_over, count - taken_count);
}

void do_task(u32 task) {
  if (is_left()) return;
  if (batch->step == STEP_CHOOSING) {
    choose(task);
    return;
  }
  const u32 first = task * TARGETS_A_TASK, left = batch->targets_count - first;
  for (u32 i = 0; i < (left < TARGETS_A_TASK ? left : TARGETS_A_TASK); i++) revise(first + i);
}

#endif
