/** Where memory comes from: a mark that only moves up, and pools that reuse what they were given. */
#include "binary.h"
#include "codes.h"
#include "nearest.h"
#include "threads.h"

/** Of one chunk of a pool. */
#define CHUNK_BYTES 65536u
/** Memory grows by an eighth at least. V8 counts it as new with each growth: by one block after another it collected
 *  garbage twice a block, which took longer than storing the vectors. */
#define GROWTH_DIVISOR 8u
/** Where memory is scarce: little more than is needed, and still no growth for each block. */
#define GROWTH_DIVISOR_SCARCE 64u
/** What linking a slot takes of the pools, with room: 14 bytes were measured at m = 16, 20 at m = 4. */
#define POOL_BYTES_PER_SLOT 32u

struct index ix;
struct scratch scratch;
struct walker walkers[WALKERS_MAX];
THREAD_LOCAL struct walker *walker = walkers;

static u32 growth_divisor = GROWTH_DIVISOR;

i32 isovec_spare_memory(void) {
  growth_divisor = GROWTH_DIVISOR_SCARCE;
  return 0;
}

/** Everything below it is taken. 0 before the first use. */
static u64 taken_end;

/** The next address that is free. */
static u64 take_start(void) {
  const u64 base = taken_end ? taken_end : heap_start();
  return (base + CACHE_LINE_BYTES - 1) & ~(u64)(CACHE_LINE_BYTES - 1);
}

/** @return by how many pages memory has to grow before so many bytes can be taken; NONE where there can be no such */
static u32 pages_lacking(u64 count) {
  const u64 end = take_start() + count;
  if (count > 0xffffffffull || end > 0xffffffffull) return NONE;
  const u32 pages = (u32)((end + PAGE_BYTES - 1) / PAGE_BYTES), have = memory_pages();
  return pages > have ? pages - have : 0;
}

int is_memory(address start, u32 count) { return (u64)start + count <= (u64)memory_pages() * PAGE_BYTES; }

int reserve_exactly(u64 count) {
  const u32 needed = pages_lacking(count);
  return needed == 0 || (needed != NONE && memory_grow(needed));
}

/** @return whether so many bytes can be taken without growing, having grown once if need be */
static int reserve_bytes(u64 count) {
  const u32 needed = pages_lacking(count), ahead = memory_pages() / growth_divisor;
  return (needed > 0 && needed < ahead && memory_grow(ahead)) || reserve_exactly(count);
}

/** What has been given back: taken before anything else. */
static u64 spare_start, spare_end;

static address take_spare(u32 count) {
  const address start = (address)spare_start;
  spare_start += ((u64)count + CACHE_LINE_BYTES - 1) & ~(u64)(CACHE_LINE_BYTES - 1);
  fill_bytes(at(start), 0, count);
  return start;
}

address take_bytes(u32 count) {
  if (count > 0 && spare_start + count <= spare_end) return take_spare(count);
  if (!reserve_bytes(count)) return 0;
  const u64 start = take_start();
  taken_end = start + count;
  return (address)start;
}

static address room;
static u32 room_bytes;

address isovec_room(u32 bytes) {
  if (bytes == room_bytes) return room;
  if (room) {
    spare_start = room;
    spare_end = (u64)room + room_bytes;
  }
  // what has been reserved is for others
  const int is_spare = spare_start + bytes <= spare_end;
  room = bytes > 0 && (is_spare || memory_grow(bytes / PAGE_BYTES + 1)) ? take_bytes(bytes) : 0;
  room_bytes = room ? bytes : 0;
  return room;
}

void pool_reset(struct pool *pool, u32 record_bytes) {
  pool->record_bytes = record_bytes;
  pool->chunk_shift = 0;
  while (record_bytes << (pool->chunk_shift + 1) <= CHUNK_BYTES) pool->chunk_shift++;
  pool->used = 0;
  pool->free_head = NONE;
  pool->free_count = 0;
}

static u32 chunk_bytes(const struct pool *pool) { return pool->record_bytes << pool->chunk_shift; }

u64 pool_bytes(const struct pool *pool, u32 records) {
  const u64 chunks = ((u64)records + (1u << pool->chunk_shift) - 1) >> pool->chunk_shift;
  return chunks > pool->chunks ? (chunks - pool->chunks) * (chunk_bytes(pool) + CACHE_LINE_BYTES) : 0;
}

int pool_reserve(struct pool *pool, u32 count) {
  const u64 needed = (u64)pool->used + (count > pool->free_count ? count - pool->free_count : 0);
  while ((u64)pool->chunks << pool->chunk_shift < needed) {
    if (pool->chunks == BLOCKS_MAX) return 0;
    const address chunk = take_bytes(chunk_bytes(pool));
    if (!chunk) return 0;
    pool->chunk[pool->chunks++] = chunk;
  }
  return 1;
}

u32 pool_take(struct pool *pool) {
  if (pool->free_head != NONE) {
    const u32 record = pool->free_head;
    pool->free_head = *pool_record(pool, record);
    pool->free_count--;
    return record;
  }
  if (!pool_reserve(pool, 1)) return NONE;
  return pool->used++;
}

