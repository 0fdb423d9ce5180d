#ifndef ISOVEC_LINK_H
#define ISOVEC_LINK_H

#include "platform.h"

/* mend.c */

/** Takes one doomed slot out of the graph. */
void mend_doomed(void);

/** The same without mending, when every slot of the graph is doomed. */
void forget_doomed(void);

#endif
