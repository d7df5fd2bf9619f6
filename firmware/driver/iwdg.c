/* SPDX-License-Identifier: MIT */
/* iwdg.c - both watchdogs: the independent one, whose versions differ by its window (iwdg_v1.c, iwdg_v2.c), RM0351 chapter
 * 37 and RM0090 chapter 21; of the window watchdog only whether it runs, RM0351 chapter 38. */
#include "iwdg.h"

#include "internal_flash.h"
#include "reg.h"
#include "spb_chip.h"
#include "watchdog.h"

#define KR (IWDG_BASE + IWDG_KR_OFF)
#define PR (IWDG_BASE + IWDG_PR_OFF)
#define SR (IWDG_BASE + IWDG_SR_OFF)

#define KEY_ACCESS 0x5555u
#define KEY_RELOAD 0xAAAAu

void spb_watchdog_feed(void) { reg_write(KR, KEY_RELOAD); }

/* LONGEST is 256 cycles of the LSI a count, and a reset leaves 4096 counts: 22 s at least.  An update takes five cycles of
 * the LSI, which runs wherever an option byte started the watchdog; the next one, which may be the application's, has to wait
 * for it (37.4.4). */
void spb_watchdog_period(enum spb_watchdog_period period) {
    spb_watchdog_feed();
    if (!spb_flash_starts_watchdog()) return;
    reg_write(KR, KEY_ACCESS);
    reg_write(PR, (uint32_t)period);
    reg_wait(SR, IWDG_SR_PVU, 0);
}

/* It is clocked by the application that starts it, and can be read only then. */
static bool window_watchdog(void) {
    return (reg_read(RCC_BASE + SPB_WWDG_ENABLE_OFF) & SPB_WWDG_ENABLE) != 0 &&
           (reg_read(WWDG_BASE + WWDG_CR_OFF) & WWDG_CR_WDGA) != 0;
}

bool spb_watchdog_window(void) { return spb_iwdg_window() || window_watchdog(); }
