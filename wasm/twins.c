/** For tests and measurements only: the distance routines and their scalar twins. Four rows one behind another, four
 *  distances out. And a plain sum of memory, as fast as WebAssembly reads it. */
#include "codes.h"
#include "distance-int8.h"
#include "distance.h"
#include "link-codes.h"

EXPORT void twin_dot_four(address query, address rows, u32 length, address out);
EXPORT void twin_dot_four_scalar(address query, address rows, u32 length, address out);
EXPORT void twin_square_four(address query, address rows, u32 length, address out);
EXPORT void twin_square_four_scalar(address query, address rows, u32 length, address out);
EXPORT void twin_dot_int8_four(address query, address rows, u32 length, address out);
EXPORT void twin_dot_int8_four_scalar(address query, address rows, u32 length, address out);
EXPORT void twin_square_int8_four(address query, address rows, u32 length, address out);
EXPORT void twin_square_int8_four_scalar(address query, address rows, u32 length, address out);

/** Of a slot's codes of links: 0 none, 1 those of its links, 2 others, 3 its links are not to be coded. Makes them anew. */
EXPORT u32 twin_link_codes(u32 slot);
/** Of those of a slot that has them, what they make of the vector in the buffer: the slots linked to, estimates of their distances,
 *  and the distances. @return how many words */
EXPORT u32 twin_link_estimates(u32 slot, address out);

EXPORT u32 twin_sum(address words, u32 bytes);

#define TWIN(name, component, ...)                                                                    \
  void twin_##name(address query, address rows, u32 length, address out) {                            \
    const component *first = at(rows);                                                                \
    const component *const four[4] = {first, first + length, first + 2 * length, first + 3 * length}; \
    name(at(query), four, length, __VA_ARGS__ at(out));                                               \
  }

#define NOTHING_NEXT 0,

TWIN(dot_four, f32, NOTHING_NEXT)
TWIN(dot_four_scalar, f32, )
TWIN(square_four, f32, NOTHING_NEXT)
TWIN(square_four_scalar, f32, )
TWIN(dot_int8_four, i8, NOTHING_NEXT)
TWIN(dot_int8_four_scalar, i8, )
TWIN(square_int8_four, i8, NOTHING_NEXT)
TWIN(square_int8_four_scalar, i8, )

/** As large as any of a test. */
static u8 block_before[8192];

u32 twin_link_codes(u32 slot) {
  struct link_codes *of = link_codes_of(slot);
  if (of->state != LINK_CODES_MADE) return of->state == LINK_CODES_NONE ? 0 : 3;
  copy_bytes(block_before, of, ix.link_codes_stride);
  make_link_codes(slot);
  const u8 *now = (const u8 *)of;
  for (u32 i = 0; i < ix.link_codes_stride; i++)
    if (now[i] != block_before[i]) return 2;
  return 1;
}

u32 twin_link_estimates(u32 slot, address out) {
  const void *query = encode_query();
  begin_estimates(query);
  make_link_codes(slot);
  const struct link_codes *of = link_codes_of(slot);
  u32 *words = at(out);
  f32 *estimates = (f32 *)(words + of->count);
  for (u32 i = 0; i < of->count; i++) words[i] = ((const u32 *)(of + 1))[i];
  f32 some[LINKS_A_SET] __attribute__((aligned(16)));
  for (u32 first = 0; first < of->count; first += LINKS_A_SET) {
    link_estimates(slot, distance_to(query, slot), first, some);
    for (u32 i = 0; i < LINKS_A_SET && first + i < of->count; i++) {
      estimates[first + i] = some[i];
      estimates[of->count + first + i] = distance_to(query, words[first + i]);
    }
  }
  return 3 * of->count;
}

#ifdef __wasm_simd128__

/** @param bytes a multiple of 64 */
u32 twin_sum(address words, u32 bytes) {
  v128_t sums[4] = {wasm_i32x4_const_splat(0), wasm_i32x4_const_splat(0), wasm_i32x4_const_splat(0),
                    wasm_i32x4_const_splat(0)};
  const u8 *from = at(words);
  for (u32 i = 0; i < bytes; i += 64)
    for (u32 k = 0; k < 4; k++) sums[k] = wasm_i32x4_add(sums[k], wasm_v128_load(from + i + 16 * k));
  const v128_t sum = wasm_i32x4_add(wasm_i32x4_add(sums[0], sums[1]), wasm_i32x4_add(sums[2], sums[3]));
  return (u32)(wasm_i32x4_extract_lane(sum, 0) + wasm_i32x4_extract_lane(sum, 1) + wasm_i32x4_extract_lane(sum, 2) +
               wasm_i32x4_extract_lane(sum, 3));
}

#endif
