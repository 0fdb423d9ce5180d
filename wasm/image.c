/**
 * Graph images: plain copies of links and rows, and the checks that make a damaged or hostile one harmless.
 *
 * An image is flat arrays over slots 0 .. slots - 1 and over the records of both pools, whatever the size of blocks
 * here: links, rows, upper, spill, states, upper records, spill records. A part is as much of one of them as lies
 * together in memory.
 */
#include "index.h"
#include "links.h"

#define IMAGE_MAGIC 0x47565349u /* "ISVG" */
#define IMAGE_VERSION 1u

struct image_header {
  u32 magic, version;
  u32 dimensions, metric, m;
  u32 slots, linked_count;
  u32 entry, entry_level;
  u32 upper_records, spill_records;
  u32 random_low, random_high;
  /** 0. The kind of codes is not in it: the graph of vectors serves whatever is held of them. */
  u32 reserved[3];
};

_Static_assert(sizeof(struct image_header) == IMAGE_HEADER_BYTES, "the header is part of the file format");

/** Of the image being saved or loaded; the caller reads and writes a copy in scratch memory. */
static struct image_header header;

/** @return where the caller reads them */
static address show_part(address where, u32 bytes) {
  u32 *part = at(scratch.image_part);
  part[0] = where;
  part[1] = bytes;
  return scratch.image_part;
}

/** The arrays over slots, in the order of the image. */
struct region {
  u32 offset;
  u32 slot_bytes;
};
#define REGIONS 5u

static struct region region_at(u32 i) {
  const struct region regions[REGIONS] = {
      {ix.links_offset, ix.capacity_ground * 4}, {ix.rows_offset, 4}, {ix.upper_offset, 4}, {ix.spill_offset, 4},
      {ix.state_offset, 1},
  };
  return regions[i];
}

static u32 chunks_of(const struct pool *pool, u32 records) {
  return (u32)(((u64)records + (1u << pool->chunk_shift) - 1) >> pool->chunk_shift);
}

static u32 image_blocks(void) { return (u32)(((u64)header.slots + ix.block_mask) >> ix.block_shift); }

static i32 parts_count(void) {
  return (i32)(REGIONS * image_blocks() + chunks_of(&ix.upper, header.upper_records) +
               chunks_of(&ix.spill, header.spill_records));
}

static u64 image_length(void) {
  u64 length = sizeof header;
  for (u32 i = 0; i < REGIONS; i++) length += (u64)region_at(i).slot_bytes * header.slots;
  return length + (u64)ix.upper.record_bytes * header.upper_records + (u64)ix.spill.record_bytes * header.spill_records;
}

static address pool_part(const struct pool *pool, u32 chunk, u32 records) {
  const u32 first = chunk << pool->chunk_shift;
  const u32 left = records - first, full = 1u << pool->chunk_shift;
  return show_part(pool->chunk[chunk], (left < full ? left : full) * pool->record_bytes);
}

address isovec_image_part(u32 number) {
  const u32 blocks = image_blocks(), upper_chunks = chunks_of(&ix.upper, header.upper_records);
  if (number < REGIONS * blocks) {
    const struct region region = region_at(number / blocks);
    const u32 first = (number % blocks) << ix.block_shift;
    const u32 left = header.slots - first, full = ix.block_mask + 1;
    return show_part(block_of(first) + region.offset, (left < full ? left : full) * region.slot_bytes);
  }
  number -= REGIONS * blocks;
  if (number < upper_chunks) return pool_part(&ix.upper, number, header.upper_records);
  return pool_part(&ix.spill, number - upper_chunks, header.spill_records);
}

address isovec_image_header(void) { return scratch.image_header; }
u32 isovec_image_header_bytes(void) { return IMAGE_HEADER_BYTES; }

i32 isovec_image_save(void) {
  if (ix.doomed_count > 0) return ISOVEC_BAD_ARGUMENT;
  u32 slots = ix.linked_count + ix.awaiting_count > 0 ? ix.slots : 0;
  while (slots > 0 && (state_of(slots - 1) == STATE_FREE || state_of(slots - 1) == STATE_PENDING)) slots--;
  header = (struct image_header){
      .magic = IMAGE_MAGIC,
      .version = IMAGE_VERSION,
      .dimensions = ix.dimensions,
      .metric = ix.metric,
      .m = ix.type == ISOVEC_FLAT ? 0 : ix.m,
      .slots = slots,
      .linked_count = ix.linked_count + ix.awaiting_count,
      .entry = ix.entry,
      .entry_level = ix.entry_level,
      .upper_records = slots > 0 ? ix.upper.used : 0,
      .spill_records = slots > 0 ? ix.spill.used : 0,
      .random_low = (u32)ix.random,
      .random_high = (u32)(ix.random >> 32),
  };
  copy_bytes(at(scratch.image_header), &header, sizeof header);
  return parts_count();
}

i32 isovec_image_open(u32 length) {
  if (ix.pending_count + ix.linked_count + ix.awaiting_count + ix.doomed_count > 0) return ISOVEC_BAD_ARGUMENT;
  const u32 m = ix.type == ISOVEC_FLAT ? 0 : ix.m;
  copy_bytes(&header, at(scratch.image_header), sizeof header);
  if (header.magic != IMAGE_MAGIC || header.version != IMAGE_VERSION || header.dimensions != ix.dimensions ||
      header.metric != ix.metric || header.m != m || header.linked_count > header.slots ||
      header.slots >= SLOTS_MAX || header.upper_records >= NONE || header.spill_records >= NONE ||
      (header.random_low | header.random_high) == 0 || (header.reserved[0] | header.reserved[1] | header.reserved[2]) != 0 ||
      image_length() != length ||
      (ix.type == ISOVEC_FLAT && header.slots > 0))
    return ISOVEC_BAD_IMAGE;
  reset_slots();
  if (!reserve_slots(header.slots) || !pool_reserve(&ix.upper, header.upper_records) ||
      !pool_reserve(&ix.spill, header.spill_records))
    return ISOVEC_NO_MEMORY;
  return parts_count();
}

