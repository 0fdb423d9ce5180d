/**
 * Putting pending vectors in order before they are linked: near ones in near slots, and so one after another in time.
 * A walk then finds most of what it reads in the cache, or at least on pages whose place the processor knows.
 *
 * A batch of slots, which lie and wait one behind another, is divided into cells by k-means of a sample and moved so that
 * every cell lies together; then each cell likewise, until cells are small. What moves is codes and rows: pending slots
 * have no links. One slot in a few is then taken to the front, so that what is linked first lies all over the batch:
 * without that, recall in a set of tight clusters fell from 1.00 to 0.84. It is done in slices, between which everything is as it should be; when a slot of the batch is removed
 * meanwhile, the batch stays as it then is.
 */
#include "arrange.h"

#include "codes.h"
#include "index.h"

/** Cells that a range is divided into. */
#define CELLS 16u
/** Vectors looked at for each cell to find its centre, and how often. */
#define SAMPLED_PER_CELL 32u
#define SAMPLING_ROUNDS 4u
/** Ranges up to this are small enough. Tests have smaller ones. */
#ifndef RANGE_SMALL
#define RANGE_SMALL 128u
#endif
/** A range is divided so many times at most. */
#define DEPTH_MAX 4u
/** One in so many is linked first, from all over the batch. */
#define FIRST_SHARE 16u
/** A batch is at most so much codes and so many slots: none is linked until all are in order. */
#define BATCH_BYTES (64u * 1024 * 1024)
#define BATCH_SLOTS (128u * 1024)
/** Slots in one slice. Tests take fewer. */
#ifndef SLICE_SLOTS
#define SLICE_SLOTS 256u
#endif
/** Slots looked at in one slice for whether they wait one behind another. */
#define GATHERED_SLOTS (16u * SLICE_SLOTS)
/** Codes compared in one slice, if they are long: less than a millisecond. */
#define SLICE_BYTES (4u * 1024 * 1024)

struct range {
  u32 first, end, depth;
};

enum phase { PHASE_NONE, PHASE_GATHER, PHASE_SAMPLE, PHASE_ASSIGN, PHASE_MOVE, PHASE_CHOOSE_FIRST };

static struct {
  /** The batch, last or present: what stands here has been put in order, or given up. */
  u32 first, end;
  /** Yet to be divided, and above them the one being divided. */
  struct range ranges[CELLS * DEPTH_MAX];
  u32 ranges_count;
  enum phase phase;
  struct range range;
  /** The next slot, and how many rounds of sampling are left. */
  u32 next, rounds;
  u32 sizes[CELLS];
  /** A code for each cell, the sum of the vectors sampled, and pairs (row, slot): what the last slice moved where. 0
   *  before the first use. */
  address centres, sums, moved;
  /** Of each cell: the first slot not known to be its own, and its end. */
  u32 filled[CELLS], ends[CELLS];
  u32 moved_count;
} arrangement;

ALWAYS_INLINE u32 *cell_of(u32 slot) { return ground_links(slot) + 2; }

static u32 slice_slots(void) {
  const u32 slots = SLICE_BYTES / CELLS / ix.code_stride;
  return slots < 1 ? 1 : slots < SLICE_SLOTS ? slots : SLICE_SLOTS;
}

// ------------------------------------------------------------ the batch

static void push_range(u32 first, u32 end, u32 depth) {
  if (end - first > RANGE_SMALL && depth < DEPTH_MAX)
    arrangement.ranges[arrangement.ranges_count++] = (struct range){first, end, depth};
}

/** @return whether there is memory to work in */
static int reserve_arrangement(void) {
  if (!arrangement.centres) arrangement.centres = take_bytes(CELLS * ix.code_stride);
  if (!arrangement.sums) arrangement.sums = take_bytes(CELLS * ix.dimensions * (u32)sizeof(f32));
  if (!arrangement.moved) arrangement.moved = take_bytes(4 * SLICE_SLOTS * (u32)sizeof(u32));
  return arrangement.centres && arrangement.sums && arrangement.moved;
}

