/** What a batch needs of threads. */
#ifndef THREADS_H
#define THREADS_H

#include "platform.h"

/** There are tasks: helpers wake. */
void threads_wake(void);
/** Who waits for a change of this word wakes. */
void threads_tell(u32 *word);
/** Until all tasks of a step have been done. */
void threads_wait_for_step(void);
/** @return the bytes that helpers have yet to take, with so many slots and so many of them pending */
u64 threads_bytes(u32 slots, u64 pending);
/** @return whether there is memory for all that helpers may walk over */
int threads_reserve(void);

#endif
