/** For tests only: the distance routines and their scalar twins, over addresses of float32 vectors. */
#include "distance.h"

EXPORT f32 twin_dot_one(address a, address b, u32 length);
EXPORT f32 twin_dot_one_scalar(address a, address b, u32 length);
EXPORT f32 twin_square_one(address a, address b, u32 length);
EXPORT f32 twin_square_one_scalar(address a, address b, u32 length);
/** Four rows one behind another, four distances out. */
EXPORT void twin_dot_four(address query, address rows, u32 length, address out);
EXPORT void twin_dot_four_scalar(address query, address rows, u32 length, address out);
EXPORT void twin_square_four(address query, address rows, u32 length, address out);
EXPORT void twin_square_four_scalar(address query, address rows, u32 length, address out);

#define ONE(name) \
  f32 twin_##name(address a, address b, u32 length) { return name(at(a), at(b), length); }
#define FOUR(name)                                                            \
  void twin_##name(address query, address rows, u32 length, address out) {    \
    const f32 *first = at(rows);                                              \
    const f32 *const four[4] = {first, first + length, first + 2 * length, first + 3 * length}; \
    name(at(query), four, length, at(out));                                   \
  }

ONE(dot_one)
ONE(dot_one_scalar)
ONE(square_one)
ONE(square_one_scalar)
FOUR(dot_four)
FOUR(dot_four_scalar)
FOUR(square_four)
FOUR(square_four_scalar)