void pool_give(struct pool *pool, u32 record) {
  *pool_record(pool, record) = pool->free_head;
  pool->free_head = record;
  pool->free_count++;
}

/** A new array of marks, when a walker has too few for so many slots: its bytes, or 0. */
static u32 marks_needed(const struct walker *of, u32 slots) {
  if (ix.type == ISOVEC_FLAT || slots <= of->visited_capacity) return 0;
  u32 rounded = CACHE_LINE_BYTES;
  while (rounded < slots) rounded *= 2;
  return rounded;
}

static void make_marks(struct walker *of, u32 count) {
  of->visited = take_bytes(count);
  of->visited_capacity = count;
  of->epoch = 0;
}

static u32 blocks_for(u64 slots) { return (u32)((slots + ix.block_mask) >> ix.block_shift); }

u64 slots_bytes(u64 count) {
  const u32 blocks = blocks_for(count);
  const u64 added = blocks > ix.blocks ? (u64)(blocks - ix.blocks) * ix.block_bytes : 0;
  return added + marks_needed(walkers, blocks << ix.block_shift);
}

int reserve_slots(u32 count) {
  const u32 blocks = blocks_for(count);
  if (count > SLOTS_MAX || blocks > BLOCKS_MAX) return 0;
  // all or nothing: memory that has grown never shrinks
  const u64 bytes = slots_bytes(count);
  if (bytes > 0 && !reserve_bytes(bytes)) return 0;
  const u32 marks = marks_needed(walkers, blocks << ix.block_shift);
  if (marks > 0) make_marks(walkers, marks);
  while (ix.blocks < blocks) {
    const address block = take_bytes(ix.block_bytes);
    if (!block) return 0;
    ix.block[ix.blocks++] = block;
  }
  return 1;
}

/** A power of two that is not too small. */
static u32 rounded_capacity(u32 capacity) {
  u32 rounded = 256;
  while (rounded < capacity) rounded *= 2;
  return rounded;
}

static u32 results_bytes(u32 rounded) { return (rounded + FRESH_MAX) * (u32)sizeof(key); }

static int reserve_results(struct walker *of, u32 capacity) {
  if (capacity <= of->capacity) return 1;
  const u32 rounded = rounded_capacity(capacity);
  const address results = take_bytes(results_bytes(rounded));
  if (!results) return 0;
  of->results = results;
  of->capacity = rounded;
  return 1;
}

/** Other codes are queries as they are. */
static u32 walker_query_bytes(void) { return CODES == ISOVEC_BINARY ? query_bytes() : CODE_ALIGNMENT; }

static int reserve_query(struct walker *of) {
  if (!of->query) of->query = take_bytes(walker_query_bytes());
  return of->query != 0;
}

u64 walker_bytes(const struct walker *of, u32 capacity, u32 slots) {
  u64 bytes = marks_needed(of, slots);
  if (!of->query) bytes += walker_query_bytes();
  if (of->capacity < capacity) bytes += results_bytes(rounded_capacity(capacity));
  return bytes;
}

int reserve_walker(struct walker *of, u32 capacity) {
  if (!reserve_query(of) || !reserve_results(of, capacity)) return 0;
  const u32 marks = marks_needed(of, ix.blocks << ix.block_shift);
  if (marks == 0) return 1;
  if (!reserve_bytes(marks)) return 0;
  make_marks(of, marks);
  return 1;
}

u32 isovec_pages_for(u32 count) {
  const u64 slots = (u64)ix.slots + (count > ix.free_count ? count - ix.free_count : 0);
  if (slots > SLOTS_MAX || blocks_for(slots) > BLOCKS_MAX) return NONE;
  u64 end = take_start() + slots_bytes(slots);
#if HAS_THREADS
  if (ix.type == ISOVEC_HNSW)
    end += threads_bytes(blocks_for(slots) << ix.block_shift, (u64)count + ix.pending_count);
#endif
  if (ix.type == ISOVEC_HNSW) end += ((u64)count + ix.pending_count) * POOL_BYTES_PER_SLOT;
  const u64 pages = (end + PAGE_BYTES - 1) / PAGE_BYTES;
  return pages > memory_pages() ? (u32)(pages - memory_pages()) : 0;
}

static u32 answer_bytes(u32 rounded) { return rounded * ((u32)sizeof(key) + 2 * 4); }

u64 scratch_bytes(u32 capacity) {
  return walker_bytes(walkers, capacity, 0) +
         (capacity > scratch.capacity ? answer_bytes(rounded_capacity(capacity)) : 0);
}

int reserve_scratch(u32 capacity) {
  if (!reserve_walker(walkers, capacity)) return 0;
  if (capacity <= scratch.capacity) return 1;
  const u32 rounded = rounded_capacity(capacity);
  const address all = take_bytes(answer_bytes(rounded));
  if (!all) return 0;
  scratch.best = all;
  scratch.answer_rows = scratch.best + rounded * (u32)sizeof(key);
  scratch.answer_distances = scratch.answer_rows + rounded * 4;
  scratch.capacity = rounded;
  return 1;
}
