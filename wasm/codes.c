#include "codes.h"

#include "binary.h"
#include "distance-int8.h"
#include "distance.h"
#include "links.h"

#define COMPONENT_MAX 127.0f

/** Unless calibrated: components of random unit vectors lie within four standard deviations of 0. */
static f32 clip_default(void) {
  return ix.metric == ISOVEC_COSINE && ix.dimensions > 16 ? 4 / __builtin_sqrtf((f32)ix.dimensions) : 1;
}

int lay_out_codes(u32 codes) {
  if (codes > CODES_MAX) return 0;
  ix.codes = codes;
  ix.code_bytes = codes == ISOVEC_BINARY ? binary_code_bytes(ix.dimensions)
                  : codes == ISOVEC_INT8 ? ix.dimensions
                                         : ix.dimensions * 4;
  ix.code_stride = (ix.code_bytes + CODE_ALIGNMENT - 1) & ~(CODE_ALIGNMENT - 1);
  ix.scale = codes == ISOVEC_INT8 ? COMPONENT_MAX / clip_default() : 1;
  return 1;
}

i32 isovec_calibrate(f32 clip) {
  // every slot ever used is free: nothing has been encoded by another scale
  if (CODES != ISOVEC_INT8 || ix.free_count < ix.slots || !(clip > 0) || !(COMPONENT_MAX / clip > 0) ||
      COMPONENT_MAX / clip == __builtin_inff())
    return ISOVEC_BAD_ARGUMENT;
  ix.scale = COMPONENT_MAX / clip;
  return 0;
}

u32 isovec_code_bytes(void) { return CODES == ISOVEC_FLOAT32 ? 0 : ix.code_bytes; }
address isovec_code_buffer(void) { return scratch.code; }
address isovec_code_address(u32 slot) { return address_of(code_of(slot)); }

// ------------------------------------------------------------ making them

static void prepare_vector(void) {
  f32 *vector = scratch_vector();
  for (u32 i = ix.dimensions; i & 3; i++) vector[i] = 0;
  if (ix.metric != ISOVEC_COSINE) return;
  // float64 throughout: the square of a float32 neither overflows nor vanishes in it
  f64 squares = 0;
  for (u32 i = 0; i < ix.dimensions; i++) squares += (f64)vector[i] * vector[i];
  if (!(squares > 0)) return;
  const f64 scale = 1 / __builtin_sqrt(squares);
  for (u32 i = 0; i < ix.dimensions; i++) vector[i] = (f32)(vector[i] * scale);
}

static void encode_int8(const f32 *vector, i8 *code) {
  for (u32 i = 0; i < ix.dimensions; i++) {
    const f32 scaled = __builtin_rintf(vector[i] * ix.scale);
    code[i] = (i8)(scaled > COMPONENT_MAX ? COMPONENT_MAX : scaled >= -COMPONENT_MAX ? scaled : -COMPONENT_MAX);
  }
}

const void *encode_vector(void) {
  prepare_vector();
  f32 *vector = scratch_vector();
  void *code = at(scratch.code);
  switch (CODES) {
    case ISOVEC_FLOAT32:
      return vector;
    case ISOVEC_INT8:
      encode_int8(vector, code);
      return code;
    default:
      rotate_vector();
      encode_binary(vector, code);
      return code;
  }
}

const void *encode_query(void) {
  if (CODES != ISOVEC_BINARY) return encode_vector();
  prepare_vector();
  rotate_vector();
  encode_binary_query(scratch_vector(), at(walker->query));
  return at(walker->query);
}

u32 query_bytes(void) { return CODES == ISOVEC_BINARY ? binary_query_bytes(ix.dimensions) : ix.code_stride; }

const void *query_of(u32 slot) {
  if (CODES != ISOVEC_BINARY) return code_of(slot);
  decode_binary_query(code_of(slot), at(walker->query));
  return at(walker->query);
}

void add_code(u32 slot, f32 *sums) {
  const void *code = code_of(slot);
  for (u32 i = 0; i < ix.dimensions; i++)
    sums[i] += CODES == ISOVEC_FLOAT32 ? ((const f32 *)code)[i] : ((const i8 *)code)[i];
}

const void *encode_mean(const f32 *sums, u32 count) {
  f32 *vector = scratch_vector();
  for (u32 i = 0; i < ix.dimensions; i++) vector[i] = sums[i] / (f32)count / ix.scale;
  return encode_vector();
}

// ------------------------------------------------------------ distances

#define EACH_FOUR(distances_of_four, component)                                                                    \
  for (u32 i = 0; i < count; i++, one += one_step, four += four_step)                                              \
    distances_of_four((const component *)one, (const component *const *)four, ix.code_stride / sizeof(component),  \
                      next_of(one_step ? one : *four, one_step ? i : 4 * i, ahead), out + 4 * i);                  \
  return;

/** The four codes behind those under way, for every fourth of them. @param ahead how many lie in line; 0: none do */
ALWAYS_INLINE const volatile u8 *next_of(const u8 *code, u32 number, u32 ahead) {
  if (ahead == 0 || number & 3) return 0;
  // at the end those under way are touched again: what lies behind may be no memory
  return code + (number + 8 <= ahead ? 4 * ix.code_stride : 0);
}

