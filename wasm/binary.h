/**
 * Binary codes: one bit a dimension, after RaBitQ (Gao and Long, "RaBitQ: Quantizing High-Dimensional Vectors with a
 * Theoretical Error Bound for Approximate Nearest Neighbor Search", 2024).
 *
 * A vector is rotated at random, and its code is the signs of what comes out, with two numbers that make the dot product
 * of any vector with those signs an unbiased estimate of that with the vector. A query keeps four bits a dimension, in
 * bit planes, so that the product is a matter of counting bits.
 */
#ifndef ISOVEC_BINARY_H
#define ISOVEC_BINARY_H

#include "index.h"

/** Dimensions after rotation: rounded up to whole words of bits. */
#define BINARY_WORD_BITS 64u
#define QUERY_PLANES 4u

/** Behind the bits of a code. */
struct binary_factors {
  /** Times the sum of a vector's components with the code's signs: their dot product, estimated. */
  f32 product;
  /** The squared length. */
  f32 square;
};

struct binary_query {
  /** From a weighted count of bits to the sum of components with signs. */
  f32 step;
  f32 square;
  /** QUERY_PLANES, or 1 when the query is itself a code. */
  u32 planes;
  u32 reserved;
  /** Of each 64 dimensions the planes one behind another, least significant first. */
  u64 words[];
};

u32 binary_code_bytes(u32 dimensions);
u32 binary_query_bytes(u32 dimensions);

/** Dimensions that come out of a rotation. */
u32 rotated_count(u32 dimensions);
/** Rotates a vector in place: always the same way. */
void rotate(f32 *values, u32 dimensions);
/** Rotates the vector in the buffer, of `dimensions` floats with room for whole words. */
void rotate_vector(void);
/** Of a rotated vector. */
void encode_binary(const f32 *rotated, void *code);
void encode_binary_query(const f32 *rotated, struct binary_query *query);
/** A code as a query, with a larger error than that of a vector. */
void decode_binary_query(const void *code, struct binary_query *query);

void binary_distances(const struct binary_query *query, const void *const *codes, u32 count, f32 *out);

#endif
