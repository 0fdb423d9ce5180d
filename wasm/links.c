#include "links.h"

#include "link-codes.h"

static u32 *upper_record(u32 slot, u32 level) {
  u32 *record = pool_record(&ix.upper, *upper_of(slot));
  for (; level > 1; level--) record = pool_record(&ix.upper, record[0]);
  return record;
}

struct links links_of(u32 slot, u32 level) {
  if (level == 0) {
    struct links list = {.words = ground_links(slot), .spill = spill_of(slot), .capacity = ix.capacity_ground};
#if HAS_LINK_CODES
    if (ix.link_codes_stride > 0) list.codes_state = &link_codes_of(slot)->state;
#endif
    return list;
  }
  u32 *record = upper_record(slot, level);
  return (struct links){.words = record + UPPER_HEADER_WORDS, .spill = record + 1, .capacity = ix.capacity_upper};
}

void links_clear(struct links list) {
  for (u32 i = 0; i < list.capacity; i++) list.words[i] = NONE;
  *list.spill = NONE;
  forget_link_codes(list);
}

u32 links_out_count(struct links list) {
  u32 count = 0;
  while (count < list.capacity && is_out_link(list.words[count])) count++;
  return count;
}

/** Words in use. */
static u32 used_count(struct links list) {
  u32 count = list.capacity;
  while (count > 0 && list.words[count - 1] == NONE) count--;
  return count;
}

static u32 position_of(struct links list, u32 other) {
  u32 i = 0;
  while (i < list.capacity && (list.words[i] == NONE || (list.words[i] & ~IN_LINK) != other)) i++;
  return i;
}

// ------------------------------------------------------------ spill

static int spill_push(struct links list, u32 word) {
  u32 *record = *list.spill == NONE ? 0 : pool_record(&ix.spill, *list.spill);
  if (!record || record[SPILL_WORDS - 1] != NONE) {
    const u32 taken = pool_take(&ix.spill);
    if (taken == NONE) return 0;
    record = pool_record(&ix.spill, taken);
    record[0] = *list.spill;
    for (u32 i = 1; i < SPILL_WORDS; i++) record[i] = NONE;
    *list.spill = taken;
  }
  u32 free = 1;
  while (record[free] != NONE) free++;
  record[free] = word;
  return 1;
}

/** Takes the last link out of the first record. @return NONE when nothing is spilt */
static u32 spill_pop(struct links list) {
  const u32 head = *list.spill;
  if (head == NONE) return NONE;
  u32 *record = pool_record(&ix.spill, head);
  u32 last = SPILL_WORDS - 1;
  while (record[last] == NONE) last--;
  const u32 word = record[last];
  record[last] = NONE;
  if (last == 1) {
    *list.spill = record[0];
    pool_give(&ix.spill, head);
  }
  return word;
}

static u32 *spill_find(struct links list, u32 other) {
  for (u32 at_record = *list.spill; at_record != NONE;) {
    u32 *record = pool_record(&ix.spill, at_record);
    for (u32 i = 1; i < SPILL_WORDS; i++)
      if (record[i] == (other | IN_LINK)) return record + i;
    at_record = record[0];
  }
  return 0;
}

// ------------------------------------------------------------ the list

u32 links_find(struct links list, u32 other) {
  const u32 position = position_of(list, other);
  if (position < list.capacity) return list.words[position];
  const u32 *spilt = spill_find(list, other);
  return spilt ? *spilt : NONE;
}

int links_add_in(struct links list, u32 other) {
  const u32 used = used_count(list);
  if (used == list.capacity) return spill_push(list, other | IN_LINK);
  list.words[used] = other | IN_LINK;
  return 1;
}

int links_add_out(struct links list, u32 other) {
  const u32 out = links_out_count(list);
  const u32 displaced = list.words[out];
  if (displaced != NONE) {
    const u32 used = used_count(list);
    if (used < list.capacity)
      list.words[used] = displaced;
    else if (!spill_push(list, displaced))
      return 0;
  }
  list.words[out] = other;
  forget_link_codes(list);
  return 1;
}

u32 links_remove(struct links list, u32 other) {
  const u32 position = position_of(list, other);
  if (position == list.capacity) {
    u32 *spilt = spill_find(list, other);
    if (!spilt) return NONE;
    // the popped link takes its place, unless it is the one
    const u32 word = *spilt;
    const u32 popped = spill_pop(list);
    if (popped != word) *spilt = popped;
    return word;
  }
  const u32 word = list.words[position];
  const u32 last = used_count(list) - 1;
  u32 hole = position;
  if (is_out_link(word)) {
    forget_link_codes(list);
    const u32 last_out = links_out_count(list) - 1;
    list.words[hole] = list.words[last_out];
    hole = last_out;
  }
  list.words[hole] = list.words[last];
  list.words[last] = spill_pop(list);
  return word;
}

static void swap_words(struct links list, u32 a, u32 b) {
  const u32 word = list.words[a];
  list.words[a] = list.words[b];
  list.words[b] = word;
}

void links_demote(struct links list, u32 other) {
  const u32 last_out = links_out_count(list) - 1;
  swap_words(list, position_of(list, other), last_out);
  list.words[last_out] |= IN_LINK;
  forget_link_codes(list);
}

void links_promote(struct links list, u32 other) {
  const u32 first_in = links_out_count(list);
  const u32 position = position_of(list, other);
  if (position < list.capacity) {
    swap_words(list, position, first_in);
  } else {
    u32 *spilt = spill_find(list, other);
    *spilt = list.words[first_in];
  }
  list.words[first_in] = other;
  forget_link_codes(list);
}

u32 links_any(struct links list) { return list.words[0]; }
