/* SPDX-License-Identifier: MIT */
/* watchdog.h - the independent watchdog.  We never start it; whoever did (option byte, application) is kept content. */
#ifndef SPB_WATCHDOG_H
#define SPB_WATCHDOG_H

void spb_watchdog_feed(void);

#endif
