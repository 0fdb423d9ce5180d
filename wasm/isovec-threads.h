/**
 * isovec-threads.h: what the kernel for several threads exports besides isovec.h.
 *
 * One thread owns the index; it alone calls what stands in isovec.h. Helpers instantiate the same module on the same
 * memory, each with a stack and thread-local storage of its own, and take part in linking. They only read the graph, so
 * the owner can search, add and remove meanwhile; and what the graph becomes is the same with helpers and without.
 */
#ifndef ISOVEC_THREADS_H
#define ISOVEC_THREADS_H

#include "isovec.h"

/** For the owner: makes room for a helper. May grow. @param helper 1 .. 15; the same may be used again when that one is no
 *  more. @return the address of isovec_helper_stack_bytes() of stack, and behind it of its thread-local storage;
 *  0 when there is no memory */
EXPORT address isovec_helper_prepare(u32 helper);
EXPORT u32 isovec_helper_stack_bytes(void);

/** For the owner: isovec_pages_for is to count what so many helpers will take, where more slots than that will be pending.
 *  @return 0 */
EXPORT i32 isovec_helpers_expect(u32 helpers, u32 pending);

/** For a helper: takes part until there has been nothing to do for so long, or helpers are dismissed.
 *  @param helper as it was prepared */
EXPORT void isovec_help(u32 helper, u32 patience_ms);

/** For the owner: ends what helpers do, at the next task; or lets them begin again. @return 0 */
EXPORT i32 isovec_helpers_dismiss(u32 is_dismissed);

/** For the owner: as isovec_link, but with helpers at work on up to 128 slots between one call and the next.
 *  Does `count` tasks of these, or, when that is 0, none, and leaves them to helpers; when none is left to begin, waits for others up to a millisecond.
 *  @return how many slots have been linked or mended by now; ISOVEC_NO_MEMORY. 0: call again */
EXPORT i32 isovec_link_along(u32 count);

/** For the owner: all helpers are no more. Does again what they have left. @return 0 */
EXPORT i32 isovec_helpers_lost(void);

#endif
