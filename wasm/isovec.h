/**
 * isovec.h: everything that the search kernel exports, and what each export demands and promises.
 *
 * One instance of the module is one index. The kernel imports nothing, calls nothing outside itself and never gives
 * memory back; it asks for more (memory.grow) only inside the exports marked "may grow", after which every view of
 * the memory that the caller holds is void and must be made anew.
 *
 * Words
 *   slot     where a vector lies: 0 .. 2^31 - 2, given by isovec_add, free for another vector after its removal
 *   row      the caller's own number of a vector: any u32 but 0xffffffff
 *   address  a byte offset in the instance's memory, 0 .. 2^32 - 1: read it unsigned (`>>> 0` in JavaScript)
 *   code     what a slot holds of a vector: see isovec_codes
 *   query    a vector of `dimensions` float32, written by the caller to isovec_vector_buffer()
 *
 * States of a slot
 *   free -> pending    isovec_add: searched exactly, from now on
 *   pending -> linked  isovec_link: searched by the graph
 *   pending -> free    isovec_remove
 *   linked -> doomed   isovec_remove: still walked through, never answered; its row number means nothing any more
 *   doomed -> free     isovec_link: its neighbours have been reconnected; nothing links to it
 *   awaiting -> linked isovec_restore: an image gave it its links, now it has its vector
 *   awaiting -> doomed isovec_remove
 *
 * Return codes
 *   0 or more  success; the meaning stands with the export
 *   -1         ISOVEC_NO_MEMORY: memory cannot grow; the index is as it was before the call
 *   -2         ISOVEC_BAD_IMAGE: the image is damaged or of another configuration; the index is empty
 *   -3         ISOVEC_BAD_ARGUMENT: a precondition named below was broken; nothing was done
 *
 * Memory map
 *   0                    stack (128 KiB; an overflow runs below address 0 and traps)
 *   after it             constants, the index's own fields, the chunk tables
 *   __heap_base          pieces in order of need, none ever moved or freed:
 *     block              a power of two of slots, together up to 512 KiB (one slot when its vector is longer), as
 *                        arrays one behind another, each aligned to 64 bytes:
 *                          codes    each of isovec_code_bytes() (float32: 4 a dimension), zero padded to 16
 *                          links    2m words a slot: level 0 (see links.h); pending: previous and next pending slot,
 *                                   and a cell (see arrange.c)
 *                          codes of links, if they are kept: see link-codes.h
 *                          rows     1 word a slot; free: next free slot; doomed: next doomed slot
 *                          upper    1 word a slot: first record in the pool of upper links, or none
 *                          spill    1 word a slot: first record in the spill pool for level 0, or none
 *                          state    1 byte a slot: state, and level * 8
 *     pool chunk         64 KiB of upper-link records or of spill records
 *     scratch            the vector and code buffers; what walks find, and the answer, both made anew, to a power of two,
 *                        when `ef` or `top` outgrows them; a mark of 1 byte a slot of the last walk that met it, made
 *                        anew likewise when slots outgrow it
 *   A flat index has no links, upper, spill, marks.
 */
#ifndef ISOVEC_H
#define ISOVEC_H

#include "platform.h"

enum { ISOVEC_NO_MEMORY = -1, ISOVEC_BAD_IMAGE = -2, ISOVEC_BAD_ARGUMENT = -3 };

enum isovec_metric { ISOVEC_COSINE = 0, ISOVEC_DOT = 1, ISOVEC_EUCLIDEAN = 2 };

/** Kinds of codes: what a slot holds of its vector, and what walks, linking and scans compute distances from. */
enum isovec_codes {
  /** The vector itself; under cosine, scaled to length 1. */
  ISOVEC_FLOAT32 = 0,
  /** One byte a component, -127 .. 127: the vector (under cosine, scaled to length 1) times 127 / clip, rounded. */
  ISOVEC_INT8 = 1,
  /** One bit a component, and 8 bytes: see binary.h. Distances are estimates. */
  ISOVEC_BINARY = 2,
};

/** Kinds of index. */
enum isovec_type { ISOVEC_HNSW = 0, ISOVEC_FLAT = 1 };

