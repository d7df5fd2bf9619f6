/* SPDX-License-Identifier: MIT */
/* cortex.h - what we use of the core: system reset and SysTick.  DDI0403 (Armv7-M) B3. */
#ifndef SPB_CORTEX_H
#define SPB_CORTEX_H

#include <stdint.h>

__attribute__((noreturn)) void spb_cortex_reset(void);

/* An exception every `cycles` of the CPU clock; 0 stops it and forgets one that is pending. */
void spb_cortex_systick(uint32_t cycles);

#endif
