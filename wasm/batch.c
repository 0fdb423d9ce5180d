#include "batch.h"

#include "link.h"
#include "links.h"
#include "tasks.h"
#include "threads.h"

#if HAS_THREADS

/** A batch is at most a sixteenth of the graph: its slots see nothing of one another but the distance, so that larger
 *  ones gave poorer graphs. */
#define BATCH_SHARE 16u
/** Links of a batch are held to so many, so that its memory stays small where `m` is large. */
#define BATCH_LINKS 2048u

static struct batch first;
/** The one that helpers have tasks of. */
static struct batch *present = &first;
THREAD_LOCAL struct batch *batch = &first;

static u32 lists_max(u32 slots) { return 2 * slots + LEVEL_MAX + 1; }

// ------------------------------------------------------------ tasks

static void begin_step(enum step step, u32 tasks) {
  batch->step = step;
  batch->tasks = tasks;
  fill_bytes(finished(), 0, tasks);
  __atomic_store_n(&batch->done, 0, __ATOMIC_SEQ_CST);
  const u64 number = (__atomic_load_n(&batch->open, __ATOMIC_SEQ_CST) >> 32) + 1;
  __atomic_store_n(&batch->open, number << 32 | tasks, __ATOMIC_SEQ_CST);
  threads_wake();
}

