#ifndef ISOVEC_LINK_H
#define ISOVEC_LINK_H

/** Takes one doomed slot out of the graph (mend.c). */
void mend_doomed(void);

#endif
