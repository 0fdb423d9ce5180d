/** Every bound that a caller can meet, in one place. */

export const DIMENSIONS_MAX = 65_536;
/** Of an id, in UTF-8 bytes. */
export const ID_BYTES_MAX = 512;
/** Of a collection's name, in UTF-8 bytes. */
export const NAME_BYTES_MAX = 512;
export const TOP_K_MAX = 10_000;
export const TOP_K_DEFAULT = 10;
/** Of vectors with codes of links: as in wasm/link-codes.h. */
export const LINK_CODES_DIMENSIONS_MAX = 4096;
/** Of `ef`, `efConstruction` and `efSearch`. */
export const EF_MAX = 65_536;
/** Of `m`. Two is the least with which a graph stays connected. */
export const M_MIN = 2;
export const M_MAX = 256;
/** How deep metadata may nest. Bounds recursion on hostile input. */
export const METADATA_DEPTH_MAX = 64;
/** How deep a filter may nest. Bounds recursion on hostile input. */
export const FILTER_DEPTH_MAX = 64;
/** Path segments of a filter that may be array indexes. Where objects in arrays have such keys as well, each can be
 *  taken in two ways: sixteen of them in 1,597 at the most. */
export const FILTER_INDEXES_MAX = 16;
/** One batch is one log frame and is held in memory whole. 256 MiB is 43,690 vectors of 1536 dimensions. */
export const BATCH_BYTES_MAX = 256 * 1024 * 1024;
/** A row number is a u32, and 0xffffffff means "no row". */
export const ROWS_MAX = 0xffff_fffe;
/** Violations of a schema that one error lists. */
export const SCHEMA_VIOLATIONS_MAX = 100;
