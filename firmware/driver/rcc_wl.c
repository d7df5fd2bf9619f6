/* SPDX-License-Identifier: MIT */
/* rcc_wl.c - clocks of STM32WL (IP rcc_wl5, rcc_wle): MSI, no PLL.  RM0453 chapter 7, RM0461 chapter 6. */
#include "clock.h"
#include "clock_steps.h"
#include "power.h"
#include "reg.h"
#include "spb_chip.h"

#define CR (RCC_BASE + RCC_CR_OFF)
#define CSR (RCC_BASE + RCC_CSR_OFF)

/* MSIRANGE: 8 is 16 MHz, then 24, 32, 48 (RM0453 7.4.1). */
#define MSI_RANGE \
    (SPB_CLOCK_HZ == 16000000u ? 8u : SPB_CLOCK_HZ == 24000000u ? 9u : SPB_CLOCK_HZ == 32000000u ? 10u : 11u)
#define MSI_RANGE_RESET 6u
#define WAIT_STATES 2u /* 36 < HCLK3 <= 48 MHz in range 1: RM0453 4.3.4 */

_Static_assert(SPB_CLOCK_HZ == 16000000u || SPB_CLOCK_HZ == 24000000u || SPB_CLOCK_HZ == 32000000u ||
                   SPB_CLOCK_HZ == 48000000u,
               "clock_hz is 16, 24, 32 or 48 MHz");

static void set_range(uint32_t range) {
    reg_wait(CR, RCC_CR_MSIRDY, RCC_CR_MSIRDY);
    reg_modify(CR, RCC_CR_MSIRANGE, range << RCC_CR_MSIRANGE_POS | RCC_CR_MSIRGSEL);
    reg_wait(CR, RCC_CR_MSIRDY, RCC_CR_MSIRDY);
}

void spb_clock_start(void) {
    spb_power_start();
    spb_clock_latency(WAIT_STATES << FLASH_ACR_LATENCY_POS);
    set_range(MSI_RANGE);
    spb_clock_enable();
}

/* MSIRGSEL, once set, stays until a reset (RM0453 7.4.1); the range it selects is the one after reset. */
void spb_clock_stop(void) {
    spb_clock_disable();
    set_range(MSI_RANGE_RESET);
    spb_clock_latency(0);
    spb_power_stop();
}

uint32_t spb_clock_console_hz(void) { return SPB_CLOCK_HZ; }

uint32_t spb_clock_reset_flags(void) { return reg_read(CSR) >> 24; }
