/**
 * Graph images: plain copies of links and rows, and the checks that make a damaged or hostile one harmless.
 *
 * An image is seven arrays, whatever the size of blocks here: over slots links, rows, upper, spill and states, then the
 * records of both pools. What stands in one never moves, so what has not changed since an image was stored need not be
 * stored again.
 */
#include "batch.h"
#include "checksum.h"
#include "index.h"
#include "links.h"

#define IMAGE_MAGIC 0x47565349u /* "ISVG" */
#define IMAGE_VERSION 1u
/** Of pages in the buffer. */
#define CHECKSUMS_MAX (IMAGE_BUFFER_BYTES / IMAGE_PAGE_BYTES)

struct image_header {
  u32 magic, version;
  u32 dimensions, metric, m;
  /** Slots in use are below `slots`; linked ones count whether doomed or not. */
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

/** As much of an array as lies together in memory, from some byte on. */
struct piece {
  u8 *bytes;
  u32 length;
};

static u32 image_blocks(void) { return (u32)(((u64)header.slots + ix.block_mask) >> ix.block_shift); }

/** The arrays over slots. */
struct array {
  u32 offset;
  u32 slot_bytes;
};
#define SLOT_ARRAYS 5u

static struct array array_at(u32 section) {
  const struct array arrays[SLOT_ARRAYS] = {
      {ix.links_offset, ix.capacity_ground * 4}, {ix.rows_offset, 4}, {ix.upper_offset, 4}, {ix.spill_offset, 4},
      {ix.state_offset, 1},
  };
  return arrays[section];
}

static const struct pool *pool_of(u32 section) { return section == SLOT_ARRAYS ? &ix.upper : &ix.spill; }

u32 isovec_image_section_bytes(u32 section) {
  if (section < SLOT_ARRAYS) return header.slots * array_at(section).slot_bytes;
  if (section >= ISOVEC_IMAGE_SECTIONS) return 0;
  return pool_of(section)->record_bytes * (section == SLOT_ARRAYS ? header.upper_records : header.spill_records);
}

/** @param offset below the section's length */
static struct piece piece_at(u32 section, u32 offset) {
  const int is_slots = section < SLOT_ARRAYS;
  const struct array array = is_slots ? array_at(section) : (struct array){0, pool_of(section)->record_bytes};
  const u32 whole = array.slot_bytes << (is_slots ? ix.block_shift : pool_of(section)->chunk_shift);
  const u32 number = offset / whole, within = offset % whole;
  const address start = is_slots ? ix.block[number] + array.offset : pool_of(section)->chunk[number];
  return (struct piece){(u8 *)at(start) + within, whole - within};
}

/** How many bytes of a section stand from an offset on, of so many. */
static u32 bytes_there(u32 section, u32 offset, u32 count) {
  const u32 length = isovec_image_section_bytes(section);
  if (offset >= length) return 0;
  return length - offset < count ? length - offset : count;
}

static int is_within_buffer(u32 count) { return scratch.image_buffer && count <= IMAGE_BUFFER_BYTES; }

i32 isovec_image_read(u32 section, u32 offset, u32 count) {
  if (!is_within_buffer(count)) return ISOVEC_BAD_ARGUMENT;
  u8 *to = at(scratch.image_buffer);
  const u32 there = bytes_there(section, offset, count);
  for (u32 done = 0; done < there;) {
    const struct piece piece = piece_at(section, offset + done);
    const u32 length = piece.length < there - done ? piece.length : there - done;
    copy_bytes(to + done, piece.bytes, length);
    done += length;
  }
  fill_bytes(to + there, 0, count - there);
  return (i32)there;
}

i32 isovec_image_write(u32 section, u32 offset, address bytes, u32 count) {
  if (!is_memory(bytes, count)) return ISOVEC_BAD_ARGUMENT;
  const u8 *from = at(bytes);
  const u32 there = bytes_there(section, offset, count);
  for (u32 done = 0; done < there;) {
    const struct piece piece = piece_at(section, offset + done);
    const u32 length = piece.length < there - done ? piece.length : there - done;
    copy_bytes(piece.bytes, from + done, length);
    done += length;
  }
  return (i32)there;
}

address isovec_image_buffer(void) {
  if (!scratch.image_buffer) scratch.image_buffer = take_bytes(IMAGE_BUFFER_BYTES + CHECKSUMS_MAX * 4);
  return scratch.image_buffer;
}

i32 isovec_checksums(address start, u32 count, u32 piece_bytes) {
  if (!is_within_buffer(count) || !is_memory(start, count) || (u64)piece_bytes * CHECKSUMS_MAX < count)
    return ISOVEC_BAD_ARGUMENT;
  const u8 *bytes = at(start);
  u32 *checksums = at(scratch.image_buffer + IMAGE_BUFFER_BYTES);
  i32 pieces = 0;
  for (u32 done = 0; done < count; done += piece_bytes)
    checksums[pieces++] = crc32c(bytes + done, count - done < piece_bytes ? count - done : piece_bytes);
  return pieces;
}

address isovec_image_header(void) { return scratch.image_header; }
u32 isovec_image_header_bytes(void) { return IMAGE_HEADER_BYTES; }

i32 isovec_image_save(void) {
  // where all are doomed, some may be forgotten already, and the others name them still
  const u32 held = ix.linked_count + ix.awaiting_count, linked = held > 0 ? held + ix.doomed_count : 0;
  u32 slots = linked > 0 ? ix.slots : 0;
  while (slots > 0 && (state_of(slots - 1) == STATE_FREE || state_of(slots - 1) == STATE_PENDING)) slots--;
  header = (struct image_header){
      .magic = IMAGE_MAGIC,
      .version = IMAGE_VERSION,
      .dimensions = ix.dimensions,
      .metric = ix.metric,
      .m = ix.type == ISOVEC_FLAT ? 0 : ix.m,
      .slots = slots,
      .linked_count = linked,
      .entry = linked > 0 ? ix.entry : NONE,
      .entry_level = linked > 0 ? ix.entry_level : 0,
      .upper_records = slots > 0 ? ix.upper.used : 0,
      .spill_records = slots > 0 ? ix.spill.used : 0,
      .random_low = (u32)ix.random,
      .random_high = (u32)(ix.random >> 32),
  };
  copy_bytes(at(scratch.image_header), &header, sizeof header);
  return 0;
}

/** What has once been used does not begin with zeros, so its page is stored: damaged counts cost little memory. The
 *  factor allows for pages that are stored in part. */
static int fits(u32 count, u32 bytes, u32 length) {
  const u32 stored = bytes < IMAGE_PAGE_BYTES ? bytes : IMAGE_PAGE_BYTES;
  return (u64)count * stored <= 2 * ((u64)length + IMAGE_PAGE_BYTES);
}

static void clear_pool(const struct pool *pool, u32 records) {
  const u32 chunks = (u32)(((u64)records + (1u << pool->chunk_shift) - 1) >> pool->chunk_shift);
  for (u32 i = 0; i < chunks; i++) fill_bytes(at(pool->chunk[i]), 0, pool->record_bytes << pool->chunk_shift);
}

static void clear_image(void) {
  for (u32 i = 0; i < image_blocks(); i++)
    fill_bytes((u8 *)at(ix.block[i]) + ix.links_offset, 0, ix.block_bytes - ix.links_offset);
  clear_pool(&ix.upper, header.upper_records);
  clear_pool(&ix.spill, header.spill_records);
}

/** Of the index's own kind, and of no more than so many bytes can say. */
static int is_header_right(u32 length) {
  const u32 m = ix.type == ISOVEC_FLAT ? 0 : ix.m;
  return header.magic == IMAGE_MAGIC && header.version == IMAGE_VERSION && header.dimensions == ix.dimensions &&
         header.metric == ix.metric && header.m == m && header.linked_count <= header.slots &&
         header.slots < SLOTS_MAX && header.upper_records < NONE && header.spill_records < NONE &&
         (header.random_low | header.random_high) != 0 &&
         (header.reserved[0] | header.reserved[1] | header.reserved[2]) == 0 &&
         fits(header.slots, ix.capacity_ground * 4, length) && fits(header.upper_records, ix.upper.record_bytes, length) &&
         fits(header.spill_records, ix.spill.record_bytes, length) && !(ix.type == ISOVEC_FLAT && header.slots > 0);
}

/** Whether memory of slots and pools may hold anything but the zeros that it came with. */
static int was_opened;

/** A byte for each record while the image is checked. */
static u32 marks_capacity(void) { return (u32)(((u64)header.upper_records + header.spill_records) / sizeof(key)) + 1; }

/** At once: the memory of an index that is opened is not to grow ahead of what is needed. */
static int reserve_image(void) {
  const u64 pools = pool_bytes(&ix.upper, header.upper_records) + pool_bytes(&ix.spill, header.spill_records);
  const u64 buffers = IMAGE_BUFFER_BYTES + CHECKSUMS_MAX * 4 + scratch_bytes(marks_capacity());
  return reserve_exactly(slots_bytes(header.slots) + pools + buffers + PAGE_BYTES) &&
         reserve_slots(header.slots) && pool_reserve(&ix.upper, header.upper_records) &&
         pool_reserve(&ix.spill, header.spill_records);
}

static i32 open_image(u32 length) {
  copy_bytes(&header, at(scratch.image_header), sizeof header);
  if (!is_header_right(length)) return ISOVEC_BAD_IMAGE;
  const int is_fresh = ix.slots == 0 && !was_opened;
  reset_slots();
  if (!reserve_image()) return ISOVEC_NO_MEMORY;
  if (!is_fresh) clear_image();
  was_opened = 1;
  return 0;
}

i32 isovec_image_open(u32 length) {
  if (ix.pending_count + ix.linked_count + ix.awaiting_count + ix.doomed_count > 0 || batch_is_open())
    return ISOVEC_BAD_ARGUMENT;
  const i32 result = open_image(length);
  // nobody is to read or write by a header that memory does not go with
  if (result < 0) header.slots = header.upper_records = header.spill_records = 0;
  return result;
}

// ------------------------------------------------------------ checking

#define SLOTS_AT_ONCE 1024u

/** One byte a record, in fresh order: whether a list has it already. A record in two lists, or a chain that turns back
 *  on itself, is met twice. The heaps' memory serves, as long as it suffices. */
struct marks {
  u8 *upper;
  u8 *spill;
};

/** What each pair of slots that name each other adds up to nothing in, so that a name without its counterpart shows. */
static u64 balance;

/** splitmix64's finalizer (Steele, Lea and Flood, 2014). */
ALWAYS_INLINE u64 mixed(u64 x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ x >> 27) * 0x94d049bb133111ebull;
  return x ^ x >> 31;
}

