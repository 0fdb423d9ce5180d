/** Making an index, and holding vectors in slots before any graph knows of them. */
#include "arrange.h"
#include "batch.h"
#include "binary.h"
#include "codes.h"
#include "index.h"
#include "links.h"

static u32 aligned(u32 bytes) { return (bytes + CACHE_LINE_BYTES - 1) & ~(CACHE_LINE_BYTES - 1); }

/** Lays out a block of 2^shift slots. @return its bytes */
static u64 lay_out_block(u32 shift) {
  const u64 slots = 1ull << shift;
  const u64 graph = ix.type == ISOVEC_HNSW;
  u64 end = aligned((u32)(slots * ix.code_stride));
  ix.links_offset = (u32)end;
  end += aligned((u32)(graph * slots * ix.capacity_ground * 4));
#if HAS_LINK_CODES
  // behind the links, as all that an image may leave stale
  ix.link_codes_offset = (u32)end;
  end += slots * ix.link_codes_stride;
#endif
  ix.rows_offset = (u32)end;
  end += aligned((u32)(slots * 4));
  ix.upper_offset = (u32)end;
  end += aligned((u32)(graph * slots * 4));
  ix.spill_offset = (u32)end;
  end += aligned((u32)(graph * slots * 4));
  ix.state_offset = (u32)end;
  end += aligned((u32)slots);
  ix.block_shift = shift;
  ix.block_mask = (u32)slots - 1;
  ix.block_bytes = (u32)end;
  return end;
}

void lay_out_blocks(void) {
  u32 shift = 0;
  while (lay_out_block(shift + 1) <= BLOCK_BYTES) shift++;
  lay_out_block(shift);
}

i32 isovec_create(u32 dimensions, u32 metric, u32 type, u32 m, u32 ef_construction, u32 codes) {
  if (ix.dimensions || dimensions < 1 || dimensions > 65536 || metric > ISOVEC_EUCLIDEAN || type > ISOVEC_FLAT || m < 2 ||
      m > LINKS_MAX / 2 || ef_construction < 1 || ef_construction > 65536)
    return ISOVEC_BAD_ARGUMENT;
  ix.dimensions = dimensions;
  ix.metric = metric;
  ix.euclidean = metric == ISOVEC_EUCLIDEAN;
  if (!lay_out_codes(codes)) {
    ix.dimensions = 0;
    return ISOVEC_BAD_ARGUMENT;
  }
  ix.type = type;
  ix.m = m;
  ix.ef_construction = ef_construction;
  ix.capacity_ground = 2 * m;
  ix.capacity_upper = m;
  lay_out_blocks();
  reset_slots();
  scratch.vector = take_bytes((dimensions + BINARY_WORD_BITS) * 4);
  scratch.code = take_bytes(ix.code_stride);
  scratch.image_header = take_bytes(IMAGE_HEADER_BYTES);
  if (!scratch.vector || !scratch.code || !scratch.image_header ||
      !reserve_scratch(type == ISOVEC_HNSW ? ef_construction : 1)) {
    ix.dimensions = 0;
    return ISOVEC_NO_MEMORY;
  }
  return 0;
}

void reset_pools(void) {
  pool_reset(&ix.upper, (UPPER_HEADER_WORDS + ix.capacity_upper) * 4);
  pool_reset(&ix.spill, SPILL_WORDS * 4);
}

void reset_slots(void) {
  ix.slots = 0;
  batch_forget();
  ix.free_head = ix.doomed_head = ix.pending_head = ix.pending_tail = NONE;
  ix.free_count = ix.doomed_count = ix.pending_count = ix.linked_count = ix.awaiting_count = 0;
  ix.entry = NONE;
  ix.entry_level = 0;
  ix.random = 0x9e3779b97f4a7c15ull;
  reset_pools();
  arrangement_reset();
}

// ------------------------------------------------------------ the queue of pending slots, in their unused link words

void pending_append(u32 slot) {
  set_state(slot, STATE_PENDING, 0);
  ix.pending_count++;
  if (ix.type == ISOVEC_FLAT) return;
  u32 *words = ground_links(slot);
  words[0] = ix.pending_tail;
  words[1] = NONE;
  if (ix.pending_tail == NONE)
    ix.pending_head = slot;
  else
    ground_links(ix.pending_tail)[1] = slot;
  ix.pending_tail = slot;
}

void pending_unlink(u32 slot) {
  ix.pending_count--;
  if (ix.type == ISOVEC_FLAT) return;
  arrangement_lose(slot);
  const u32 *words = ground_links(slot);
  const u32 before = words[0], after = words[1];
  if (before == NONE)
    ix.pending_head = after;
  else
    ground_links(before)[1] = after;
  if (after == NONE)
    ix.pending_tail = before;
  else
    ground_links(after)[0] = before;
}

void pending_to_front(u32 slot) {
  const u32 head = ix.pending_head;
  if (slot == head) return;
  u32 *words = ground_links(slot);
  ground_links(words[0])[1] = words[1];
  if (words[1] == NONE)
    ix.pending_tail = words[0];
  else
    ground_links(words[1])[0] = words[0];
  words[0] = NONE;
  words[1] = head;
  ground_links(head)[0] = slot;
  ix.pending_head = slot;
}

// ------------------------------------------------------------ free slots

void free_slot(u32 slot) {
  set_state(slot, STATE_FREE, 0);
  *row_of(slot) = ix.free_head;
  ix.free_head = slot;
  ix.free_count++;
}

void doom_slot(u32 slot) {
  set_state(slot, STATE_DOOMED, level_of(slot));
  *row_of(slot) = ix.doomed_head;
  ix.doomed_head = slot;
  ix.doomed_count++;
}

