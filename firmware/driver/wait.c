/* SPDX-License-Identifier: MIT */
#include "wait.h"

#include "port.h"
#include "reg.h"
#include "spb_chip.h"
#include "tick.h"

bool spb_wait(uint32_t address, uint32_t mask, uint32_t wanted, uint32_t ms) {
    uint32_t start = spb_tick_ms();
    while ((reg_read(address) & mask) != wanted) {
        spb_port.alive();
        if (spb_tick_ms() - start > ms) return false; /* one more: a part of one has passed */
    }
    return true;
}

/* No bit is ever wanted to be 1 where the mask has none. */
void spb_wait_ms(uint32_t ms) { (void)spb_wait(RCC_BASE + RCC_CR_OFF, 0, 1, ms); }
