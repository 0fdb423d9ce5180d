/** The index's fields, and where everything of a slot lies. See isovec.h for the memory map. */
#ifndef ISOVEC_INDEX_H
#define ISOVEC_INDEX_H

#include "isovec.h"
#include "keys.h"

#define NONE 0xffffffffu
/** Slots stay below this: the top bit of a link is a mark. */
#define SLOTS_MAX 0x7fffffffu
/** Blocks of 256 to 512 KiB: small enough that growth wastes little, large enough that their table stays small. */
#define BLOCK_BYTES (512u * 1024)
/** Enough blocks of at least 256 KiB for 4 GiB. */
#define BLOCKS_MAX 16384u
#define CACHE_LINE_BYTES 64u
/** A level is drawn with probability m^-level, so 2^-30 at the most. Five bits hold it. */
#define LEVEL_MAX 30u

enum state { STATE_FREE = 0, STATE_PENDING = 1, STATE_LINKED = 2, STATE_AWAITING = 3, STATE_DOOMED = 4 };

/** Records of one size, numbered from 0, in chunks. A free record's first word is the next free one. */
struct pool {
  u32 record_bytes;
  u32 chunk_shift;
  /** Records ever used. */
  u32 used;
  u32 free_head;
  u32 free_count;
  u32 chunks;
  address chunk[BLOCKS_MAX];
};

struct index {
  u32 dimensions;
  u32 metric;
  int euclidean;
  /** An isovec_codes. */
  u32 codes;
  /** What a code says, and from one code to the next: padded with zeros. */
  u32 code_bytes, code_stride;
  /** Components of a code are those of the vector times this. */
  f32 scale;
  u32 type;
  u32 m;
  u32 ef_construction;
  /** How many may be linked to on level 0 and above. */
  u32 capacity_ground;
  u32 capacity_upper;

  u32 block_shift;
  u32 block_mask;
  u32 block_bytes;
  u32 links_offset, rows_offset, upper_offset, spill_offset, state_offset;
  u32 blocks;
  /** Of codes of links (link-codes.h): where they stand in a block, and from one slot's to the next. 0 where there are none. */
  u32 link_codes_offset, link_codes_stride;

  /** Slots ever used. */
  u32 slots;
  u32 free_head, free_count;
  u32 doomed_head, doomed_count;
  u32 pending_head, pending_tail, pending_count;
  u32 linked_count;
  u32 awaiting_count;

  u32 entry;
  u32 entry_level;
  /** Of the generator that draws levels. */
  u64 random;

  /** First links of slots on level 1, 2, ... : words `next level's record`, `spill`, then m links. */
  struct pool upper;
  /** In-links that found no room in a slot's own words: words `next record`, then links or NONE. */
  struct pool spill;
  address block[BLOCKS_MAX];
};

extern struct index ix;

/** The kind of codes. A module that knows one kind only is smaller: the compiler leaves the others out. */
#ifdef ISOVEC_FLOAT32_ONLY
#define CODES ISOVEC_FLOAT32
#define CODES_MAX ISOVEC_FLOAT32
#define HAS_LINK_CODES 0
#else
#define CODES ix.codes
#define CODES_MAX ISOVEC_BINARY
#define HAS_LINK_CODES 1
#endif

// ------------------------------------------------------------ where things of a slot lie

ALWAYS_INLINE address block_of(u32 slot) { return ix.block[slot >> ix.block_shift]; }
ALWAYS_INLINE u32 *word_of(u32 slot, u32 offset) {
  return (u32 *)at(block_of(slot) + offset) + (slot & ix.block_mask);
}
ALWAYS_INLINE void *code_of(u32 slot) { return (u8 *)at(block_of(slot)) + (slot & ix.block_mask) * ix.code_stride; }
ALWAYS_INLINE u32 *ground_links(u32 slot) {
  return (u32 *)at(block_of(slot) + ix.links_offset) + (slot & ix.block_mask) * ix.capacity_ground;
}
ALWAYS_INLINE u32 *row_of(u32 slot) { return word_of(slot, ix.rows_offset); }
ALWAYS_INLINE u32 *upper_of(u32 slot) { return word_of(slot, ix.upper_offset); }
ALWAYS_INLINE u32 *spill_of(u32 slot) { return word_of(slot, ix.spill_offset); }
ALWAYS_INLINE u8 *state_byte(u32 slot) {
  return (u8 *)at(block_of(slot) + ix.state_offset) + (slot & ix.block_mask);
}

