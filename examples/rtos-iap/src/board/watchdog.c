/* SPDX-License-Identifier: MIT */
/* RM0351 chapter 36.  The bootloader feeds it at its work, in SE_PATCH_Data as well; the window stays open. */
#include "watchdog.h"

#include "board.h"

#define IWDG 0x40003000u
#define KR REG(IWDG + 0x00u)
#define PR REG(IWDG + 0x04u)
#define RLR REG(IWDG + 0x08u)
#define SR REG(IWDG + 0x0Cu)
#define BY_64 4u
#define PERIODS 1000u           /* of 2 ms */

void watchdog_start(void) {
    KR = 0xCCCCu;
    KR = 0x5555u;
    PR = BY_64;
    RLR = PERIODS;
    while (SR != 0) {}
    watchdog_feed();
}

void watchdog_feed(void) { KR = 0xAAAAu; }
