/* SPDX-License-Identifier: MIT */
/* quiet.h - what Stop wants to know of the console, and the other way round. */
#ifndef QUIET_H
#define QUIET_H

#include <stdbool.h>

/* Whether nothing is under way in either direction and the reader was told of all that came.  Then a start bit ends Stop
 * from here on, until quiet_end is called. */
bool quiet(void);
void quiet_end(void);

#endif
