/* SPDX-License-Identifier: MIT */
/* usb_clock_h7.c - 48 MHz for an OTG core of STM32H7: output Q of PLL3, on the HSE; and the supply of its transceiver.
 * RM0399 7.8.4, 9.5.5, 9.7.  HSI48 is exact only with something to compare it with (CRS).  The PLLs share their source, so that
 * PLL1 runs on the HSE as well meanwhile; it is changed with the core on HSI, at its wait states and dividers for the highest
 * clock. */
#include "usb_clock.h"

#include <stdbool.h>

#include "clock_steps.h"
#include "reg.h"
#include "spb_chip.h"
#include "usart.h"
#include "wait.h"

#define CR (RCC_BASE + RCC_CR_OFF)
#define PLLCKSELR (RCC_BASE + RCC_PLLCKSELR_OFF)
#define PLLCFGR (RCC_BASE + RCC_PLLCFGR_OFF)
#define PLLDIVR (RCC_BASE + RCC_PLLDIVR0_OFF)
#define PLL3DIVR (RCC_BASE + RCC_PLLDIVR2_OFF)
#define CCIPR (RCC_BASE + RCC_D2CCIP2R_OFF)
#define CR3 (PWR_BASE + PWR_CR3_OFF)

/* Of PLL1, as rcc_h7.c has it. */
#define HSI_HZ 64000000u
#define HSI_INPUT_HZ 4000000u
#define VCO_1_HZ (SPB_CLOCK_HZ * (SPB_CLOCK_HZ >= 96000000u ? 2u : 4u))

#define INPUT_HZ (SPB_HSE_HZ % HSI_INPUT_HZ == 0 ? HSI_INPUT_HZ : 5000000u) /* of both, on the HSE */
#define INPUT_RANGE 2u /* 4 to 8 MHz */
#define VCO_3_HZ 240000000u
#define USB_HZ 48000000u
#define PLL3DIVR_RESET 0x01010280u
#define SOURCE_HSE 2u
#define SYSCLK_HSI 0u
#define SYSCLK_PLL 3u
#define FROM_PLL3 2u /* USBSEL */
#define START_MS 100u /* of a crystal, many times what one takes */
#define SUPPLY_MS 10u /* of the detector of VDD33USB */

#define M (SPB_HSE_HZ / INPUT_HZ)
#define ON_HSE (SOURCE_HSE << RCC_PLLCKSELR_PLLSRC_POS | M << RCC_PLLCKSELR_DIVM0_POS | M << RCC_PLLCKSELR_DIVM2_POS)
#define ON_HSI (HSI_HZ / HSI_INPUT_HZ << RCC_PLLCKSELR_DIVM0_POS)
#define PLL3 (INPUT_RANGE << RCC_PLLCFGR_PLLRGE2_POS | RCC_PLLCFGR_DIVQEN2)

_Static_assert(SPB_HSE_HZ >= INPUT_HZ && SPB_HSE_HZ % INPUT_HZ == 0, "usb.hse_hz is a multiple of 4 or 5 MHz");
_Static_assert(VCO_1_HZ % INPUT_HZ == 0, "clock_hz fits usb.hse_hz: twice of it is a multiple of 4 or 5 MHz, as that is");

static bool running(void) { return (reg_read(PLLCKSELR) & RCC_PLLCKSELR_PLLSRC) == SOURCE_HSE << RCC_PLLCKSELR_PLLSRC_POS; }

/* n: the factor of PLL1, for the input that it has from there. */
static void run_on(uint32_t sources, uint32_t n) {
    spb_usart_drain();
    spb_clock_switch(SYSCLK_HSI);
    spb_clock_off(RCC_CR_PLLON0, RCC_CR_PLLRDY0);
    reg_write(PLLCKSELR, sources);
    reg_modify(PLLDIVR, RCC_PLLDIVR0_PLLN, n - 1u);
    spb_clock_on(RCC_CR_PLLON0, RCC_CR_PLLRDY0);
    spb_clock_switch(SYSCLK_PLL);
}

static void oscillator_off(void) {
    reg_clear(CR, RCC_CR_HSEON | RCC_CR_HSEBYP);
    reg_clear(CR3, PWR_CR3_USB33DEN);
}

enum spb_text spb_usb_clock_start(void) {
    if (running()) return SPB_TEXT_NONE;
    reg_set(CR3, PWR_CR3_USB33DEN);
    if (SPB_HSE_BYPASS) reg_set(CR, RCC_CR_HSEBYP);
    reg_set(CR, RCC_CR_HSEON);
    enum spb_text trouble = SPB_TEXT_NONE;
    if (!spb_wait(CR, RCC_CR_HSERDY, RCC_CR_HSERDY, START_MS)) {
        trouble = TEXT("no USB: the oscillator at OSC_IN does not start");
    } else if (!spb_wait(CR3, PWR_CR3_USB33RDY, PWR_CR3_USB33RDY, SUPPLY_MS)) {
        trouble = TEXT("no USB: there is no voltage at VDD33USB");
    }
    if (trouble != SPB_TEXT_NONE) {
        oscillator_off();
        return trouble;
    }
    reg_set(PLLCFGR, PLL3);
    reg_write(PLL3DIVR, (VCO_3_HZ / INPUT_HZ - 1u) << RCC_PLLDIVR2_PLLN_POS | (VCO_3_HZ / USB_HZ - 1u) << RCC_PLLDIVR2_PLLQ_POS);
    run_on(ON_HSE, VCO_1_HZ / INPUT_HZ);
    spb_clock_on(RCC_CR_PLLON2, RCC_CR_PLLRDY2);
    reg_modify(CCIPR, RCC_D2CCIP2R_USBSEL, FROM_PLL3 << RCC_D2CCIP2R_USBSEL_POS);
    return SPB_TEXT_NONE;
}

void spb_usb_clock_stop(void) {
    if (!running()) return;
    reg_clear(CCIPR, RCC_D2CCIP2R_USBSEL);
    spb_clock_off(RCC_CR_PLLON2, RCC_CR_PLLRDY2);
    reg_write(PLL3DIVR, PLL3DIVR_RESET);
    reg_clear(PLLCFGR, PLL3);
    run_on(ON_HSI, VCO_1_HZ / HSI_INPUT_HZ);
    oscillator_off();
}
