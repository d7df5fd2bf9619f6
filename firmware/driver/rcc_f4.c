/* SPDX-License-Identifier: MIT */
/* rcc_f4.c - what is special about the clocks of STM32F4 (IP rcc_f4).  RM0090 5.1.3 and 3.5, RM0368, RM0383. */
#include "clock_f4f7.h"
#include "reg.h"
#include "spb_chip.h"

#define ACR (FLASH_BASE + FLASH_ACR_OFF)

#define DEVICE_F405 0x413u /* STM32F405 to F417: one bit of VOS, set by a reset (RM0090 5.4.1) */

/* Above 84 MHz the others must leave scale 2, which some have after a reset.  42 MHz on APB1 suits every part. */
const struct spb_clock_limits spb_clock_limits = {
    .scale_1_above_hz = SPB_DEVICE_ID == DEVICE_F405 ? 0xFFFFFFFFu : 84000000u,
    .over_drive_above_hz = 168000000u,
    .apb1_hz = 42000000u,
    .apb1_over_drive_hz = 45000000u,
};

void spb_clock_flash_fast(uint32_t wait_states) {
    uint32_t acr = wait_states << FLASH_ACR_LATENCY_POS | FLASH_ACR_ICEN | FLASH_ACR_DCEN;
    reg_write(ACR, acr);
    while (reg_read(ACR) != acr) {}
}

void spb_clock_flash_slow(void) {
    reg_write(ACR, 0);
    reg_write(ACR, FLASH_ACR_ICRST | FLASH_ACR_DCRST);
    reg_write(ACR, 0);
}
