#include "link-codes.h"

#include "binary.h"
#include "codes.h"
#include "links.h"

#if HAS_LINK_CODES

typedef f32 four_floats __attribute__((vector_size(16)));
typedef i32 four_masks __attribute__((vector_size(16)));

/** Dimensions that share a table. */
#define GROUP 4u
#define GROUP_BYTES 16u
/** Four entries are added up in a byte. */
#define ENTRY_MAX 63u
#define FACTOR_MAX 255u
/**
 * Of an estimate's standard deviation, by which the distance may be less for a link still to be looked at. What is passed over
 * in error is met again from other slots, each with an estimate of its own: more than a half of it found no more (docs/kernel.md).
 */
#define MARGIN 0.5f
/** Of an estimate of the product, in shares of the gain and of the query's distance from the slot: signs of a rotated vector hold
 *  2 / pi of the square of its length. */
#define DEVIATION 0.6028f
/** Dimensions of the blocks that a query makes, together: about a millisecond. 32 blocks with 100 dimensions, 8 with 512. */
#define MADE_DIMENSIONS 4096u

/** Of the query, or of what codes are made of: `rotated_count` floats each. */
static address rotated, rotated_base;
/** Of each group of dimensions, 16 entries. */
static address tables;
/** From a sum of entries to the product of signs and query. */
static f32 table_step, table_low;
static f32 query_square;
static u32 made_left;

static u32 groups_count(void) { return rotated_count(ix.dimensions) / GROUP; }
static u32 set_bytes(void) { return groups_count() * GROUP_BYTES + 2 * LINKS_A_SET; }
static u32 sets_count(void) { return (ix.capacity_ground + LINKS_A_SET - 1) / LINKS_A_SET; }

ALWAYS_INLINE u32 *links_in(const struct link_codes *of) { return (u32 *)(of + 1); }
ALWAYS_INLINE u8 *set_in(const struct link_codes *of, u32 set) {
  return (u8 *)(links_in(of) + ix.capacity_ground) + set * set_bytes();
}

i32 isovec_keep_link_codes(void) {
  if (!ix.dimensions || ix.blocks > 0 || ix.link_codes_stride > 0 || ix.type != ISOVEC_HNSW || CODES == ISOVEC_BINARY ||
      ix.dimensions > LINK_CODES_DIMENSIONS_MAX)
    return ISOVEC_BAD_ARGUMENT;
  const u32 floats_bytes = rotated_count(ix.dimensions) * 4;
  rotated = take_bytes(2 * floats_bytes + groups_count() * GROUP_BYTES);
  if (!rotated) return ISOVEC_NO_MEMORY;
  rotated_base = rotated + floats_bytes;
  tables = rotated_base + floats_bytes;
  const u32 bytes = (u32)sizeof(struct link_codes) + ix.capacity_ground * 4 + sets_count() * set_bytes();
  ix.link_codes_stride = (bytes + CACHE_LINE_BYTES - 1) & ~(CACHE_LINE_BYTES - 1);
  lay_out_blocks();
  return 0;
}

// ------------------------------------------------------------ making them

/** A code's components, less those of a base if there is one. */
static void load_components(const void *code, const void *base, f32 *out) {
  if (CODES == ISOVEC_FLOAT32)
    for (u32 i = 0; i < ix.dimensions; i++) out[i] = ((const f32 *)code)[i] - (base ? ((const f32 *)base)[i] : 0);
  else
    for (u32 i = 0; i < ix.dimensions; i++) out[i] = (f32)(((const i8 *)code)[i] - (base ? ((const i8 *)base)[i] : 0));
}

static f32 lanes_sum(four_floats lanes) { return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]); }

static f32 dot_product(const f32 *a, const f32 *b) {
  four_floats sum = {0, 0, 0, 0};
  for (u32 i = 0; i < rotated_count(ix.dimensions); i += 4) sum += *(const four_floats *)(a + i) * *(const four_floats *)(b + i);
  return lanes_sum(sum);
}

/** What a link's estimate is made of: distance of the slot + addend - gain * (signs times query). */
struct factors {
  f32 addend, gain;
};