ALWAYS_INLINE enum state state_of(u32 slot) { return (enum state)(*state_byte(slot) & 7); }
ALWAYS_INLINE u32 level_of(u32 slot) { return *state_byte(slot) >> 3; }
static inline void set_state(u32 slot, enum state state, u32 level) { *state_byte(slot) = (u8)(state | level << 3); }
/** Whether an answer may name the slot. */
ALWAYS_INLINE int is_answerable(u32 state_byte) {
  const u32 state = state_byte & 7;
  return state == STATE_PENDING || state == STATE_LINKED;
}

// ------------------------------------------------------------ memory.c

/** Bytes that nobody else has, zero, aligned to a cache line. @return 0 when memory cannot grow */
address take_bytes(u32 count);

/** @return whether all of it lies within the memory */
int is_memory(address start, u32 count);

/** @return whether so many bytes can be taken: memory has grown by what was lacking, where others grow it ahead */
int reserve_exactly(u64 count);

/** @return what a pool lacks for so many records, all told */
u64 pool_bytes(const struct pool *pool, u32 records);
/** @return whether the pool has `count` free records, having made them if need be */
int pool_reserve(struct pool *pool, u32 count);
/** @return a record with undefined content, or NONE */
u32 pool_take(struct pool *pool);
void pool_give(struct pool *pool, u32 record);
void pool_reset(struct pool *pool, u32 record_bytes);
static inline u32 *pool_record(const struct pool *pool, u32 record) {
  const u32 within = record & ((1u << pool->chunk_shift) - 1);
  return (u32 *)at(pool->chunk[record >> pool->chunk_shift] + within * pool->record_bytes);
}

/** @return what slots 0 .. count - 1 lack */
u64 slots_bytes(u64 count);
/** @return whether slots 0 .. count - 1 have memory */
int reserve_slots(u32 count);

#define IMAGE_HEADER_BYTES 64u
/** Images are stored in pages of so much; those that are all zeros are left out. */
#define IMAGE_PAGE_BYTES 512u
#define IMAGE_BUFFER_BYTES 65536u

struct scratch {
  /** The vector the caller writes, `dimensions` floats and room for a whole rotation. */
  address vector;
  /** The code made of it, or written by the caller. */
  address code;
  /** The best keys of an answer so far. */
  address best;
  address answer_rows;
  address answer_distances;
  u32 capacity;
  address image_header;
  /** 0 until it is first wanted. */
  address image_buffer;
};
extern struct scratch scratch;

/** What each thread that walks needs for itself. */
struct walker {
  /** Of binary codes: the query made of a vector or a code. */
  address query;
  /** What a walk has found, and room for FRESH_MAX keys more. */
  address results;
  u32 capacity;
  /** A byte a slot: the last walk that met it. */
  address visited;
  u32 visited_capacity;
  /** Marks the slots that the present walk has met. */
  u8 epoch;
};

/** The first is that of the thread that owns the index. */
#define WALKERS_MAX 16u
extern struct walker walkers[WALKERS_MAX];
/** This thread's. */
extern THREAD_LOCAL struct walker *walker;

/** @return what reserve_scratch would take */
u64 scratch_bytes(u32 capacity);
/** @return whether the owner's results, best and the answer hold `capacity` keys */
int reserve_scratch(u32 capacity);
/** @return what a walker lacks of that, in bytes, once there are so many slots */
u64 walker_bytes(const struct walker *of, u32 capacity, u32 slots);
/** @return whether a walker has a query, results of `capacity` keys, and marks for as many slots as there are blocks for */
int reserve_walker(struct walker *of, u32 capacity);

ALWAYS_INLINE f32 *scratch_vector(void) { return (f32 *)at(scratch.vector); }
ALWAYS_INLINE key *scratch_results(void) { return (key *)at(walker->results); }
ALWAYS_INLINE key *scratch_best(void) { return (key *)at(scratch.best); }
ALWAYS_INLINE u8 *visited_marks(void) { return at(walker->visited); }

// ------------------------------------------------------------ slots.c

void pending_append(u32 slot);
void pending_unlink(u32 slot);
/** It is to be linked before the others. */
void pending_to_front(u32 slot);
void free_slot(u32 slot);
/** A slot that is linked, and counted as neither linked nor awaiting any more. */
void doom_slot(u32 slot);
/** Lays blocks out, as many slots to each as find room. Only while there are none. */
void lay_out_blocks(void);
/** Takes all records of both pools back. */
void reset_pools(void);
/** Forgets everything that is held, keeping the memory. */
void reset_slots(void);

#endif
