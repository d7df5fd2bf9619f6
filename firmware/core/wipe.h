/* SPDX-License-Identifier: MIT */
/* wipe.h - zero memory that held a secret, in a way no compiler drops. */
#ifndef SPB_WIPE_H
#define SPB_WIPE_H

#include <stdint.h>

static inline void spb_wipe(void *data, uint32_t len) {
    volatile uint8_t *p = data;
    while (len--) *p++ = 0;
}

#endif
