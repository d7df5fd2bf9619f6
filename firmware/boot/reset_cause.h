/* SPDX-License-Identifier: MIT */
/* reset_cause.h - why the chip starts, in words. */
#ifndef SPB_RESET_CAUSE_H
#define SPB_RESET_CAUSE_H

#define SPB_RESET_CAUSES 88u

/* The names of all reset flags that are set, or that the chip woke from Standby.  text has SPB_RESET_CAUSES bytes. */
const char *spb_reset_causes(char *text);

#endif