/**
 * Writes the signs of a difference down.
 * @param difference rotated @param base the slot's own code, rotated
 * @param bits of the link's lane, in the first group @param shift of the half of a byte that is its
 */
static struct factors encode_difference(const f32 *difference, const f32 *base, u8 *bits, u32 shift) {
  const four_floats zero = {0, 0, 0, 0};
  four_floats sums = zero, squares = zero, of_bases = zero;
  for (u32 i = 0; i < rotated_count(ix.dimensions); i += GROUP, bits += GROUP_BYTES) {
    const four_floats own = *(const four_floats *)(difference + i), its = *(const four_floats *)(base + i);
    const four_masks is_positive = own > zero, sign = ~is_positive & (i32)0x80000000;
    sums += (four_floats)((four_masks)own ^ sign);
    squares += own * own;
    of_bases += (four_floats)((four_masks)its ^ sign);
    const four_masks bit = is_positive & (four_masks){1, 2, 4, 8};
    *bits |= (u8)((bit[0] | bit[1] | bit[2] | bit[3]) << shift);
  }
  const f32 square = lanes_sum(squares), of_base = lanes_sum(of_bases), sum = lanes_sum(sums);
  const f32 product = sum > 0 ? square / sum : 0;
  // |q - x|^2 = |q - c|^2 + |x - c|^2 - 2 (q - c)(x - c), and -q x = -q c - c (x - c) - (q - c)(x - c)
  if (ix.euclidean) return (struct factors){square + 2 * product * of_base, 2 * product};
  return (struct factors){product * of_base - dot_product(base, difference), product};
}

/** Numbers that are none count as 0. */
static u8 byte_of(f32 value) { return value >= FACTOR_MAX ? FACTOR_MAX : value > 0 ? (u8)(value + 0.5f) : 0; }

/** @return whether they are all numbers */
static int write_factors(struct link_codes *of, const struct factors *factors) {
  f32 low = factors[0].addend, high = low, most = 0;
  int are_finite = 1;
  for (u32 i = 0; i < of->count; i++) {
    const struct factors own = factors[i];
    low = own.addend < low ? own.addend : low;
    high = own.addend > high ? own.addend : high;
    most = own.gain > most ? own.gain : most;
    are_finite &= own.addend - own.addend == 0 && own.gain - own.gain == 0;
  }
  of->addend_low = low;
  of->addend_step = (high - low) / FACTOR_MAX;
  of->gain_step = most / FACTOR_MAX;
  for (u32 i = 0; i < of->count; i++) {
    u8 *own = set_in(of, i / LINKS_A_SET) + groups_count() * GROUP_BYTES + i % LINKS_A_SET;
    own[0] = of->addend_step > 0 ? byte_of((factors[i].addend - low) / of->addend_step) : 0;
    own[LINKS_A_SET] = of->gain_step > 0 ? byte_of(factors[i].gain / of->gain_step) : 0;
  }
  return are_finite && high - low < __builtin_inff();
}

void make_link_codes(u32 slot) {
  struct link_codes *of = link_codes_of(slot);
  const u32 *words = ground_links(slot);
  const void *code = code_of(slot);
  f32 *base = at(rotated_base), *difference = at(rotated);
  struct factors factors[LINKS_MAX];
  fill_bytes(of, 0, ix.link_codes_stride);
  load_components(code, 0, base);
  rotate(base, ix.dimensions);
  of->square = dot_product(base, base);
  for (u32 i = 0; i < ix.capacity_ground && is_out_link(words[i]); i++) {
    links_in(of)[i] = words[i];
    load_components(code_of(words[i]), code, difference);
    rotate(difference, ix.dimensions);
    u8 *lane = set_in(of, i / LINKS_A_SET) + i % (LINKS_A_SET / 2);
    factors[i] = encode_difference(difference, base, lane, i % LINKS_A_SET < LINKS_A_SET / 2 ? 0 : GROUP);
    of->count = i + 1;
  }
  factors[0] = of->count > 0 ? factors[0] : (struct factors){0, 0};
  of->state = write_factors(of, factors) && of->square - of->square == 0 ? LINK_CODES_MADE : LINK_CODES_UNFIT;
}