/** What isovec_count counts. */
enum isovec_counted {
  ISOVEC_COUNT_PENDING = 0,
  ISOVEC_COUNT_LINKED = 1,
  ISOVEC_COUNT_DOOMED = 2,
  ISOVEC_COUNT_AWAITING = 3,
  /** Slots ever used: every slot in use is below this. */
  ISOVEC_COUNT_SLOTS = 4,
};

/**
 * Makes the index. Once, before anything else. May grow.
 * @param dimensions 1 .. 65536
 * @param m links a node on the upper levels, half of those on level 0: 2 .. 256
 * @param ef_construction candidates while linking: 1 .. 65536
 * @param codes an isovec_codes; a module compiled with ISOVEC_FLOAT32_ONLY knows that one only
 * @return 0, ISOVEC_NO_MEMORY, ISOVEC_BAD_ARGUMENT
 */
EXPORT i32 isovec_create(u32 dimensions, u32 metric, u32 type, u32 m, u32 ef_construction, u32 codes);

/** Keeps codes of each slot's links beside them (link-codes.h), by which walks of queries tell which neighbours need not be read:
 *  with 32 links of 100 dimensions 768 bytes a slot. Right after isovec_create. Queries make them as they need them, and find nearly
 *  what they find without.
 *  @return 0, ISOVEC_NO_MEMORY; ISOVEC_BAD_ARGUMENT where there is memory for slots already, of binary codes, a flat index, and
 *          more than 4,096 dimensions. Not in a module compiled with ISOVEC_FLOAT32_ONLY */
EXPORT i32 isovec_keep_link_codes(void);

/** Which components int8 codes can tell apart: those within -clip .. clip; others count as the nearer of the two. Only
 *  while nothing is held and no image is loaded. Until then it is 4 / sqrt(dimensions) under cosine (at most 1), else 1.
 *  @return 0, ISOVEC_BAD_ARGUMENT when something is held, codes are not int8, or clip is not above 0 */
EXPORT i32 isovec_calibrate(f32 clip);

/** @return the address of `dimensions` float32 that the caller fills before add, restore, keep_query and search, which
 *  leave them changed, as does isovec_link. The address stays the same. */
EXPORT address isovec_vector_buffer(void);

/** Makes room for `count` further slots, so that as many isovec_add need no memory. May grow.
 *  @return 0, ISOVEC_NO_MEMORY */
EXPORT i32 isovec_reserve(u32 count);

/** @return by how many pages of 64 KiB memory has to grow for `count` further slots, and for linking them and all that
 *  are pending; 0xffffffff when they are too many whatever there is */
EXPORT u32 isovec_pages_for(u32 count);

/** From now on memory grows by what is needed and a little, not by an eighth. @return 0 */
EXPORT i32 isovec_spare_memory(void);

/** Holds the vector in the buffer under a row number, which the caller knows to be unused. May grow.
 *  Cosine: scaled to length 1 in float64, whatever its magnitude.
 *  @return its slot, ISOVEC_NO_MEMORY */
EXPORT i32 isovec_add(u32 row);

/** Gives an awaiting slot the vector in the buffer. @return 0, ISOVEC_BAD_ARGUMENT when the slot awaits none */
EXPORT i32 isovec_restore(u32 slot);

/** @return bytes of one code, as it may be kept and given back: int8: `dimensions`; binary: an eighth of that
 *  rounded up to 8 bytes, and 8 more; float32: 0, there are none but the
 *  vectors */
EXPORT u32 isovec_code_bytes(void);

/** @return where the caller writes a code before isovec_add_code and isovec_restore_code; other exports overwrite it.
 *  Any bytes will do: wrong ones give wrong distances, nothing worse. The address stays the same. */
EXPORT address isovec_code_buffer(void);

/** As isovec_add, from the code in its buffer. @return as isovec_add; ISOVEC_BAD_ARGUMENT for float32 */
EXPORT i32 isovec_add_code(u32 row);

/** As isovec_restore, from the code in its buffer. @return as isovec_restore; ISOVEC_BAD_ARGUMENT for float32 */
EXPORT i32 isovec_restore_code(u32 slot);

/** As isovec_restore_code, of many at once: in the buffer of isovec_image_buffer stand `count` slots, a word each, and
 *  from an address on as many codes. Slots that await none are passed over.
 *  @return how many were restored, ISOVEC_BAD_ARGUMENT for float32, or when the buffer is too small */
EXPORT i32 isovec_restore_codes(address codes, u32 count);

