/* SPDX-License-Identifier: MIT */
/* watchdog.h - the watchdogs.  We never start one; whoever did (option byte, application) is kept content.
 * W1  A watchdog that an option byte starts has its longest period while the bootloader runs, and the one of a reset when the
 *     application starts: by default 512 ms, less than an erase of a large sector.
 * W2  The period that an application chose is never changed. */
#ifndef SPB_WATCHDOG_H
#define SPB_WATCHDOG_H

#include <stdbool.h>

void spb_watchdog_feed(void);

/* W1: one of these for a watchdog that an option byte started; it is fed before. */
enum spb_watchdog_period { SPB_WATCHDOG_DEFAULT = 0, SPB_WATCHDOG_LONGEST = 6 };    /* values of IWDG_PR */
void spb_watchdog_period(enum spb_watchdog_period period);

/* One may bite although, or because, it is fed: the independent watchdog has a window, or the window watchdog runs. */
bool spb_watchdog_window(void);

#endif