int has_link_codes(u32 slot) {
  const struct link_codes *of = link_codes_of(slot);
  if (of->state != LINK_CODES_NONE) return of->state == LINK_CODES_MADE;
  if (made_left == 0 || ix.awaiting_count > 0) return 0;
  made_left--;
  make_link_codes(slot);
  return of->state == LINK_CODES_MADE;
}

// ------------------------------------------------------------ a query

void begin_estimates(const void *query) {
  f32 *values = at(rotated);
  f32 widest = 0, all = 0;
  load_components(query, 0, values);
  rotate(values, ix.dimensions);
  query_square = dot_product(values, values);
  for (u32 g = 0; g < groups_count(); g++) {
    f32 sum = 0;
    for (u32 i = 0; i < GROUP; i++) sum += __builtin_fabsf(values[g * GROUP + i]);
    all += sum;
    widest = sum > widest ? sum : widest;
  }
  table_step = 2 * widest / ENTRY_MAX;
  table_low = -all;
  made_left = MADE_DIMENSIONS / rotated_count(ix.dimensions);
  for (u32 g = 0; g < groups_count(); g++) {
    u8 *table = (u8 *)at(tables) + g * GROUP_BYTES;
    const f32 *own = values + g * GROUP;
    for (u32 signs = 0; signs < GROUP_BYTES; signs++) {
      f32 sum = 0;
      for (u32 i = 0; i < GROUP; i++) sum += __builtin_fabsf(own[i]) + (signs >> i & 1 ? own[i] : -own[i]);
      const f32 entry = table_step > 0 ? sum / table_step + 0.5f : 0;
      table[signs] = entry >= ENTRY_MAX ? ENTRY_MAX : entry > 0 ? (u8)entry : 0;
    }
  }
}

/** How far an estimate may be off for its link to be looked at, in shares of its gain. */
static f32 margin_at(const struct link_codes *of, f32 distance) {
  const f32 square = ix.euclidean ? distance : query_square + of->square + 2 * distance;
  return MARGIN * DEVIATION * __builtin_sqrtf(square > 0 ? square : 0);
}

#ifdef __wasm_simd128__

#include <wasm_simd128.h>

/** Sums of table entries of 32 links. Four groups are added up in bytes before they are widened. */
ALWAYS_INLINE void sum_entries(const u8 *bits, v128_t sums[4]) {
  const u8 *table = at(tables);
  const v128_t low = wasm_i8x16_const_splat(15);
  for (u32 k = 0; k < 4; k++) sums[k] = wasm_i16x8_const_splat(0);
  for (const u8 *end = bits + groups_count() * GROUP_BYTES; bits < end; bits += 64, table += 64) {
    v128_t first = wasm_i8x16_const_splat(0), second = first;
#pragma unroll
    for (u32 k = 0; k < 64; k += GROUP_BYTES) {
      const v128_t code = wasm_v128_load(bits + k), entries = wasm_v128_load(table + k);
      first = wasm_i8x16_add(first, wasm_i8x16_swizzle(entries, wasm_v128_and(code, low)));
      second = wasm_i8x16_add(second, wasm_i8x16_swizzle(entries, wasm_v128_and(wasm_u16x8_shr(code, 4), low)));
    }
    sums[0] = wasm_i16x8_add(sums[0], wasm_u16x8_extend_low_u8x16(first));
    sums[1] = wasm_i16x8_add(sums[1], wasm_u16x8_extend_high_u8x16(first));
    sums[2] = wasm_i16x8_add(sums[2], wasm_u16x8_extend_low_u8x16(second));
    sums[3] = wasm_i16x8_add(sums[3], wasm_u16x8_extend_high_u8x16(second));
  }
}

ALWAYS_INLINE v128_t four_factors(const u8 *bytes) {
  return wasm_f32x4_convert_i32x4(wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(bytes))));
}