/** As isovec_restore, of many at once: in the buffer of isovec_image_buffer stand `count` slots, a word each, and from an
 *  address on as many vectors, with so many bytes from one to the next. Slots that await none are passed over.
 *  @return how many were restored, ISOVEC_BAD_ARGUMENT when the buffer is too small */
EXPORT i32 isovec_restore_vectors(address vectors, u32 stride_bytes, u32 count);

/** @return the address of a slot's code. Slot: below ISOVEC_COUNT_SLOTS, pending, linked or doomed */
EXPORT address isovec_code_address(u32 slot);

/** Removes what a slot holds, in constant time.
 *  @return 0, ISOVEC_BAD_ARGUMENT when it is not pending, linked or awaiting */
EXPORT i32 isovec_remove(u32 slot);

/** @return the address of a slot's row number (u32), to be read and rewritten at will.
 *  Slot: below ISOVEC_COUNT_SLOTS. Rows of one block lie one behind another: isovec_block_slots. */
EXPORT address isovec_row_address(u32 slot);

/** @return the address of a slot's state byte: state (0 free, 1 pending, 2 linked, 3 awaiting, 4 doomed) + 8 * level */
EXPORT address isovec_state_address(u32 slot);

/** @return slots a block, a power of two; slots of one block have consecutive row and state addresses */
EXPORT u32 isovec_block_slots(void);

/** @param which an isovec_counted */
EXPORT u32 isovec_count(u32 which);

/** Does up to `count` steps of what the graph has to catch up with: reconnects around doomed slots and frees them,
 *  then links pending slots. When many of these wait, they are first put in order, so that near vectors lie in near
 *  slots: each call then does a slice of that, of about a millisecond, and links nothing until it is done; what it has
 *  moved stands at isovec_moved. Nothing in a flat index. May grow.
 *  @return steps done, 0 too while it puts slots in order; ISOVEC_NO_MEMORY when memory stopped the first */
EXPORT i32 isovec_link(u32 count);

/** @return the address of pairs of u32, row and slot: where the last isovec_link has moved what. A row may stand there
 *  more than once: the last time counts */
EXPORT address isovec_moved(void);
EXPORT u32 isovec_moved_count(void);

/** Queries that are answered together. */
#define ISOVEC_QUERIES_MAX 4u

/** Keeps the vector in the buffer as one of several queries. The first call may grow.
 *  @param number below ISOVEC_QUERIES_MAX @return 0, ISOVEC_NO_MEMORY, ISOVEC_BAD_ARGUMENT */
EXPORT i32 isovec_keep_query(u32 number);

/**
 * The `top` slots nearest to the vector in the buffer: those linked by a walk with `ef` candidates, those pending
 * exactly. Walks that find fewer than are there are repeated as a scan. Flat: a scan. May grow.
 *
 * Or to each of several queries that have been kept, the very same, but what is compared exactly is read once for all.
 * @param count 1: the vector in the buffer; up to ISOVEC_QUERIES_MAX: of queries kept, from the first on
 * @param top 1 or more
 * @param ef raised to `top`; 0: all exactly, as far as codes tell
 * @return how many were found for each: min(top, pending + linked). Rows and distances stand at the answer addresses, one
 *         answer behind another. ISOVEC_NO_MEMORY; ISOVEC_BAD_ARGUMENT, for several also where only some rows are allowed
 */
EXPORT i32 isovec_search(u32 count, u32 top, u32 ef);

/** Slots that isovec_among takes at a time. */
#define ISOVEC_SLOT_BUFFER 1024u

/** @return the address of ISOVEC_SLOT_BUFFER words, from isovec_among_begin to isovec_among_end */
EXPORT address isovec_slot_buffer(void);

/*
 * The `top` nearest among some slots, exactly as far as codes tell: begin, then slots by as many calls as it takes, then
 * the end, with no other call that may grow or takes a vector in between.
 */

/** From the vector in the buffer. May grow. @return 0, ISOVEC_NO_MEMORY */
EXPORT i32 isovec_among_begin(u32 top);
/** @param count slots in their buffer, none of them given before; those neither pending nor linked do not count
 *  @return 0, ISOVEC_BAD_ARGUMENT */
EXPORT i32 isovec_among(u32 count);
/** @return as isovec_search */
EXPORT i32 isovec_among_end(void);

