/* SPDX-License-Identifier: MIT */
/* rcc_f7.c - what is special about the clocks of STM32F7 (IP rcc_f7).  RM0410 4.1.4 and 5.2, RM0385. */
#include "cache.h"
#include "clock_f4f7.h"
#include "reg.h"
#include "spb_chip.h"

#define ACR (FLASH_BASE + FLASH_ACR_OFF)

/* Scale 1 is what a reset leaves (RM0410 4.4.1). */
const struct spb_clock_limits spb_clock_limits = {
    .scale_1_above_hz = 0xFFFFFFFFu,
    .over_drive_above_hz = 180000000u,
    .apb1_hz = 45000000u,
    .apb1_over_drive_hz = 54000000u,
};

void spb_clock_flash_fast(uint32_t wait_states) {
    uint32_t acr = wait_states << FLASH_ACR_LATENCY_POS;
    reg_write(ACR, acr);
    while (reg_read(ACR) != acr) {}
    spb_cache_start();
}

void spb_clock_flash_slow(void) {
    spb_cache_stop();
    reg_write(ACR, 0);
}
