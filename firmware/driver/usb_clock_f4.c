/* SPDX-License-Identifier: MIT */
/* usb_clock_f4.c - 48 MHz for the OTG core of STM32F4: output Q of the PLL, which runs on the HSE for it.  RM0090 7.2.3, 7.3.2.
 * The PLL is changed with the core on HSI, at its wait states and dividers for the highest clock. */
#include "usb_clock.h"

#include <stdbool.h>

#include "clock_steps.h"
#include "reg.h"
#include "spb_chip.h"
#include "usart.h"
#include "wait.h"

#define CR (RCC_BASE + RCC_CR_OFF)
#define PLLCFGR (RCC_BASE + RCC_PLLCFGR_OFF)

#define INPUT_HZ 2000000u /* of the PLL, as clock_f4f7.c has it */
#define USB_HZ 48000000u
#define SYSCLK_HSI 0u
#define SYSCLK_PLL 2u
#define START_MS 100u /* of a crystal, many times what one takes */

_Static_assert(SPB_CLOCK_HZ % 24000000u == 0, "clock_hz is a multiple of 24 MHz on boards with USB: 48 MHz come from the same PLL");
_Static_assert(SPB_CLOCK_HZ <= 168000000u, "clock_hz is at most 168 MHz on boards with USB");
_Static_assert(SPB_HSE_HZ >= 2 * INPUT_HZ && SPB_HSE_HZ % INPUT_HZ == 0, "usb.hse_hz is a multiple of 2 MHz, 4 at least");

static uint32_t before __attribute__((section(".bootram"))); /* what the PLL was */

static bool running(void) { return (reg_read(PLLCFGR) & RCC_PLLCFGR_PLLSRC) != 0; }

static void run_on(uint32_t pll) {
    spb_usart_drain();
    spb_clock_switch(SYSCLK_HSI);
    spb_clock_off(RCC_CR_PLLON, RCC_CR_PLLRDY);
    reg_write(PLLCFGR, pll);
    spb_clock_on(RCC_CR_PLLON, RCC_CR_PLLRDY);
    spb_clock_switch(SYSCLK_PLL);
}

static void hse_off(void) { reg_clear(CR, RCC_CR_HSEON | RCC_CR_HSEBYP); }

enum spb_text spb_usb_clock_start(void) {
    if (running()) return SPB_TEXT_NONE;
    if (SPB_HSE_BYPASS) reg_set(CR, RCC_CR_HSEBYP);
    reg_set(CR, RCC_CR_HSEON);
    if (!spb_wait(CR, RCC_CR_HSERDY, RCC_CR_HSERDY, START_MS)) {
        hse_off();
        return TEXT("no USB: the oscillator at OSC_IN does not start");
    }
    before = reg_read(PLLCFGR);
    uint32_t n = (before & RCC_PLLCFGR_PLLN) >> RCC_PLLCFGR_PLLN_POS;
    run_on((before & ~(RCC_PLLCFGR_PLLM | RCC_PLLCFGR_PLLQ)) | RCC_PLLCFGR_PLLSRC |
           SPB_HSE_HZ / INPUT_HZ << RCC_PLLCFGR_PLLM_POS | n / (USB_HZ / INPUT_HZ) << RCC_PLLCFGR_PLLQ_POS);
    return SPB_TEXT_NONE;
}

void spb_usb_clock_stop(void) {
    if (!running()) return;
    run_on(before);
    hse_off();
}
