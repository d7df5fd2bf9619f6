/* SPDX-License-Identifier: MIT */
#include "patience.h"

#include "port.h"
#include "reg.h"

#define SYST_RVR 0xE000E014u
#define SYST_CVR 0xE000E018u

/* Of a look at the clock, also where SysTick stands still: then the end comes late, but it comes. */
#define FEWEST_CYCLES 8u

bool spb_patience(uint32_t address, uint32_t mask, uint32_t wanted, uint32_t cycles) {
    uint32_t before = reg_read(SYST_CVR);
    while ((reg_read(address) & mask) != wanted) {
        uint32_t now = reg_read(SYST_CVR), went = before - now;
        if (now > before) went += reg_read(SYST_RVR) + 1;
        before = now;
        went += FEWEST_CYCLES;
        if (cycles < went) return false;
        cycles -= went;
        spb_port.alive();
    }
    return true;
}
