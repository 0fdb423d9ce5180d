#include "binary.h"

/** Rounds of sign flips and Walsh-Hadamard transforms. Three are as good as a random rotation when one transform covers
 *  all dimensions; otherwise each covers most of them, and a fourth makes up for it. */
#define ROUNDS 4u

typedef u32 four_words __attribute__((vector_size(16), may_alias));
typedef f32 four_floats __attribute__((vector_size(16)));

u32 rotated_count(u32 dimensions) { return (dimensions + BINARY_WORD_BITS - 1) & ~(BINARY_WORD_BITS - 1); }
static u32 words_count(void) { return rotated_count(ix.dimensions) / BINARY_WORD_BITS; }

u32 binary_code_bytes(u32 dimensions) { return rotated_count(dimensions) / 8 + (u32)sizeof(struct binary_factors); }
u32 binary_query_bytes(u32 dimensions) {
  return rotated_count(dimensions) / 8 * QUERY_PLANES + (u32)sizeof(struct binary_query);
}

// ------------------------------------------------------------ the rotation

/** The same signs for every vector: xorshift64 (Marsaglia, 2003). Four at a time, each bit multiplied to where the sign is. */
static void flip_signs(f32 *values, u32 count, u64 *random) {
  const four_words to_sign = {1u << 31, 1u << 30, 1u << 29, 1u << 28}, signs = {1u << 31, 1u << 31, 1u << 31, 1u << 31};
  for (u32 i = 0; i < count; i += 4) {
    if (i % 64 == 0) {
      *random ^= *random << 13;
      *random ^= *random >> 7;
      *random ^= *random << 17;
    }
    const u32 bits = (u32)(*random >> i % 64) & 15;
    *(four_words *)(values + i) ^= (four_words){bits, bits, bits, bits} * to_sign & signs;
  }
}

/** Sums and differences of two halves, four at a time. */
static void butterfly(f32 *low, f32 *high, u32 count, f32 scale) {
  for (u32 i = 0; i < count; i += 4) {
    four_floats *a = (four_floats *)(low + i), *b = (four_floats *)(high + i);
    const four_floats sum = (*a + *b) * scale, difference = (*a - *b) * scale;
    *a = sum;
    *b = difference;
  }
}

/** The fast Walsh-Hadamard transform, scaled to keep lengths. @param count a power of two, 16 or more */
static void hadamard(f32 *values, u32 count) {
  for (u32 half = count / 2; half >= 4; half /= 2)
    // one loop a step, whatever halves there are
    for (u32 i = 0; i < count / 2; i += 4) {
      four_floats *low = (four_floats *)(values + 2 * i - (i & (half - 1))), *high = low + half / 4;
      const four_floats sum = *low + *high, difference = *low - *high;
      *low = sum;
      *high = difference;
    }
  const f32 scale = 1 / __builtin_sqrtf((f32)count);
  for (u32 i = 0; i < count; i += 4) {
    four_floats *v = (four_floats *)(values + i);
    const four_floats two = __builtin_shufflevector(*v, *v, 0, 1, 0, 1) + __builtin_shufflevector(*v, -*v, 2, 3, 6, 7);
    *v = (__builtin_shufflevector(two, two, 0, 0, 2, 2) + __builtin_shufflevector(two, -two, 1, 5, 3, 7)) * scale;
  }
}

/** Costs of the order of n log n, where a matrix would cost n squared. */
void rotate(f32 *values, u32 dimensions) {
  const u32 count = rotated_count(dimensions);
  for (u32 i = dimensions; i < count; i++) values[i] = 0;
  u32 block = BINARY_WORD_BITS;
  while (block * 2 <= count) block *= 2;
  u64 random = 0x9e3779b97f4a7c15ull;
  for (u32 round = 0; round < ROUNDS; round++) {
    flip_signs(values, count, &random);
    // the first and the last so many in turn, and the two halves of all together
    hadamard(values + (round & 1 ? count - block : 0), block);
    if (block < count) butterfly(values, values + count / 2, count / 2, __builtin_sqrtf(0.5f));
  }
}

void rotate_vector(void) { rotate(scratch_vector(), ix.dimensions); }

// ------------------------------------------------------------ codes and queries

static struct binary_factors *factors_of(const void *code) {
  return (struct binary_factors *)((u64 *)code + words_count());
}

