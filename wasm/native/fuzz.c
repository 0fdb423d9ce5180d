/**
 * The kernel as a native program, for sanitizers to watch: indexes of random shape are put through random operations,
 * with damaged images, codes of any bytes, vectors of any floats and memory that runs out. Each index has a process of
 * its own, as it has an instance of its own in WebAssembly.
 *
 *   fuzz <first seed> <indexes>
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../batch.h"
#include "../isovec-threads.h"
#include "../isovec.h"
#include "../link-codes.h"

u8 *native_arena;
u32 native_pages = 1, native_pages_max;

#define OPERATIONS 400u
#define PAGES_MAX 128u

static u64 state;
static u32 dimensions, codes;
/** Of links. Which of them there are decides what walks come by. */
static int keeps_link_codes;

/** Below a limit: splitmix64 (Steele, Lea and Flood, 2014). */
static u32 below(u32 limit) {
  u64 x = state += 0x9e3779b97f4a7c15ull;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ x >> 27) * 0x94d049bb133111ebull;
  return (u32)((x ^ x >> 31) >> 33) % limit;
}

static void check(int holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "does not hold: %s\n", what);
  abort();
}

/** Small whole numbers, so that many are equal; now and then any bits at all. */
static void write_vector(void) {
  f32 *vector = at(isovec_vector_buffer());
  const int any_bits = below(20) == 0;
  for (u32 i = 0; i < dimensions; i++) {
    const u32 bits = below(0x7fffffff) << 1 | below(2);
    if (any_bits)
      memcpy(vector + i, &bits, sizeof bits);
    else
      vector[i] = (f32)below(5) - 2;
  }
}

static void write_code(void) {
  u8 *code = at(isovec_code_buffer());
  for (u32 i = 0; i < isovec_code_bytes(); i++) code[i] = (u8)below(256);
}

static u32 any_slot(void) { return below(isovec_count(ISOVEC_COUNT_SLOTS) + 2); }

/** Some of them any numbers. */
static i32 ask_among(u32 top) {
  const i32 refused = isovec_among_begin(top);
  if (refused) return refused;
  for (u32 first = 0; first < isovec_count(ISOVEC_COUNT_SLOTS); first += ISOVEC_SLOT_BUFFER) {
    u32 *slots = at(isovec_slot_buffer());
    for (u32 i = 0; i < ISOVEC_SLOT_BUFFER; i++) slots[i] = below(8) ? first + i : below(0x7fffffff) << 1;
    check(isovec_among(ISOVEC_SLOT_BUFFER + below(2)) <= 0, "as many slots as the buffer has");
  }
  return isovec_among_end();
}

/** Some rows, by walks of any width. */
static i32 ask_allowed(u32 top) {
  const u32 words = 1 + below(40);
  const address bits = isovec_allow(words, below(4), below(2) * (top + below(60)));
  if (bits == 0) return ISOVEC_NO_MEMORY;
  for (u32 i = 0; i < words; i++) ((u32 *)at(bits))[i] = below(3) == 0 ? 0 : below(0x7fffffff) << 1 | below(2);
  const i32 found = below(3) == 0 ? isovec_search(1, top, 0) : isovec_search(1, top, 1 + below(60));
  isovec_allow(0, 0, 0);
  return found;
}

/** Several at once: each the very answer that it gets alone. */
static i32 ask_several(u32 top) {
  const u32 count = 2 + below(ISOVEC_QUERIES_MAX - 1), ef = below(2) * (1 + below(60));
  float *vectors = malloc(count * dimensions * sizeof(float));
  for (u32 q = 0; q < count; q++) {
    write_vector();
    memcpy(vectors + q * dimensions, at(isovec_vector_buffer()), dimensions * sizeof(float));
    if (isovec_keep_query(q) == ISOVEC_NO_MEMORY) {
      free(vectors);
      return ISOVEC_NO_MEMORY;
    }
  }
  check(isovec_keep_query(ISOVEC_QUERIES_MAX) == ISOVEC_BAD_ARGUMENT, "no more queries than there is room for");
  const i32 found = isovec_search(count, top, ef);
  u32 rows[ISOVEC_QUERIES_MAX * 30];
  f32 distances[ISOVEC_QUERIES_MAX * 30];
  if (found > 0) memcpy(rows, at(isovec_answer_rows()), count * (u32)found * sizeof *rows);
  if (found > 0) memcpy(distances, at(isovec_answer_distances()), count * (u32)found * sizeof *distances);
  for (u32 q = 0; found > 0 && q < count; q++) {
    memcpy(at(isovec_vector_buffer()), vectors + q * dimensions, dimensions * sizeof(float));
    check(isovec_search(1, top, ef) == found, "as many answers as alone");
    if (keeps_link_codes) continue;
    check(memcmp(rows + q * (u32)found, at(isovec_answer_rows()), (u32)found * sizeof *rows) == 0, "the same rows");
    check(memcmp(distances + q * (u32)found, at(isovec_answer_distances()), (u32)found * sizeof *distances) == 0,
          "the same distances");
  }
  free(vectors);
  return found;
}