void arrangement_reset(void) {
  arrangement.first = arrangement.end = 0;
  arrangement.ranges_count = 0;
  arrangement.phase = PHASE_NONE;
}

static int is_in_batch(u32 slot) { return slot >= arrangement.first && slot < arrangement.end; }

void arrangement_lose(u32 slot) {
  if (ix.pending_count == 0) arrangement_reset();
  if (!is_in_batch(slot)) return;
  arrangement.ranges_count = 0;
  arrangement.phase = PHASE_NONE;
}

// ------------------------------------------------------------ dividing a range

static void *centre_of(u32 cell) { return (u8 *)at(arrangement.centres) + cell * ix.code_stride; }
static f32 *sum_of(u32 cell) { return (f32 *)at(arrangement.sums) + cell * ix.dimensions; }

static void begin_phase(enum phase phase) {
  arrangement.phase = phase;
  arrangement.next = arrangement.range.first;
  fill_bytes(arrangement.sizes, 0, sizeof arrangement.sizes);
}

static void begin_round(void) {
  begin_phase(PHASE_SAMPLE);
  fill_bytes(sum_of(0), 0, CELLS * ix.dimensions * sizeof(f32));
}

static void begin_range(void) {
  const struct range range = arrangement.range = arrangement.ranges[--arrangement.ranges_count];
  for (u32 c = 0; c < CELLS; c++)
    copy_bytes(centre_of(c), code_of(range.first + (u32)((u64)(range.end - range.first) * c / CELLS)), ix.code_stride);
  arrangement.rounds = SAMPLING_ROUNDS;
  if (CODES == ISOVEC_BINARY)
    begin_phase(PHASE_ASSIGN);
  else
    begin_round();
}

static u32 nearest_cell(u32 slot) {
  const void *centres[CELLS];
  f32 found[CELLS] __attribute__((aligned(16)));
  for (u32 c = 0; c < CELLS; c++) centres[c] = centre_of(c);
  distances(query_of(slot), centres, CELLS, found);
  u32 nearest = 0;
  for (u32 c = 1; c < CELLS; c++) nearest = found[c] < found[nearest] ? c : nearest;
  arrangement.sizes[nearest]++;
  return nearest;
}

/** Moves the centres to the means of what is nearest to them, in a sample (Lloyd, 1957). */
static void sample_slice(void) {
  const struct range range = arrangement.range;
  const u32 step = (range.end - range.first) / (CELLS * SAMPLED_PER_CELL) + 1;
  for (u32 i = slice_slots(); i > 0 && arrangement.next < range.end; i--) {
    add_code(arrangement.next, sum_of(nearest_cell(arrangement.next)));
    arrangement.next += step;
  }
  if (arrangement.next < range.end) return;
  for (u32 c = 0; c < CELLS; c++)
    if (arrangement.sizes[c] > 0)
      copy_bytes(centre_of(c), encode_mean(sum_of(c), arrangement.sizes[c]), ix.code_stride);
  if (--arrangement.rounds > 0)
    begin_round();
  else
    begin_phase(PHASE_ASSIGN);
}

static void begin_moving(void) {
  u32 end = arrangement.range.first;
  for (u32 c = 0; c < CELLS; c++) {
    arrangement.filled[c] = end;
    arrangement.ends[c] = end += arrangement.sizes[c];
    // a cell that took everything would do so again
    if (arrangement.sizes[c] < arrangement.range.end - arrangement.range.first)
      push_range(arrangement.filled[c], end, arrangement.range.depth + 1);
  }
  arrangement.phase = PHASE_MOVE;
}

static void assign_slice(void) {
  for (u32 i = slice_slots(); i > 0 && arrangement.next < arrangement.range.end; i--) {
    *cell_of(arrangement.next) = nearest_cell(arrangement.next);
    arrangement.next++;
  }
  if (arrangement.next == arrangement.range.end) begin_moving();
}

static void swap_words(u32 *a, u32 *b) {
  const u32 word = *a;
  *a = *b;
  *b = word;
}