void encode_binary(const f32 *rotated, void *code) {
  u64 *words = code;
  f32 sum = 0, square = 0;
  for (u32 w = 0; w < words_count(); w++) {
    words[w] = 0;
    for (u32 i = 0; i < BINARY_WORD_BITS; i++) {
      const f32 value = rotated[w * BINARY_WORD_BITS + i];
      words[w] |= (u64)(value > 0) << i;
      sum += value > 0 ? value : -value;
      square += value * value;
    }
  }
  *factors_of(code) = (struct binary_factors){sum > 0 ? square / sum : 0, square};
}

void encode_binary_query(const f32 *rotated, struct binary_query *query) {
  const u32 count = words_count() * BINARY_WORD_BITS, levels = (1 << QUERY_PLANES) - 1;
  f32 largest = 0, square = 0;
  for (u32 i = 0; i < count; i++) {
    const f32 magnitude = rotated[i] > 0 ? rotated[i] : -rotated[i];
    if (magnitude > largest) largest = magnitude;
    square += rotated[i] * rotated[i];
  }
  // level l stands for (2 l - levels) * step
  const f32 step = largest / (f32)levels;
  const f32 inverse = step > 0 ? 0.5f / step : 0;
  query->step = step;
  query->square = square;
  query->planes = QUERY_PLANES;
  for (u32 i = 0; i < count; i++) {
    u64 *planes = query->words + i / BINARY_WORD_BITS * QUERY_PLANES;
    if (i % BINARY_WORD_BITS == 0) fill_bytes(planes, 0, QUERY_PLANES * sizeof(u64));
    const f32 level = __builtin_rintf(rotated[i] * inverse + 0.5f * (f32)levels);
    const u64 clamped = level >= (f32)levels ? levels : level > 0 ? (u64)level : 0;
    for (u32 p = 0; p < QUERY_PLANES; p++) planes[p] |= (clamped >> p & 1) << i % BINARY_WORD_BITS;
  }
}

void decode_binary_query(const void *code, struct binary_query *query) {
  query->step = 0;
  query->square = factors_of(code)->square;
  query->planes = 1;
  copy_bytes(query->words, code, words_count() * sizeof(u64));
}

// ------------------------------------------------------------ distances

ALWAYS_INLINE u32 bits_that_differ(u64 a, u64 b) { return (u32)__builtin_popcountll(a ^ b); }

/** The sum of a query's components with the signs of a code. */
static f32 signed_sum(const struct binary_query *query, const u64 *signs, u32 words) {
  u32 differing = 0;
  for (u32 w = 0; w < words; w++) {
    const u64 *planes = query->words + w * QUERY_PLANES;
    differing += bits_that_differ(planes[0], signs[w]) + 2 * bits_that_differ(planes[1], signs[w]) +
                 4 * bits_that_differ(planes[2], signs[w]) + 8 * bits_that_differ(planes[3], signs[w]);
  }
  const i32 levels = (1 << QUERY_PLANES) - 1;
  return query->step * (f32)((i32)(words * BINARY_WORD_BITS) * levels - 2 * (i32)differing);
}

/** The cosine of the angle that so many different signs stand for: Charikar (2002), and a polynomial for the sine. */
static f32 cosine_of_signs(const u64 *a, const u64 *b, u32 words) {
  u32 differing = 0;
  for (u32 w = 0; w < words; w++) differing += bits_that_differ(a[w], b[w]);
  const f32 x = 1 - 2 * (f32)differing / (f32)(words * BINARY_WORD_BITS), xx = x * x;
  return x * (1.5707963f - xx * (0.6459641f - xx * (0.0796926f - xx * 0.0046818f)));
}

static f32 dot_product(const struct binary_query *query, const u64 *signs, struct binary_factors factors, u32 words) {
  if (query->planes == QUERY_PLANES) return factors.product * signed_sum(query, signs, words);
  return cosine_of_signs(query->words, signs, words) * __builtin_sqrtf(query->square * factors.square);
}

void binary_distances(const struct binary_query *query, const void *const *codes, u32 count, f32 *out) {
  const u32 words = words_count();
  for (u32 i = 0; i < count; i++) {
    const struct binary_factors factors = *factors_of(codes[i]);
    const f32 product = dot_product(query, codes[i], factors, words);
    out[i] = ix.euclidean ? query->square + factors.square - 2 * product : -product;
  }
}
