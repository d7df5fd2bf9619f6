/* SPDX-License-Identifier: MIT */
/* watchdog.h - IWDG: a reset, and so the version before while this one is on trial, when tasks do not run. */
#ifndef WATCHDOG_H
#define WATCHDOG_H

/* Two seconds, give or take the tolerance of LSI.  Nothing stops it again; it runs in Stop as well. */
void watchdog_start(void);
void watchdog_feed(void);

#endif
