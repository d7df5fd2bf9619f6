/* SPDX-License-Identifier: MIT */
/* cortex.h - what we use of the core: system reset and SysTick.  DDI0403 (Armv7-M) B3. */
#ifndef SPB_CORTEX_H
#define SPB_CORTEX_H

#include <stdint.h>

__attribute__((noreturn)) void spb_cortex_reset(void);

/* SysTick counts cycles of the core, from SPB_CORTEX_COUNTS down to 0 and again. */
#define SPB_CORTEX_COUNTS 0xFFFFFFu
void spb_cortex_count_start(void);
void spb_cortex_count_stop(void);
uint32_t spb_cortex_count(void);

#endif