static void tell(u32 slot) {
  u32 *pair = (u32 *)at(arrangement.moved) + 2 * arrangement.moved_count++;
  pair[0] = *row_of(slot);
  pair[1] = slot;
}

static void swap_slots(u32 a, u32 b) {
  void *held = at(scratch.code);
  copy_bytes(held, code_of(a), ix.code_stride);
  copy_bytes(code_of(a), code_of(b), ix.code_stride);
  copy_bytes(code_of(b), held, ix.code_stride);
  swap_words(row_of(a), row_of(b));
  swap_words(cell_of(a), cell_of(b));
  tell(a);
  tell(b);
}

/** Cell by cell alone, cells far from all others would be linked to none of them but by chance. */
static void begin_choosing_first(void) {
  arrangement.phase = PHASE_CHOOSE_FIRST;
  arrangement.next = (arrangement.end - arrangement.first) / FIRST_SHARE;
}

static void choose_first_slice(void) {
  const u32 count = arrangement.end - arrangement.first;
  for (u32 i = SLICE_SLOTS; i > 0 && arrangement.next > 0; i--) {
    // steps of the golden ratio fall everywhere alike
    const u32 fraction = arrangement.next-- * 2654435769u;
    pending_to_front(arrangement.first + (u32)((u64)fraction * count >> 32));
  }
  if (arrangement.next == 0) arrangement.phase = PHASE_NONE;
}

/** American flag sort (McIlroy, Bostic and McIlroy, 1993): each swap brings one slot's content to its own cell. */
static void move_slice(void) {
  u32 left = slice_slots();
  for (u32 c = 0; c < CELLS; c++) {
    for (; arrangement.filled[c] < arrangement.ends[c]; arrangement.filled[c]++) {
      for (u32 cell; (cell = *cell_of(arrangement.filled[c])) != c;) {
        if (left-- == 0) return;
        swap_slots(arrangement.filled[c], arrangement.filled[cell]++);
      }
    }
  }
  if (arrangement.ranges_count > 0)
    begin_range();
  else
    begin_choosing_first();
}

// ------------------------------------------------------------ slices

/** As many slots as wait one behind another. */
static void begin_batch(void) {
  arrangement.first = ix.pending_head;
  arrangement.end = arrangement.first + 1;
  arrangement.phase = PHASE_GATHER;
}

static u32 batch_slots_max(void) {
  const u32 slots = BATCH_BYTES / ix.code_stride;
  return slots < BATCH_SLOTS ? slots : BATCH_SLOTS;
}

static void gather_slice(void) {
  u32 end = arrangement.end;
  const u32 most = arrangement.first + batch_slots_max(), stop = end + GATHERED_SLOTS < most ? end + GATHERED_SLOTS : most;
  while (end < stop && ground_links(end - 1)[1] == end) end++;
  arrangement.end = end;
  if (end == stop && end < most) return;
  arrangement.phase = PHASE_NONE;
  if (end - arrangement.first < ARRANGED_MIN || !reserve_arrangement()) return;
  arrangement.ranges[arrangement.ranges_count++] = (struct range){arrangement.first, end, 0};
  begin_range();
}

int arrange(u32 steps) {
  arrangement.moved_count = 0;
  if (steps == 0) return 0;
  if (arrangement.phase == PHASE_NONE && ix.pending_count >= ARRANGED_MIN && !is_in_batch(ix.pending_head))
    begin_batch();
  switch (arrangement.phase) {
    case PHASE_GATHER:
      gather_slice();
      return arrangement.phase != PHASE_NONE;
    case PHASE_SAMPLE:
      sample_slice();
      return 1;
    case PHASE_ASSIGN:
      assign_slice();
      return 1;
    case PHASE_MOVE:
      move_slice();
      return 1;
    case PHASE_CHOOSE_FIRST:
      choose_first_slice();
      return 1;
    default:
      return 0;
  }
}

address isovec_moved(void) { return arrangement.moved; }
u32 isovec_moved_count(void) { return arrangement.moved_count; }