static void ask(void) {
  write_vector();
  const u32 top = 1 + below(30);
  const u32 how = below(5);
  const i32 found = how == 0   ? isovec_search(1, top, 1 + below(60))
                    : how == 1 ? isovec_search(1, top, 0)
                    : how == 2 ? ask_allowed(top)
                    : how == 3 ? ask_several(top)
                               : ask_among(top);
  check(found == ISOVEC_NO_MEMORY || (found >= 0 && found <= (i32)top), "as many answers as asked for");
  const f32 *distances = at(isovec_answer_distances());
  for (i32 i = 0; i < found; i++) check(distances[i] == distances[i], "no answer is NaN");
  for (i32 i = 1; i < found; i++) check(distances[i - 1] <= distances[i], "answers nearest first");
}

/** What is held stays the same, wherever it lies. */
static void link_some(void) {
  const u32 top = 20;
  u32 rows[20];
  f32 distances[20];
  write_vector();
  float *vector = malloc(dimensions * sizeof(float));
  memcpy(vector, at(isovec_vector_buffer()), dimensions * sizeof(float));
  const i32 before = isovec_search(1, top, 0);
  if (before > 0) memcpy(rows, at(isovec_answer_rows()), (u32)before * sizeof *rows);
  if (before > 0) memcpy(distances, at(isovec_answer_distances()), (u32)before * sizeof *distances);
  isovec_link(below(50));
  const u32 *moved = at(isovec_moved());
  const u32 moved_count = isovec_moved_count();
  for (u32 i = 0; i < moved_count; i++) {
    const u32 slot = moved[2 * i + 1];
    check(slot < isovec_count(ISOVEC_COUNT_SLOTS), "what was moved lies in a slot");
    u32 last = i;
    for (u32 k = i + 1; k < moved_count; k++) last = moved[2 * k + 1] == slot ? k : last;
    check(*(u32 *)at(isovec_row_address(slot)) == moved[2 * last], "what was moved is told");
  }
  memcpy(at(isovec_vector_buffer()), vector, dimensions * sizeof(float));
  free(vector);
  const i32 after = isovec_search(1, top, 0);
  check(before == after || before < 0 || after < 0, "as many are held after linking as before");
  if (after <= 0 || before <= 0) return;
  check(memcmp(rows, at(isovec_answer_rows()), (u32)after * sizeof *rows) == 0, "the same rows");
  check(memcmp(distances, at(isovec_answer_distances()), (u32)after * sizeof *distances) == 0, "the same vectors");
}

#if HAS_THREADS
#define STALLED_MAX 8u

/** Helpers that have each taken a task, and stopped before they did it. */
static struct stalled stalled[STALLED_MAX];
static u32 stalled_count;

static void stall(void) {
  const struct stalled own = batch_stall();
  if (own.task != 0xffffffffu && stalled_count < STALLED_MAX) stalled[stalled_count++] = own;
}

/** One of them does it after all, whatever has become of its batch. */
static void go_on(void) {
  if (stalled_count == 0) return;
  const u32 which = below(stalled_count);
  batch_go_on(stalled[which]);
  stalled[which] = stalled[--stalled_count];
}

/** Part of what is to be linked, by turns as the owner and as a helper that may leave a task undone for long, or ever. */
static void link_along(void) {
  if (below(8) == 0) isovec_helper_prepare(1 + below(3));
  if (below(8) == 0) isovec_helpers_expect(below(4), below(50));
  for (u32 turn = below(12); turn > 0; turn--) {
    if (below(3) == 0)
      batch_work(below(5));
    else
      check(isovec_link_along(1 + below(20)) >= ISOVEC_NO_MEMORY, "as many as were linked");
    if (below(30) == 0) stall();
    if (below(20) == 0) go_on();
    if (below(30) == 0) {
      stalled_count = 0;
      isovec_helpers_lost();
    }
  }
}
#else
static void link_along(void) { link_some(); }
#endif

