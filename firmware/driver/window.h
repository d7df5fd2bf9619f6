/* SPDX-License-Identifier: MIT */
/* window.h - keeps a Cortex-M7 from reading ahead in the window of external flash (window_m7.c).  Other cores do not. */
#ifndef SPB_WINDOW_H
#define SPB_WINDOW_H

#include <stdbool.h>

#include "spb_chip.h"

#if SPB_DATA_CACHE

/* Of the bootloader: what the chips have may be read, nothing else of the window.  And as after a reset. */
void spb_window_start(void);
void spb_window_stop(void);

/* No MPU is on: the two above take nothing from an application. */
bool spb_window_free(void);

/* Nothing of the window may be read; false: the MPU cannot be had.  And back to what was before. */
bool spb_window_close(void);
void spb_window_open(void);

#else

static inline void spb_window_start(void) {}
static inline void spb_window_stop(void) {}
static inline bool spb_window_free(void) { return true; }
static inline bool spb_window_close(void) { return true; }
static inline void spb_window_open(void) {}

#endif

#endif