static int is_walkable(u32 state_byte) {
  const u32 state = state_byte & 7;
  return state == STATE_LINKED || state == STATE_AWAITING || state == STATE_DOOMED;
}

/**
 * On how many levels each slot may be named, in the marks of walks: every link is looked up, and from block to block that
 * took twice as long.
 */
NEVER_INLINE static void gather_levels(u32 first, u32 end) {
  for (u32 slot = first; slot < end; slot++) {
    const u8 state = *state_byte(slot);
    visited_marks()[slot] = is_walkable(state) ? (u8)((state >> 3) + 1) : 0;
  }
}

static void forget_levels(void) {
  fill_bytes(visited_marks(), 0, header.slots);
  walker->epoch = 0;
}

/** @return 0 where the word does not name another slot that has this level */
ALWAYS_INLINE int check_entry(u32 slot, u32 level, u32 word) {
  const u32 other = word & ~IN_LINK;
  if (other >= header.slots) return 0;
  const u64 low = slot < other ? slot : other, high = slot < other ? other : slot;
  const u64 pair = mixed((high << 32 | low) + 0x9e3779b97f4a7c15ull * (level + 1));
  const u64 sign = 0 - (u64)(slot < other);
  balance += (pair ^ sign) - sign;
  return (visited_marks()[other] > level) & (other != slot);
}

