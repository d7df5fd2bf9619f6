/* SPDX-License-Identifier: MIT */
/* rcc_l4.c - clocks of STM32L4, L4+ and L5 (IP rcc_l4, rcc_l4plus, rcc_l5): MSI 4 MHz through the PLL.  RM0351 chapter 6,
 * RM0432 chapter 6, RM0438 chapter 9. */
#include "clock.h"
#include "clock_steps.h"
#include "power.h"
#include "reg.h"
#include "spb_chip.h"

#define CR (RCC_BASE + RCC_CR_OFF)
#define PLLCFGR (RCC_BASE + RCC_PLLCFGR_OFF)
#define CSR (RCC_BASE + RCC_CSR_OFF)

#define MSI_HZ 4000000u
#define PLL_N (SPB_CLOCK_HZ / (MSI_HZ / 2)) /* PLLR = 2, PLLM = 1 */
#define SOURCE_MSI 1u                       /* PLLSRC, RM0351 6.4.4 */
#define SYSCLK_PLL 3u                       /* SW, RM0351 6.4.3 */
#define WAIT_STATES (SPB_CLOCK_HZ > 100000000u ? 5u : 4u) /* up to 80 MHz on L4, 100 on L4+ and L5: RM0351 3.3.3 */
#define PLLCFGR_RESET 0x00001000u           /* RM0351 6.4.4 */

_Static_assert(SPB_CLOCK_HZ % (MSI_HZ / 2) == 0, "clock_hz is a multiple of 2 MHz");
_Static_assert(PLL_N * MSI_HZ >= 64000000u && SPB_CLOCK_HZ <= SPB_CLOCK_MAX_HZ, "clock_hz is 32 .. 80 MHz (L5: 110)");

/* After Standby MSI runs at RCC_CSR.MSISRANGE, 1 to 8 MHz, until MSIRGSEL makes it the range of CR, which is 4 MHz after
 * every reset and stays selected until the next one (RM0351 6.4.1, 6.4.29). */
void spb_clock_start(void) {
    spb_power_start();
    spb_clock_on(RCC_CR_MSIRGSEL, RCC_CR_MSIRDY);
    spb_clock_latency(WAIT_STATES << FLASH_ACR_LATENCY_POS);
    reg_write(PLLCFGR, SOURCE_MSI << RCC_PLLCFGR_PLLSRC_POS | PLL_N << RCC_PLLCFGR_PLLN_POS | RCC_PLLCFGR_PLLREN);
    spb_clock_on(RCC_CR_PLLON, RCC_CR_PLLRDY);
    spb_clock_switch(SYSCLK_PLL);
    spb_clock_enable();
}

void spb_clock_stop(void) {
    spb_clock_disable();
    spb_clock_switch(0);
    spb_clock_off(RCC_CR_PLLON, RCC_CR_PLLRDY);
    reg_write(PLLCFGR, PLLCFGR_RESET);
    spb_clock_latency(0);
    spb_power_stop();
}

uint32_t spb_clock_console_hz(void) { return SPB_CLOCK_HZ; }

uint32_t spb_clock_reset_flags(void) { return reg_read(CSR) >> 24; }
