/* SPDX-License-Identifier: MIT */
/* line.h - a serial line with time, as the loader and the console need it. */
#ifndef SPB_LINE_H
#define SPB_LINE_H

#include <stdint.h>

#define SPB_LINE_NOTHING (-1)

struct spb_line {
    /* Send one byte; waits until there is room. */
    void (*put)(uint8_t byte);
    /* The next byte, or SPB_LINE_NOTHING after timeout_ms without one.  Feeds the watchdog while it waits. */
    int (*get)(uint32_t timeout_ms);
    /* Milliseconds since the start; wraps. */
    uint32_t (*now_ms)(void);
};

#endif
