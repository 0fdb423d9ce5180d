#ifndef ISOVEC_ARRANGE_H
#define ISOVEC_ARRANGE_H

#include "platform.h"

/** Of how many pending slots one behind another it pays to put the vectors in order. Tests take fewer. */
#ifndef ARRANGED_MIN
#define ARRANGED_MIN 2048u
#endif

/** One slice of putting what is pending in order, if there is enough of it, in place of `steps` of linking.
 *  @return whether there is more of that to do first */
int arrange(u32 steps);

/** A slot is no longer pending. */
void arrangement_lose(u32 slot);

void arrangement_reset(void);

#endif
