#include "keys.h"

void sort_keys(key *keys, u32 count) {
  for (u32 i = count / 2; i-- > 0;) far_sift_down(keys, count, i, keys[i]);
  far_sort(keys, count);
}

void sort_few_keys(key *keys, u32 count) {
  for (u32 i = 1; i < count; i++) {
    const key moved = keys[i];
    u32 hole = i;
    for (; hole > 0 && keys[hole - 1] > moved; hole--) keys[hole] = keys[hole - 1];
    keys[hole] = moved;
  }
}