/** One code against four, and then the next one against the next four, of other codes than binary ones. Not inlined: a copy
 *  of these loops for walks alone was 0.96x to 1.01x as fast, and 320 bytes more to load.
 *  @param one_step from one to the next, in bytes, and of four: where one of them is 0, the other lie in line, or `ahead` is 0 */
__attribute__((noinline)) static void each_four(const u8 *one, u32 one_step, const void *const *four, u32 four_step,
                                                u32 count, u32 ahead, f32 *out) {
  (void)ahead; // scalar routines do not
  switch (CODES << 1 | (u32)ix.euclidean) {
    case ISOVEC_FLOAT32 << 1:
      EACH_FOUR(dot_four, f32)
    case ISOVEC_FLOAT32 << 1 | 1:
      EACH_FOUR(square_four, f32)
    case ISOVEC_INT8 << 1:
      EACH_FOUR(dot_int8_four, i8)
    case ISOVEC_INT8 << 1 | 1:
      EACH_FOUR(square_int8_four, i8)
  }
}

/** @param ahead 0 where codes do not lie in line */
static void distances_ahead(const void *query, const void **codes, u32 count, u32 ahead, f32 *out) {
  for (u32 i = count; i & 3; i++) codes[i] = codes[count - 1];
  if (CODES == ISOVEC_BINARY)
    binary_distances(query, codes, count, out);
  else
    each_four(query, 0, codes, 4, (count + 3) / 4, ahead, out);
}

void distances(const void *query, const void **codes, u32 count, f32 *out) { distances_ahead(query, codes, count, 0, out); }

/** Two times four codes that find room in the first cache. Longer ones are better not touched ahead. */
#define IN_LINE_BYTES_MAX (3u * 1024)

static u32 touched_ahead(u32 codes) { return ix.code_stride > IN_LINE_BYTES_MAX ? 0 : codes; }

void distances_in_line(const void *query, u32 first, u32 count, u32 ahead, f32 *out) {
  const void *codes[IN_LINE_MAX];
  const u8 *line = code_of(first);
  for (u32 i = 0; i < count; i++) codes[i] = line + i * ix.code_stride;
  distances_ahead(query, codes, count, touched_ahead(ahead), out);
}

void distances_of_several(const void *const *queries, u32 first, u32 count, u32 ahead, f32 *out) {
  each_four(code_of(first), ix.code_stride, queries, 0, count, touched_ahead(ahead), out);
}

void slot_distances(const void *query, const u32 *slots, u32 count, f32 *out) {
  const void *codes[LINKS_MAX + 4];
  for (u32 i = 0; i < count; i++) codes[i] = code_of(slots[i]);
  distances(query, codes, count, out);
}

f32 distance_to(const void *query, u32 slot) {
  f32 out[4] __attribute__((aligned(16)));
  slot_distances(query, &slot, 1, out);
  return out[0];
}

/** Bytes of a code that are read ahead of its distance: 1 KiB. Beyond it the processor has seen the stream and fetches
 *  ahead itself; touching whole rows of 768 float32 cost 8%. */
#define TOUCHED_MAX 1024u

/** One byte of each of four codes. */
#define TOUCH(byte) ((void)a[byte], (void)b[byte], (void)c[byte], (void)d[byte])

/**
 * Reads a byte of each cache line, for nothing but the cache. WebAssembly has no prefetch, but a processor goes on past
 * a load that misses: a few reads a row put the misses of a whole neighbourhood in flight together, where the
 * arithmetic on one row would fill the reorder buffer. Gave 1.2x in queries at 100 float32. The fewer the instructions
 * between two reads, the more of them find room in that buffer: four codes at a time and few loops gave 1.08x more.
 */
void find_codes(const u32 *slots, u32 count, const void **codes) {
  const u32 end = ix.code_stride < TOUCHED_MAX ? ix.code_stride : TOUCHED_MAX;
  const u32 last = end - 1;
  for (u32 i = 0; i < count; i += 4) {
    const volatile u8 *a = codes[i] = code_of(slots[i]);
    const volatile u8 *b = codes[i + 1] = code_of(slots[i + 1 < count ? i + 1 : i]);
    const volatile u8 *c = codes[i + 2] = code_of(slots[i + 2 < count ? i + 2 : i]);
    const volatile u8 *d = codes[i + 3] = code_of(slots[i + 3 < count ? i + 3 : i]);
    TOUCH(0);
    if (end <= 2 * CACHE_LINE_BYTES) {
      TOUCH(end / 2);
    } else {
      TOUCH(CACHE_LINE_BYTES);
      for (u32 at = 2 * CACHE_LINE_BYTES; at < end; at += CACHE_LINE_BYTES) TOUCH(at);
    }
    TOUCH(last);
  }
}

#undef TOUCH

f32 shown_distance(f32 distance) {
  if (ix.euclidean) return distance > 0 ? __builtin_sqrtf(distance) / ix.scale : 0;
  distance = distance / ix.scale / ix.scale;
  if (ix.metric == ISOVEC_DOT) return distance;
  const f32 shown = 1 + distance;
  return shown > 0 ? shown : 0;
}