i32 isovec_reserve(u32 count) {
  const u32 unused = count > ix.free_count ? count - ix.free_count : 0;
  if (unused > SLOTS_MAX - ix.slots) return ISOVEC_NO_MEMORY;
  return reserve_slots(ix.slots + unused) ? 0 : ISOVEC_NO_MEMORY;
}

static void hold(u32 slot, const void *code) { copy_bytes(code_of(slot), code, ix.code_stride); }

/** The code in the buffer, padded. @return null where there are none but those made here */
static const void *given_code(void) {
  if (CODES == ISOVEC_FLOAT32) return 0;
  u8 *code = at(scratch.code);
  fill_bytes(code + ix.code_bytes, 0, ix.code_stride - ix.code_bytes);
  return code;
}

/** @return a slot that nobody has, or NONE */
static u32 take_slot(void) {
  const u32 slot = ix.free_head;
  if (slot != NONE) {
    ix.free_head = *row_of(slot);
    ix.free_count--;
    return slot;
  }
  return reserve_slots(ix.slots + 1) ? ix.slots++ : NONE;
}

static i32 add(u32 row, const void *code) {
  const u32 slot = take_slot();
  if (slot == NONE) return ISOVEC_NO_MEMORY;
  hold(slot, code);
  *row_of(slot) = row;
  pending_append(slot);
  return (i32)slot;
}

static int is_awaiting(u32 slot) { return slot < ix.slots && state_of(slot) == STATE_AWAITING; }

static void restore(u32 slot, const void *code) {
  hold(slot, code);
  set_state(slot, STATE_LINKED, level_of(slot));
  ix.awaiting_count--;
  ix.linked_count++;
}

i32 isovec_add(u32 row) { return add(row, encode_vector()); }

i32 isovec_add_code(u32 row) {
  const void *code = given_code();
  return code ? add(row, code) : ISOVEC_BAD_ARGUMENT;
}

i32 isovec_restore(u32 slot) {
  if (!is_awaiting(slot)) return ISOVEC_BAD_ARGUMENT;
  restore(slot, encode_vector());
  return 0;
}

i32 isovec_restore_code(u32 slot) {
  const void *code = given_code();
  if (!code || !is_awaiting(slot)) return ISOVEC_BAD_ARGUMENT;
  restore(slot, code);
  return 0;
}

i32 isovec_restore_codes(address start, u32 count) {
  const u64 bytes = (u64)count * ix.code_bytes;
  if (CODES == ISOVEC_FLOAT32 || !scratch.image_buffer || count > IMAGE_BUFFER_BYTES / 4 || bytes > NONE ||
      !is_memory(start, (u32)bytes))
    return ISOVEC_BAD_ARGUMENT;
  const u32 *slots = at(scratch.image_buffer);
  const u8 *codes = at(start);
  i32 restored = 0;
  for (u32 i = 0; i < count; i++) {
    if (slots[i] >= ix.slots || !is_awaiting(slots[i])) continue;
    u8 *code = code_of(slots[i]);
    copy_bytes(code, codes + (u64)i * ix.code_bytes, ix.code_bytes);
    fill_bytes(code + ix.code_bytes, 0, ix.code_stride - ix.code_bytes);
    set_state(slots[i], STATE_LINKED, level_of(slots[i]));
    restored++;
  }
  ix.awaiting_count -= (u32)restored;
  ix.linked_count += (u32)restored;
  return restored;
}

i32 isovec_restore_vectors(address start, u32 stride_bytes, u32 count) {
  const u64 bytes = (u64)count * stride_bytes;
  if (!scratch.image_buffer || count > IMAGE_BUFFER_BYTES / 4 || stride_bytes < ix.dimensions * 4 || bytes > NONE ||
      !is_memory(start, (u32)bytes))
    return ISOVEC_BAD_ARGUMENT;
  const u32 *slots = at(scratch.image_buffer);
  i32 restored = 0;
  for (u32 i = 0; i < count; i++) {
    if (!is_awaiting(slots[i])) continue;
    copy_bytes(scratch_vector(), at(start + i * stride_bytes), ix.dimensions * 4);
    restore(slots[i], encode_vector());
    restored++;
  }
  return restored;
}

i32 isovec_remove(u32 slot) {
  if (slot >= ix.slots) return ISOVEC_BAD_ARGUMENT;
  switch (state_of(slot)) {
    case STATE_PENDING:
      if (batch_remove(slot)) return 0;
      pending_unlink(slot);
      free_slot(slot);
      return 0;
    case STATE_LINKED:
      ix.linked_count--;
      break;
    case STATE_AWAITING:
      ix.awaiting_count--;
      break;
    default:
      return ISOVEC_BAD_ARGUMENT;
  }
  doom_slot(slot);
  return 0;
}

address isovec_vector_buffer(void) { return scratch.vector; }
address isovec_row_address(u32 slot) { return address_of(row_of(slot)); }
address isovec_state_address(u32 slot) { return address_of(state_byte(slot)); }
u32 isovec_block_slots(void) { return ix.block_mask + 1; }

u32 isovec_count(u32 which) {
  switch (which) {
    case ISOVEC_COUNT_PENDING:
      return ix.pending_count;
    case ISOVEC_COUNT_LINKED:
      return ix.linked_count;
    case ISOVEC_COUNT_DOOMED:
      return ix.doomed_count + batch_removed_count();
    case ISOVEC_COUNT_AWAITING:
      return ix.awaiting_count;
    default:
      return ix.slots;
  }
}
