/* SPDX-License-Identifier: MIT */
/* ram_wait.h - starts an operation of the flash and waits for it by code in RAM (ram_wait.c), for parts whose sectors take
 * longer to erase than a watchdog may wait. */
#ifndef SPB_RAM_WAIT_H
#define SPB_RAM_WAIT_H

#include <stdint.h>

/* Write value to the register at control; return when no bit of busy is set any more in the one at status. */
void spb_ram_wait(uint32_t control, uint32_t value, uint32_t status, uint32_t busy);

#endif
