#include "filtered.h"

#include "links.h"

struct allowed allowed;

int is_allowed(u32 slot) {
  const u32 row = *row_of(slot);
  return row >> 5 < allowed.words && ((const u32 *)at(allowed.bits))[row >> 5] >> (row & 31) & 1;
}

address isovec_allow(u32 words, u32 near_min, u32 ef) {
  if (words > allowed.capacity) {
    const address bits = take_bytes(words * sizeof(u32));
    if (bits == 0) return 0;
    allowed.bits = bits;
    allowed.capacity = words;
  }
  allowed.counts = words > 0;
  allowed.words = words;
  allowed.near_min = near_min;
  allowed.ef = ef;
  return allowed.bits;
}

u32 meet_allowed(const u32 *words, u8 epoch, u32 *slots) {
  u8 *visited = visited_marks();
  u32 passed[LINKS_MAX];
  u32 count = 0, passed_count = 0, enough = ix.capacity_ground / 2;
  // first its own links, then those of one passed slot after another
  for (u32 p = 0;; words = ground_links(passed[p++])) {
    for (u32 i = 0; i < ix.capacity_ground && words[i] != NONE && count < ix.capacity_ground; i++) {
      const u32 slot = words[i] & ~IN_LINK;
      if (visited[slot] == epoch) continue;
      const int is_wanted = is_allowed(slot);
      if (is_wanted || p == 0) visited[slot] = epoch;
      if (is_wanted)
        slots[count++] = slot;
      else if (p == 0)
        passed[passed_count++] = slot;
    }
    if (p == passed_count || count >= enough) return count;
  }
}
