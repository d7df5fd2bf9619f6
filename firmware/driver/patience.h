/* SPDX-License-Identifier: MIT */
/* patience.h - waits that end, by SysTick: it is only read, as it may be the application's. */
#ifndef SPB_PATIENCE_H
#define SPB_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "spb_chip.h"

/* Of time in cycles of the core, at the highest clock it may have, and twice: what looks at the time takes cycles, too. */
#define SPB_PATIENCE_US(us) (2u * (us) * (SPB_CLOCK_MAX_HZ / 1000000u))
#define SPB_PATIENCE_LONGEST SPB_PATIENCE_US(SPB_EXTERNAL_LONGEST_MS * 1000u)

_Static_assert(SPB_EXTERNAL_LONGEST_MS < 4000000u / 2u / (SPB_CLOCK_MAX_HZ / 1000000u), "the cycles of the longest wait in 32 bits");

/* Until the bits of a register under mask are as wanted; false when `cycles` went by before.  The watchdog is fed. */
bool spb_patience(uint32_t address, uint32_t mask, uint32_t wanted, uint32_t cycles);

#endif
