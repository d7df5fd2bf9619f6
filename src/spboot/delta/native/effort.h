/* SPDX-License-Identifier: MIT */
/* effort.h - how many possibilities a parse looks at. */
#ifndef SPB_EFFORT_H
#define SPB_EFFORT_H

#include "bits.h"

struct spb_effort {
    uint32_t old_long, old_short, new_long, new_short;  /* candidates of each kind, together at most SPB_FINDER_MOST */
    uint32_t tries;                                     /* places looked at for old_short */
    uint32_t enough;                                    /* so many long ones make short ones needless */
    uint32_t kept;                                      /* open copies */
    spb_bits hope;                                      /* that a copy may cost more than the best way and still win */
};

#endif
