/**
 * Keys: a distance and a number in one u64 that compares as the pair does, and heaps of them.
 *
 * Comparing integers is a total order whatever the arithmetic gave: a NaN (infinity minus infinity) counts as
 * infinitely far, and -0 as 0.
 */
#ifndef ISOVEC_KEYS_H
#define ISOVEC_KEYS_H

#include "platform.h"

typedef u64 key;

/** After every key. */
#define KEY_MAX (~0ull)

ALWAYS_INLINE key key_of(f32 distance, u32 number) {
  union {
    f32 value;
    u32 bits;
  } as;
  as.value = distance == distance ? distance + 0.0f : __builtin_inff();
  const u32 ordered = as.bits ^ ((u32)((i32)as.bits >> 31) | 0x80000000u);
  return (key)ordered << 32 | number;
}

ALWAYS_INLINE u32 key_number(key k) { return (u32)k; }

ALWAYS_INLINE f32 key_distance(key k) {
  const u32 ordered = (u32)(k >> 32);
  union {
    u32 bits;
    f32 value;
  } as;
  as.bits = ordered & 0x80000000u ? ordered ^ 0x80000000u : ~ordered;
  return as.value;
}

/* Far heaps: binary heaps over arrays, the greatest key at 0. */

static inline void far_sift_down(key *heap, u32 count, u32 hole, key moved) {
  for (u32 child; (child = 2 * hole + 1) < count; hole = child) {
    if (child + 1 < count) child += heap[child + 1] > heap[child];
    if (heap[child] <= moved) break;
    heap[hole] = heap[child];
  }
  heap[hole] = moved;
}

static inline void far_push(key *heap, u32 *count, key added) {
  u32 hole = (*count)++;
  for (u32 parent; hole > 0 && heap[parent = (hole - 1) / 2] < added; hole = parent) heap[hole] = heap[parent];
  heap[hole] = added;
}

/** Keeps the `capacity` least keys ever offered. */
static inline void far_offer(key *heap, u32 *count, u32 capacity, key offered) {
  if (*count < capacity)
    far_push(heap, count, offered);
  else if (offered < heap[0])
    far_sift_down(heap, *count, 0, offered);
}

/** Orders a far heap from least to greatest, in place. */
static inline void far_sort(key *heap, u32 count) {
  while (count > 1) {
    const key greatest = heap[0];
    count--;
    far_sift_down(heap, count, 0, heap[count]);
    heap[count] = greatest;
  }
}

/** Orders any array from least to greatest, in place. */
void sort_keys(key *keys, u32 count);

/** So many are sorted faster by insertion. */
#define FEW_KEYS 48u

/** The same for a few. */
void sort_few_keys(key *keys, u32 count);

#endif