/** @return a bit for each of 32 links whose distance may be below a limit, as one of no number is
 *  @param estimates to be written, if not null */
ALWAYS_INLINE u32 compare_set(const struct link_codes *of, const u8 *bits, f32 distance, f32 margin, f32 limit, f32 *estimates) {
  v128_t sums[4];
  sum_entries(bits, sums);
  const u8 *addends = bits + groups_count() * GROUP_BYTES, *gains = addends + LINKS_A_SET;
  const v128_t step = wasm_f32x4_splat(table_step), low = wasm_f32x4_splat(table_low), most = wasm_f32x4_splat(limit),
               gain_step = wasm_f32x4_splat(of->gain_step), off = wasm_f32x4_splat(margin),
               addend_low = wasm_f32x4_splat(distance + of->addend_low), addend_step = wasm_f32x4_splat(of->addend_step);
  u32 mask = 0;
#pragma unroll
  for (u32 k = 0; k < LINKS_A_SET; k += 4) {
    const v128_t sum = k & 4 ? wasm_u32x4_extend_high_u16x8(sums[k / 8]) : wasm_u32x4_extend_low_u16x8(sums[k / 8]);
    const v128_t product = wasm_f32x4_add(wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sum), step), low);
    const v128_t gain = wasm_f32x4_mul(four_factors(gains + k), gain_step);
    const v128_t addend = wasm_f32x4_add(addend_low, wasm_f32x4_mul(four_factors(addends + k), addend_step));
    if (estimates) wasm_v128_store(estimates + k, wasm_f32x4_sub(addend, wasm_f32x4_mul(gain, product)));
    const v128_t least = wasm_f32x4_sub(addend, wasm_f32x4_mul(gain, wasm_f32x4_add(product, off)));
    mask |= (u32)wasm_i32x4_bitmask(wasm_f32x4_ge(least, most)) << k;
  }
  return ~mask;
}

#else

static u32 compare_set(const struct link_codes *of, const u8 *bits, f32 distance, f32 margin, f32 limit, f32 *estimates) {
  const u8 *table = at(tables), *factors = bits + groups_count() * GROUP_BYTES;
  u32 mask = 0;
  for (u32 link = 0; link < LINKS_A_SET; link++) {
    const u32 lane = link % (LINKS_A_SET / 2), shift = link < LINKS_A_SET / 2 ? 0 : GROUP;
    u32 sum = 0;
    for (u32 i = 0; i < groups_count() * GROUP_BYTES; i += GROUP_BYTES) sum += table[i + (bits[i + lane] >> shift & 15)];
    const f32 product = (f32)sum * table_step + table_low, gain = factors[LINKS_A_SET + link] * of->gain_step;
    const f32 addend = distance + of->addend_low + factors[link] * of->addend_step;
    if (estimates) estimates[link] = addend - gain * product;
    mask |= (u32)!(addend - gain * (product + margin) >= limit) << link;
  }
  return mask;
}

#endif

u32 meet_promising(u32 slot, f32 distance, f32 farthest, u32 *slots) {
  const struct link_codes *of = link_codes_of(slot);
  const f32 margin = margin_at(of, distance);
  u8 *visited = visited_marks();
  const u8 epoch = walker->epoch;
  u32 count = 0;
  for (u32 first = 0; first < of->count; first += LINKS_A_SET) {
    const u32 *links = links_in(of) + first, left = of->count - first;
    u32 mask = compare_set(of, set_in(of, first / LINKS_A_SET), distance, margin, farthest, 0);
    if (left < LINKS_A_SET) mask &= (1u << left) - 1;
    for (; mask; mask &= mask - 1) {
      const u32 other = links[__builtin_ctz(mask)];
      slots[count] = other;
      count += visited[other] != epoch;
      visited[other] = epoch;
    }
  }
  return count;
}

void link_estimates(u32 slot, f32 distance, u32 first, f32 *estimates) {
  const struct link_codes *of = link_codes_of(slot);
  compare_set(of, set_in(of, first / LINKS_A_SET), distance, 0, 0, estimates);
}

#endif