/**
 * From now on isovec_search leaves out other rows than those allowed. With an `ef` it may then find fewer than there are. May grow.
 * @param words 32 rows each, the first in the lowest bit; 0: all rows are allowed again
 * @param near_min a walk finds nothing at all unless so many of its candidates are allowed; where hardly any of
 *                 the first are, it gives up early
 * @param ef 0, or candidates of a second walk, which goes on from those that are, and a sample of all allowed slots, over
 *           allowed slots alone
 * @return the address of the words, to be filled in; 0 when memory cannot grow
 */
EXPORT address isovec_allow(u32 words, u32 near_min, u32 ef);

/** @return the address of the last answer's row numbers (u32), nearest first, equal distances by row.
 *  Valid until the next call that may grow */
EXPORT address isovec_answer_rows(void);

/** @return the address of the last answer's distances (float32): cosine: 1 - cosine, at least 0; dot: -dot;
 *  euclidean: L2. Between codes, the query's being of the same kind. Infinity where the arithmetic overflowed */
EXPORT address isovec_answer_distances(void);

/*
 * Graph images. An image is a header of isovec_image_header_bytes() and ISOVEC_IMAGE_SECTIONS sections: arrays of bytes,
 * no vectors. What stands in a section does not move as long as the index lives, and is the same whatever it holds of
 * its vectors.
 *
 * Saving: isovec_image_save, copy the header, then isovec_image_read. That may go on between other calls, but for
 * isovec_link: without it no link changes, what is added meanwhile counts as free in the image, and what is removed as
 * doomed or not.
 * Loading, into an index that holds nothing: write the header, isovec_image_open, isovec_image_write whatever is not
 * zero, isovec_image_accept. Linked slots then await their vectors; doomed ones are walked through without, until mended.
 */

enum { ISOVEC_IMAGE_SECTIONS = 7 };

/** @return the address of the header */
EXPORT address isovec_image_header(void);
EXPORT u32 isovec_image_header_bytes(void);

/** @return the address of a buffer of 64 KiB for what is read and written, which stays the same; 0 when memory cannot
 *  grow. The first call may grow */
EXPORT address isovec_image_buffer(void);

/** Memory for what is read from files, so that it need not be copied to buffers first. May grow.
 *  @return its address, the same until another number of bytes is asked for: what was had before then goes back to the
 *  index; 0 when memory cannot grow, and for 0 bytes */
EXPORT address isovec_room(u32 bytes);

/** CRC32C of each piece of so many bytes, the last of what is left: words, right behind the 64 KiB of the buffer.
 *  @param count 64 KiB at most @param piece_bytes so many that there are 128 pieces at most
 *  @return how many pieces, ISOVEC_BAD_ARGUMENT when there is no buffer, or there are too many pieces */
EXPORT i32 isovec_checksums(address bytes, u32 count, u32 piece_bytes);

/** Fills in the header from the graph. @return 0 */
EXPORT i32 isovec_image_save(void);

/** Reads the header and makes room for the sections, all zeros. May grow.
 *  @param length bytes stored of the image, by which its counts are judged before they cost much memory
 *  @return 0, ISOVEC_NO_MEMORY, ISOVEC_BAD_IMAGE, ISOVEC_BAD_ARGUMENT when the index is not empty */
EXPORT i32 isovec_image_open(u32 length);

/** @return how long a section is, in the image last saved or opened */
EXPORT u32 isovec_image_section_bytes(u32 section);

/** Copies bytes of a section to the buffer, zeros behind its end, @return how many were there,
 *  ISOVEC_BAD_ARGUMENT when the buffer is too small */
EXPORT i32 isovec_image_read(u32 section, u32 offset, u32 count);

/** Copies bytes, of the buffer or from elsewhere, to a section, but none behind its end. Only between isovec_image_open and
 *  _accept. @return how many, ISOVEC_BAD_ARGUMENT when they are no memory */
EXPORT i32 isovec_image_write(u32 section, u32 offset, address bytes, u32 count);

/** Checks every count, state, level and link, after which no walk can leave the memory or fail to end. May grow.
 *  @return how many slots await their vectors, ISOVEC_NO_MEMORY, ISOVEC_BAD_IMAGE (both leave the index empty) */
EXPORT i32 isovec_image_accept(void);

#endif