// ------------------------------------------------------------ checking

/** One byte a record, in fresh order: whether a list has it already. A record in two lists, or a chain that turns back
 *  on itself, is met twice. The heaps' memory serves, as long as it suffices. */
struct marks {
  u8 *upper;
  u8 *spill;
};

/** What each pair of slots that name each other adds up to nothing in, so that a name without its counterpart shows. */
static u64 balance;

/** splitmix64's finalizer (Steele, Lea and Flood, 2014). */
static u64 mixed(u64 x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ x >> 27) * 0x94d049bb133111ebull;
  return x ^ x >> 31;
}

static int is_walkable(u32 state_byte) {
  const u32 state = state_byte & 7;
  return state == STATE_LINKED || state == STATE_AWAITING;
}

static int check_entry(u32 slot, u32 level, u32 word) {
  const u32 other = word & ~IN_LINK;
  if (other >= header.slots || other == slot) return 0;
  const u8 state = *state_byte(other);
  if (!is_walkable(state) || state >> 3 < level) return 0;
  const u64 low = slot < other ? slot : other, high = slot < other ? other : slot;
  const u64 pair = mixed((high << 32 | low) + 0x9e3779b97f4a7c15ull * (level + 1));
  balance += slot < other ? pair : 0 - pair;
  return 1;
}

static int check_spill(u32 slot, u32 level, u32 record, struct marks marks) {
  while (record != NONE) {
    if (record >= header.spill_records || marks.spill[record]) return 0;
    marks.spill[record] = 1;
    const u32 *words = pool_record(&ix.spill, record);
    u32 i = 1;
    for (; i < SPILL_WORDS && words[i] != NONE; i++)
      if (!(words[i] & IN_LINK) || !check_entry(slot, level, words[i])) return 0;
    if (i == 1) return 0;
    for (; i < SPILL_WORDS; i++)
      if (words[i] != NONE) return 0;
    record = words[0];
  }
  return 1;
}

static int check_list(u32 slot, u32 level, struct links list, struct marks marks) {
  u32 i = 0;
  for (; i < list.capacity && is_out_link(list.words[i]); i++)
    if (!check_entry(slot, level, list.words[i])) return 0;
  for (; i < list.capacity && list.words[i] != NONE; i++)
    if (is_out_link(list.words[i]) || !check_entry(slot, level, list.words[i])) return 0;
  if (i < list.capacity && *list.spill != NONE) return 0;
  for (; i < list.capacity; i++)
    if (list.words[i] != NONE) return 0;
  return check_spill(slot, level, *list.spill, marks);
}

static int check_slot(u32 slot, struct marks marks) {
  const u32 level = level_of(slot);
  if (level > header.entry_level) return 0;
  if (!check_list(slot, 0, links_of(slot, 0), marks)) return 0;
  u32 record = *upper_of(slot);
  for (u32 l = 1; l <= level; l++) {
    if (record >= header.upper_records || marks.upper[record]) return 0;
    marks.upper[record] = 1;
    u32 *words = pool_record(&ix.upper, record);
    const struct links list = {words + UPPER_HEADER_WORDS, words + 1, ix.capacity_upper};
    if (!check_list(slot, l, list, marks)) return 0;
    record = words[0];
  }
  return record == NONE;
}

/** @return 0 when anything is not as links.h and isovec.h say it is */
static int check_image(struct marks marks) {
  u32 linked = 0;
  balance = 0;
  for (u32 slot = 0; slot < header.slots; slot++) {
    const u8 state = *state_byte(slot);
    if (!is_walkable(state)) {
      if (state != STATE_FREE && state != STATE_PENDING) return 0;
      continue;
    }
    linked++;
    if (!check_slot(slot, marks)) return 0;
  }
  if (linked != header.linked_count || balance != 0) return 0;
  if (linked == 0) return header.entry == NONE;
  return header.entry < header.slots && is_walkable(*state_byte(header.entry)) &&
         level_of(header.entry) == header.entry_level;
}

static void take_in(struct marks marks) {
  ix.slots = header.slots;
  ix.upper.used = header.upper_records;
  ix.spill.used = header.spill_records;
  for (u32 slot = header.slots; slot-- > 0;) {
    if (is_walkable(*state_byte(slot)))
      set_state(slot, STATE_AWAITING, level_of(slot));
    else
      free_slot(slot);
  }
  for (u32 record = header.upper_records; record-- > 0;)
    if (!marks.upper[record]) pool_give(&ix.upper, record);
  for (u32 record = header.spill_records; record-- > 0;)
    if (!marks.spill[record]) pool_give(&ix.spill, record);
  ix.awaiting_count = header.linked_count;
  ix.entry = header.entry;
  ix.entry_level = header.entry_level;
  ix.random = header.random_low | (u64)header.random_high << 32;
}

i32 isovec_image_accept(void) {
  const u64 records = (u64)header.upper_records + header.spill_records;
  if (!reserve_scratch((u32)(records / sizeof(key)) + 1)) {
    reset_slots();
    return ISOVEC_NO_MEMORY;
  }
  u8 *bytes = at(scratch.results);
  fill_bytes(bytes, 0, records);
  const struct marks marks = {bytes, bytes + header.upper_records};
  if (!check_image(marks)) {
    reset_slots();
    return ISOVEC_BAD_IMAGE;
  }
  take_in(marks);
  return (i32)header.linked_count;
}
