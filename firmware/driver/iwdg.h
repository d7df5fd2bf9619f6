/* SPDX-License-Identifier: MIT */
/* iwdg.h - what of iwdg.c the IP versions do differently (iwdg_v1.c, iwdg_v2.c). */
#ifndef SPB_IWDG_H
#define SPB_IWDG_H

#include <stdbool.h>

/* To feed the independent watchdog may be too early. */
bool spb_iwdg_window(void);

#endif
