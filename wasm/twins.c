/** For tests only: the distance routines and their scalar twins. Four rows one behind another, four distances out. */
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

#define TWIN(name, component)                                                                         \
  void twin_##name(address query, address rows, u32 length, address out) {                            \
    const component *first = at(rows);                                                                \
    const component *const four[4] = {first, first + length, first + 2 * length, first + 3 * length}; \
    name(at(query), four, length, at(out));                                                           \
  }

TWIN(dot_four, f32)
TWIN(dot_four_scalar, f32)
TWIN(square_four, f32)
TWIN(square_four_scalar, f32)
TWIN(dot_int8_four, i8)
TWIN(dot_int8_four_scalar, i8)
TWIN(square_int8_four, i8)
TWIN(square_int8_four_scalar, i8)
