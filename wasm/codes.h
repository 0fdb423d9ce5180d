/** Codes: what a slot holds of its vector, how a vector becomes one, and distances between them. */
#ifndef ISOVEC_CODES_H
#define ISOVEC_CODES_H

#include "index.h"

/** Codes begin at multiples of this, and are loaded so many bytes at a time. */
#define CODE_ALIGNMENT 16u

/** Sets the fields of the index that depend on the kind of codes, from the others. @return whether there is such a kind */
int lay_out_codes(u32 codes);

/** Pads the vector in the buffer, scales it to length 1 under cosine, and makes a code of it in the code buffer.
 *  @return that code */
const void *encode_vector(void);

/** The same for a vector to compute distances from. @return what `distances` takes, valid until the next is made */
const void *encode_query(void);

/** Adds the components of what a slot holds, in units of the code, to `dimensions` sums. Binary: does nothing. */
void add_code(u32 slot, f32 *sums);

/** A code of the mean of so many codes, from their sums. @return as encode_vector; null for binary codes */
const void *encode_mean(const f32 *sums, u32 count);

/** @return how long that is, rounded up so that others may follow it */
u32 query_bytes(void);

/** What a slot holds, as a query. @return as encode_query */
const void *query_of(u32 slot);

/**
 * Distances from a query to codes: of no unit in particular, but smaller is nearer.
 * @param codes their addresses, and room for three more
 * @param out has room for a multiple of 4, and is aligned to 16 bytes
 */
void distances(const void *query, const void **codes, u32 count, f32 *out);

/** Codes that `distances_in_line` can do at a time. A multiple of 4. */
#define IN_LINE_MAX 64u

/** The same to those of consecutive slots of one block, with an eye on what follows.
 *  @param count at most IN_LINE_MAX
 *  @param ahead `count`, and as many more as lie in line and will be wanted next */
void distances_in_line(const void *query, u32 first, u32 count, u32 ahead, f32 *out);

/**
 * The same from several queries, each code being read once. Not of binary codes.
 * @param queries ISOVEC_QUERIES_MAX
 * @param out a distance for each query, code by code
 */
void distances_of_several(const void *const *queries, u32 first, u32 count, u32 ahead, f32 *out);

/** The same to those of slots. @param count at most LINKS_MAX + 1 */
void slot_distances(const void *query, const u32 *slots, u32 count, f32 *out);

/** One of them. */
f32 distance_to(const void *query, u32 slot);

/** Looks up where the codes of slots are, and brings them into the cache. @param codes has room for three more */
void find_codes(const u32 *slots, u32 count, const void **codes);

/** A distance as users read it: see isovec_answer_distances. */
f32 shown_distance(f32 distance);

#endif