/** @param before what stands before the words: behind an in-link come no out-links
 *  @return how many words are in use, or NONE when one is not right */
static u32 check_words(u32 slot, u32 level, const u32 *words, u32 capacity, u32 before) {
  u32 used = 0;
  for (; used < capacity && words[used] != NONE; used++) {
    if ((!is_out_link(before) && is_out_link(words[used])) || !check_entry(slot, level, words[used])) return NONE;
    before = words[used];
  }
  for (u32 i = used; i < capacity; i++)
    if (words[i] != NONE) return NONE;
  return used;
}

static int check_spill(u32 slot, u32 level, u32 record, struct marks marks) {
  while (record != NONE) {
    if (record >= header.spill_records || marks.spill[record]) return 0;
    marks.spill[record] = 1;
    const u32 *words = pool_record(&ix.spill, record);
    const u32 used = check_words(slot, level, words + 1, SPILL_WORDS - 1, IN_LINK);
    if (used == 0 || used == NONE) return 0;
    record = words[0];
  }
  return 1;
}

static int check_list(u32 slot, u32 level, struct links list, struct marks marks) {
  const u32 used = check_words(slot, level, list.words, list.capacity, 0);
  if (used == NONE || (used < list.capacity && *list.spill != NONE)) return 0;
  return check_spill(slot, level, *list.spill, marks);
}