static void empty(void) {
  for (u32 slot = 0; slot < isovec_count(ISOVEC_COUNT_SLOTS); slot++) isovec_remove(slot);
  while (isovec_link(1000) > 0) {
  }
}

#define PIECE 1000u

/** Header and sections, one behind another. @return its length, 0 where there is no memory; the caller frees it */
static u32 save(u8 **image) {
  const u32 header_bytes = isovec_image_header_bytes();
  if (!isovec_image_buffer()) return 0;
  check(isovec_image_save() == 0, "an image can always be saved");
  u32 length = header_bytes;
  for (u32 section = 0; section < ISOVEC_IMAGE_SECTIONS; section++) length += isovec_image_section_bytes(section);
  u8 *to = *image = malloc(length);
  memcpy(to, at(isovec_image_header()), header_bytes);
  to += header_bytes;
  for (u32 section = 0; section < ISOVEC_IMAGE_SECTIONS; section++)
    for (u32 offset = 0; offset < isovec_image_section_bytes(section); offset += PIECE) {
      const i32 there = isovec_image_read(section, offset, PIECE);
      memcpy(to, at(isovec_image_buffer()), (u32)there);
      to += there;
    }
  return length;
}

/** @return as isovec_image_accept, or why it did not come to that */
static i32 load(const u8 *image, u32 length) {
  memcpy(at(isovec_image_header()), image, isovec_image_header_bytes());
  const i32 opened = isovec_image_open(length);
  if (opened < 0) return opened;
  const u8 *from = image + isovec_image_header_bytes();
  for (u32 section = 0; section < ISOVEC_IMAGE_SECTIONS; section++)
    for (u32 offset = 0; offset < isovec_image_section_bytes(section); offset += PIECE) {
      const u32 left = (u32)(image + length - from);
      const u32 count = left < PIECE ? left : PIECE;
      memcpy(at(isovec_image_buffer()), from, count);
      from += isovec_image_write(section, offset, isovec_image_buffer(), count);
    }
  return isovec_image_accept();
}

/** Any slots, those that there are not, too, and any bytes whatever. */
static void restore_many(void) {
  const address room = isovec_room(300 * (dimensions * 4 + 8)), buffer = isovec_image_buffer();
  if (!room || !buffer) return;
  const u32 count = below(300);
  u32 *slots = at(buffer);
  for (u32 i = 0; i < count; i++) slots[i] = any_slot();
  const i32 restored = below(2) ? isovec_restore_vectors(room, dimensions * 4 + 4, count) : isovec_restore_codes(room, count);
  check(restored <= (i32)count, "no more than are named");
}

/** Through an image, damaged more often than not, and some of the vectors or codes again. */
static void reopen(void) {
  u8 *image = 0;
  const u32 length = save(&image);
  if (length == 0) return;
  isovec_checksums(isovec_image_buffer(), below(70000), below(2000));
  if (below(4) == 0) isovec_room(below(200000));
  const u32 damaged = below(4);
  for (u32 damage = damaged; damage > 0; damage--) image[below(length)] ^= (u8)(1u << below(8));
  empty();
  // every link of a graph made here is known at both ends
  check(load(image, length) != ISOVEC_BAD_IMAGE || damaged > 0, "an undamaged image is accepted");
  free(image);
  if (below(3) == 0) restore_many();
  for (u32 slot = 0; slot < isovec_count(ISOVEC_COUNT_SLOTS); slot++) {
    if (below(8) == 0) continue;
    if (codes != ISOVEC_FLOAT32 && below(2)) {
      write_code();
      isovec_restore_code(slot);
    } else {
      write_vector();
      isovec_restore(slot);
    }
  }
}

/** Codes of links that are there are those of the links that are there. */
static void check_link_codes(void) {
  u8 *before = malloc(ix.link_codes_stride);
  for (u32 slot = 0; slot < isovec_count(ISOVEC_COUNT_SLOTS); slot++) {
    struct link_codes *of = link_codes_of(slot);
    if (state_of(slot) == STATE_FREE || state_of(slot) == STATE_PENDING || of->state == LINK_CODES_NONE) continue;
    memcpy(before, of, ix.link_codes_stride);
    make_link_codes(slot);
    check(memcmp(before, of, ix.link_codes_stride) == 0, "codes of links as if made anew");
  }
  free(before);
}

