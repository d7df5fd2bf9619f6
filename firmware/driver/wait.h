/* SPDX-License-Identifier: MIT */
/* wait.h - waits of the bootloader that end, in milliseconds; the watchdog is fed meanwhile (wait.c). */
#ifndef SPB_WAIT_H
#define SPB_WAIT_H

#include <stdbool.h>
#include <stdint.h>

void spb_wait_ms(uint32_t ms);

/* Until the bits of a register under mask are as wanted; false when `ms` passed before. */
bool spb_wait(uint32_t address, uint32_t mask, uint32_t wanted, uint32_t ms);

#endif