/** A function of its own, as those above that are called for some slots at a time: V8 replaces code by better code when it
 *  is called, and what goes through a million slots in one call is never replaced. */
NEVER_INLINE static int check_slot(u32 slot, struct marks marks) {
  const u32 level = level_of(slot);
  if (level > header.entry_level) return 0;
  if (!check_list(slot, 0, links_of(slot, 0), marks)) return 0;
  u32 record = *upper_of(slot);
  for (u32 l = 1; l <= level; l++) {
    if (record >= header.upper_records || marks.upper[record]) return 0;
    marks.upper[record] = 1;
    u32 *words = pool_record(&ix.upper, record);
    const struct links list = {.words = words + UPPER_HEADER_WORDS, .spill = words + 1, .capacity = ix.capacity_upper};
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
    if (!is_walkable(*state_byte(slot)))
      free_slot(slot);
    else if (state_of(slot) == STATE_DOOMED)
      doom_slot(slot);
    else
      set_state(slot, STATE_AWAITING, level_of(slot));
  }
  for (u32 record = header.upper_records; record-- > 0;)
    if (!marks.upper[record]) pool_give(&ix.upper, record);
  for (u32 record = header.spill_records; record-- > 0;)
    if (!marks.spill[record]) pool_give(&ix.spill, record);
  ix.awaiting_count = header.linked_count - ix.doomed_count;
  ix.entry = header.entry;
  ix.entry_level = header.entry_level;
  ix.random = header.random_low | (u64)header.random_high << 32;
}

i32 isovec_image_accept(void) {
  if (!reserve_scratch(marks_capacity())) {
    reset_slots();
    return ISOVEC_NO_MEMORY;
  }
  u8 *bytes = at(walker->results);
  fill_bytes(bytes, 0, marks_capacity() * (u32)sizeof(key));
  const struct marks marks = {bytes, bytes + header.upper_records};
  for (u32 slot = 0; slot < header.slots; slot += SLOTS_AT_ONCE)
    gather_levels(slot, header.slots - slot < SLOTS_AT_ONCE ? header.slots : slot + SLOTS_AT_ONCE);
  const int is_right = check_image(marks);
  forget_levels();
  if (!is_right) {
    reset_slots();
    return ISOVEC_BAD_IMAGE;
  }
  take_in(marks);
  return (i32)ix.awaiting_count;
}