/** @return a task that nobody else has, or NONE */
static u32 take_task(void) {
  u64 open = __atomic_load_n(&batch->open, __ATOMIC_SEQ_CST);
  do
    if ((u32)open == 0) return NONE;
  while (!__atomic_compare_exchange_n(&batch->open, &open, open - 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
  return (u32)open - 1;
}

static void work_on(u32 task) {
  do_task(task);
  __atomic_store_n(finished() + task, 1, __ATOMIC_SEQ_CST);
  if (__atomic_add_fetch(&batch->done, 1, __ATOMIC_SEQ_CST) == batch->tasks) threads_tell(&batch->done);
}

u32 batch_work(u32 count) {
  u32 done = 0;
  for (u32 task; done < count && (task = take_task()) != NONE; done++) work_on(task);
  return done;
}

void batch_join(void) { batch = __atomic_load_n(&present, __ATOMIC_SEQ_CST); }

struct stalled batch_stall(void) {
  struct batch *own = batch;
  batch_join();
  const struct stalled stalled = {batch, take_task()};
  batch = own;
  return stalled;
}

void batch_go_on(struct stalled stalled) {
  struct batch *own = batch;
  batch = stalled.batch;
  if (stalled.task != NONE) work_on(stalled.task);
  batch = own;
}
int batch_is_open(void) { return batch->count > 0; }
int batch_step_is_done(void) { return __atomic_load_n(&batch->done, __ATOMIC_SEQ_CST) == batch->tasks; }
u32 *batch_done_word(void) { return &batch->done; }

void batch_work_again(void) {
  for (u32 task = 0; task < batch->tasks; task++)
    if (!finished()[task]) do_task(task);
  __atomic_store_n(&batch->done, batch->tasks, __ATOMIC_SEQ_CST);
}

// ------------------------------------------------------------ writing it down

/** Gives a newcomer its lists, with what it has chosen. */
static void write_lists(u32 self) {
  const struct newcomer *own = newcomer_at(self);
  make_lists(own->slot, own->level);
  for (u32 l = 0; l <= own->level; l++) {
    const struct links list = links_of(own->slot, l);
    const u32 *choices = choices_at(own->first_list + l);
    copy_bytes(list.words, choices + 1, choices[0] * 4);
    for (u32 i = 1; i <= choices[0]; i++) edges()[batch->edges_count++] = edge_of(choices[i], l, self);
  }
}

static void gather_targets(void) {
  batch->edges_count = batch->targets_count = 0;
  for (u32 i = 0; i < batch->count; i++) write_lists(i);
  sort_keys(edges(), batch->edges_count);
  struct target *target = 0;
  for (u32 i = 0; i < batch->edges_count; i++) {
    const key edge = edges()[i];
    if (i == 0 || edge >> 8 != edges()[i - 1] >> 8) {
      target = target_at(batch->targets_count++);
      *target = (struct target){.slot = edge_target(edge), .level = edge_level(edge), .first = i};
    }
    target->count++;
  }
}

/** Out-links as they were when it revised them: nothing but this changes them. */
static void drop_links(const struct target *target, struct links list, const u32 *mask, u32 out) {
  u32 dropped[LINKS_MAX], count = 0;
  for (u32 i = 0; i < out; i++)
    if (!(mask[i >> 5] >> (i & 31) & 1)) dropped[count++] = list.words[i];
  for (u32 i = 0; i < count; i++) stop_following(target->slot, dropped[i], target->level);
}

static void apply(u32 number) {
  const struct target *target = target_at(number);
  const struct links list = links_of(target->slot, target->level);
  const u32 *mask = mask_at(number);
  u32 bit = target->is_crowded ? links_out_count(list) : 0;
  if (target->is_crowded) drop_links(target, list, mask, bit);
  for (u32 i = 0; i < target->count; i++) {
    const key edge = edges()[target->first + i];
    if (edge & LEFT_OUT) continue;
    const u32 newcomer = newcomer_at(edge_newcomer(edge))->slot, own_bit = bit++;
    // a newcomer that has many newcomers itself may have dropped this link already
    if (links_find(links_of(newcomer, target->level), target->slot) == NONE) continue;
    if (!target->is_crowded || mask[own_bit >> 5] >> (own_bit & 31) & 1)
      links_add_out(list, newcomer);
    else
      links_add_in(list, newcomer);
  }
}

/** Among the linked, or, removed meanwhile, among those to be mended. */
static void settle(const struct newcomer *own) {
  if (own->is_removed) {
    set_state(own->slot, STATE_DOOMED, own->level);
    *row_of(own->slot) = ix.doomed_head;
    ix.doomed_head = own->slot;
    ix.doomed_count++;
  } else {
    set_state(own->slot, STATE_LINKED, own->level);
    ix.linked_count++;
    ix.pending_count--;
  }
  if (ix.entry != NONE && own->level <= ix.entry_level) return;
  ix.entry = own->slot;
  ix.entry_level = own->level;
}

/** @return how many slots are linked now */
static u32 write_down(void) {
  for (u32 i = 0; i < batch->targets_count; i++) apply(i);
  for (u32 i = 0; i < batch->count; i++) settle(newcomer_at(i));
  const u32 linked = batch->count;
  batch_forget();
  return linked;
}

u32 batch_advance(void) {
  if (batch->step == STEP_REVISING) return write_down();
  gather_targets();
  begin_step(STEP_REVISING, (batch->targets_count + TARGETS_A_TASK - 1) / TARGETS_A_TASK);
  return 0;
}

u32 batch_finish(void) {
  u32 linked = 0;
  while (batch_is_open()) {
    batch_work(NONE);
    threads_wait_for_step();
    linked += batch_advance();
  }
  return linked;
}

// ------------------------------------------------------------ beginning

/** Batches of a young graph: a tenth of the memory that a whole one takes. */
#define BATCH_YOUNG 12u

/** Lays a batch of so many slots out behind an address. @return its end */
static address lay_out_batch(struct batch *of, address start, u32 capacity) {
  const u32 lists = lists_max(capacity), links = lists * ix.m;
  of->capacity = capacity;
  of->mask_words = (ix.capacity_ground + capacity + 31) / 32;
  of->edges = start;
  of->newcomers = of->edges + links * (u32)sizeof(key);
  of->targets = of->newcomers + capacity * (u32)sizeof(struct newcomer);
  of->choices = of->targets + links * (u32)sizeof(struct target);
  of->masks = of->choices + lists * (ix.m + 1) * 4;
  of->finished = of->masks + links * of->mask_words * 4;
  // what follows is aligned as this
  return (of->finished + capacity + links + 7) & ~(address)7;
}

/** Where the batch goes on if it is left. */
static address refuge;

/** @return as batch_bytes, of a batch of so many slots */
static u32 lacking_bytes(u32 capacity) {
  struct batch layout;
  const u32 bytes = lay_out_batch(&layout, 0, capacity);
  const u32 own = capacity > batch->capacity ? bytes : 0;
  return own + (own || !refuge ? (u32)sizeof(struct batch) + bytes : 0);
}

u32 batch_bytes(void) { return lacking_bytes(BATCH_MAX); }

/** Memory for a batch of so many, twice. @return whether there is */
static int reserve_batch(u32 count) {
  const u32 capacity = count <= batch->capacity ? batch->capacity : count <= BATCH_YOUNG ? BATCH_YOUNG : BATCH_MAX;
  const u32 lacking = lacking_bytes(capacity);
  if (lacking == 0) return 1;
  const address all = take_bytes(lacking);
  if (!all) return 0;
  refuge = capacity > batch->capacity ? lay_out_batch(batch, all, capacity) : all;
  return 1;
}

void batch_leave(void) {
  struct batch *copy = at(refuge);
  *copy = *batch;
  const address start = refuge + sizeof(struct batch), end = lay_out_batch(copy, start, batch->capacity);
  // first which are finished: what is finished while the rest is copied counts as not, and is done again
  copy_bytes(at(copy->finished), finished(), end - copy->finished);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  copy_bytes(at(start), at(batch->edges), copy->finished - start);
  __atomic_store_n(&batch->is_left, 1, __ATOMIC_SEQ_CST);
  batch = copy;
  refuge = 0;
}

/** Takes the oldest pending slots, with levels drawn. A slot above all others is the last. @return records they need */
static u32 draw_newcomers(u32 count) {
  u32 records = 0;
  for (u32 slot = ix.pending_head; batch->count < count && slot != NONE; slot = ground_links(slot)[1]) {
    const u64 random = ix.random;
    const u32 level = draw_level();
    if (batch->lists + level + 1 > lists_max(batch->capacity)) {
      ix.random = random;
      break;
    }
    *newcomer_at(batch->count++) = (struct newcomer){slot, level, batch->lists, 0};
    batch->lists += level + 1;
    records += level;
    if (ix.entry == NONE || level > ix.entry_level) break;
  }
  return records;
}

/** All the memory that linking may take, so that it cannot fail half way. @return whether it is there */
static int reserve_links(u32 records) {
  // each link spills one in-link at the most, into a record of its own at the worst
  return pool_reserve(&ix.upper, records) && pool_reserve(&ix.spill, batch->lists * ix.m);
}

static u32 batch_max(void) {
  const u32 by_links = BATCH_LINKS / ix.m, by_graph = (ix.linked_count + ix.awaiting_count) / BATCH_SHARE;
  const u32 most = by_links < BATCH_MAX ? by_links : BATCH_MAX;
  return by_graph < 1 ? 1 : by_graph < most ? by_graph : most;
}

i32 batch_begin(u32 count) {
  const u64 random = ix.random;
  const u32 wanted = count < batch_max() ? count : batch_max();
  if (!reserve_batch(wanted) || !reserve_links(draw_newcomers(wanted)) || !threads_reserve()) {
    batch_forget();
    ix.random = random;
    return ISOVEC_NO_MEMORY;
  }
  fill_bytes(choices_at(0), 0, batch->lists * (ix.m + 1) * 4);
  for (u32 i = 0; i < batch->count; i++) pending_unlink(newcomer_at(i)->slot);
  // still pending, though no longer in the queue
  ix.pending_count += batch->count;
  __atomic_store_n(&present, batch, __ATOMIC_SEQ_CST);
  begin_step(STEP_CHOOSING, batch->count);
  return (i32)batch->count;
}

void batch_forget(void) { batch->count = batch->lists = batch->removed_count = 0; }

// ------------------------------------------------------------ what others do meanwhile

int batch_remove(u32 slot) {
  for (u32 i = 0; i < batch->count; i++) {
    if (newcomer_at(i)->slot != slot) continue;
    newcomer_at(i)->is_removed = 1;
    batch->removed_count++;
    ix.pending_count--;
    set_state(slot, STATE_FREE, 0);
    return 1;
  }
  return 0;
}

u32 batch_removed_count(void) { return batch->removed_count; }

u32 batch_slots(u32 *slots) {
  u32 count = 0;
  for (u32 i = 0; i < batch->count; i++)
    if (!newcomer_at(i)->is_removed) slots[count++] = newcomer_at(i)->slot;
  return count;
}

#endif
