/** For tests and measurements only: the distance routines and their scalar twins. Four rows one behind another, four
 *  distances out. And a plain sum of memory, as fast as WebAssembly reads it. */
#include "distance-int8.h"
#include "distance.h"

EXPORT void twin_dot_four(address query, address rows, u32 length, address out);
EXPORT void twin_dot_four_scalar(address query, address rows, u32 length, address out);
EXPORT void twin_square_four(address query, address rows, u32 length, address out);
EXPORT void twin_square_four_scalar(address query, address rows, u32 length, address out);
EXPORT void twin_dot_int8_four(address query, address rows, u32 length, address out);
EXPORT void twin_dot_int8_four_scalar(address query, address rows, u32 length, address out);
EXPORT void twin_square_int8_four(address query, address rows, u32 length, address out);
EXPORT void twin_square_int8_four_scalar(address query, address rows, u32 length, address out);

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