static void operate(void) {
  switch (below(12)) {
    case 0:
      write_code();
      isovec_add_code(below(1000));
      break;
    case 1:
    case 2:
      isovec_remove(any_slot());
      break;
    case 3:
      if (below(2))
        link_along();
      else
        link_some();
      break;
    case 4:
    case 5:
      ask();
      break;
    case 6:
      isovec_reserve(below(4) ? below(20) : below(0x7fffffff));
      break;
    case 7:
      if (below(8) == 0) reopen();
      if (below(30) == 0) empty();
      break;
    default:
      for (u32 i = below(8); i > 0; i--) {
        write_vector();
        isovec_add(below(1000));
      }
  }
}

static void make_arena(u32 pages) {
  native_pages_max = pages;
  native_arena = aligned_alloc(64, pages * PAGE_BYTES);
  memset(native_arena, 0, pages * PAGE_BYTES);
}

static void fuzz_one(u64 seed) {
  state = seed;
  make_arena(3 + below(below(2) ? 8 : PAGES_MAX));
  dimensions = 1 + below(below(4) ? 20 : 300);
  codes = below(3);
  if (isovec_create(dimensions, below(3), below(4) == 0, 2 + below(6), 1 + below(40), codes)) return;
  if (codes == ISOVEC_INT8 && below(2)) isovec_calibrate((f32)below(4));
  keeps_link_codes = below(2) && isovec_keep_link_codes() == 0;
  for (u32 i = 0; i < OPERATIONS; i++) {
    operate();
    if (keeps_link_codes && below(20) == 0) check_link_codes();
  }
}

#if HAS_THREADS
#define LINKED 600u

/** A checksum of a graph of the same vectors, whoever links them. FNV-1a (Fowler, Noll and Vo). */
static u64 graph_linked(u64 seed, int is_stalling) {
  state = seed;
  make_arena(PAGES_MAX);
  dimensions = 4 + below(8);
  codes = ISOVEC_FLOAT32;
  isovec_create(dimensions, below(3), ISOVEC_HNSW, 2 + below(6), 10, codes);
  for (u32 row = 0; row < LINKED; row++) {
    write_vector();
    isovec_add(row);
  }
  while (isovec_count(ISOVEC_COUNT_PENDING) > 0) {
    if (!is_stalling) {
      isovec_link(0x7fffffff);
      continue;
    }
    for (u32 turn = below(4); turn > 0; turn--) {
      isovec_link_along(below(40));
      if (below(3) == 0) stall();
      if (below(3) == 0) go_on();
    }
    // what is under way, and no more: who has stalled is given up
    if (batch_is_open()) isovec_link(1);
    if (below(3) == 0) go_on();
  }
  u8 *image = 0;
  const u32 length = save(&image);
  u64 sum = 0xcbf29ce484222325ull;
  for (u32 i = 0; i < length; i++) sum = (sum ^ image[i]) * 0x100000001b3ull;
  free(image);
  return sum;
}

/** In a process of its own: there is one index in each. */
static u64 linked_apart(u64 seed, int is_stalling) {
  int ends[2];
  u64 sum = 0;
  if (pipe(ends) != 0) return 0;
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    sum = graph_linked(seed, is_stalling);
    _exit(write(ends[1], &sum, sizeof sum) != sizeof sum);
  }
  close(ends[1]);
  if (read(ends[0], &sum, sizeof sum) != sizeof sum) sum = 0;
  close(ends[0]);
  waitpid(child, 0, 0);
  return sum;
}

static int is_graph_the_same(u64 seed) {
  const u64 plain = linked_apart(seed, 0);
  return plain != 0 && plain == linked_apart(seed, 1);
}
#else
static int is_graph_the_same(u64 seed) { return seed > 0; }
#endif

int main(int count, char **arguments) {
  if (count != 3) return 2;
  const u64 first = strtoull(arguments[1], 0, 10), indexes = strtoull(arguments[2], 0, 10);
  for (u64 seed = first; seed < first + indexes; seed++) {
    const pid_t child = fork();
    if (child == 0) {
      // an endless walk ends too
      alarm(60);
      fuzz_one(seed);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (seed % 5 == 0 && !is_graph_the_same(seed)) {
      fprintf(stderr, "seed %llu: helpers that stalled have changed the graph\n", seed);
      return 1;
    }
    if (status == 0) continue;
    fprintf(stderr, "seed %llu ended with status %d\n", seed, status);
    return 1;
  }
  return 0;
}
