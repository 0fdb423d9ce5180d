#ifndef ISOVEC_LINK_H
#define ISOVEC_LINK_H

#include "platform.h"

/* link.c */

/** Level l or above with probability m^-l. */
u32 draw_level(void);

/** Gives a slot empty lists on level 0 and all levels up to its own. */
void make_lists(u32 slot, u32 level);

/** A slot stops following an out-link. What stays is an in-link, if the other side follows it, or nothing. */
void stop_following(u32 slot, u32 other, u32 level);

/** Mends what is to be mended, in up to `count` steps. @return how many */
u32 mend(u32 count);

/* mend.c */

/** Takes one doomed slot out of the graph. */
void mend_doomed(void);

/** The same without mending, when every slot of the graph is doomed. */
void forget_doomed(void);

#endif
