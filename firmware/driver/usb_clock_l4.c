/* SPDX-License-Identifier: MIT */
/* usb_clock_l4.c - 48 MHz for the OTG core of STM32L4 and L4+: output Q of PLLSAI1, on the MSI, which the LSE keeps exact.
 * RM0351 6.2.3, 6.4.1, 6.4.5, 6.4.28, 5.1.4.  HSI48 is exact only with something to compare it with (CRS). */
#include "usb_clock.h"

#include <stdbool.h>

#include "clock_steps.h"
#include "reg.h"
#include "spb_chip.h"
#include "wait.h"

#define CR (RCC_BASE + RCC_CR_OFF)
#define BDCR (RCC_BASE + RCC_BDCR_OFF)
#define CCIPR (RCC_BASE + RCC_CCIPR_OFF)
#define SAI1 (RCC_BASE + RCC_PLLSAI1CFGR_OFF)
#define PWR_ENABLE (RCC_BASE + SPB_PWR_ENABLE_OFF)

#define SAI1_N 24u /* 4 MHz * 24 / 2 */
#define SAI1_RESET 0x00001000u /* RM0351 6.4.5 */
#define FROM_SAI1 1u /* CLK48SEL, RM0351 6.4.28 */
#define START_MS 5000u /* of the LSE: 2 s typically (DS10969 table 48) */

static bool ours __attribute__((section(".bootram"))); /* the LSE is, to switch off */

static bool running(void) { return (reg_read(CR) & RCC_CR_MSIPLLEN) != 0; }

static void lse_off(void) {
    if (ours) reg_clear(BDCR, RCC_BDCR_LSEON);
    reg_clear(PWR_BASE + PWR_CR1_OFF, PWR_CR1_DBP);
    reg_clear(PWR_BASE + PWR_CR2_OFF, PWR_CR2_USV);
    if (!SPB_NEEDS_VDDIO2) reg_clear(PWR_ENABLE, SPB_PWR_ENABLE);
}

enum spb_text spb_usb_clock_start(void) {
    if (running()) return SPB_TEXT_NONE;
    reg_set(PWR_ENABLE, SPB_PWR_ENABLE);
    (void)reg_read(PWR_ENABLE);
    reg_set(PWR_BASE + PWR_CR1_OFF, PWR_CR1_DBP);
    reg_set(PWR_BASE + PWR_CR2_OFF, PWR_CR2_USV);
    ours = (reg_read(BDCR) & RCC_BDCR_LSEON) == 0;
    if (ours) reg_set(BDCR, RCC_BDCR_LSEON);
    if (!spb_wait(BDCR, RCC_BDCR_LSERDY, RCC_BDCR_LSERDY, START_MS)) {
        lse_off();
        return TEXT("no USB: the oscillator of 32 kHz does not start");
    }
    reg_set(CR, RCC_CR_MSIPLLEN);
    reg_write(SAI1, SAI1_N << RCC_PLLSAI1CFGR_PLLN_POS | RCC_PLLSAI1CFGR_PLLQEN);
    spb_clock_on(RCC_CR_PLLSAI1ON, RCC_CR_PLLSAI1RDY);
    reg_modify(CCIPR, RCC_CCIPR_CLK48SEL, FROM_SAI1 << RCC_CCIPR_CLK48SEL_POS);
    return SPB_TEXT_NONE;
}

void spb_usb_clock_stop(void) {
    if (!running()) return;
    reg_clear(CCIPR, RCC_CCIPR_CLK48SEL);
    spb_clock_off(RCC_CR_PLLSAI1ON, RCC_CR_PLLSAI1RDY);
    reg_write(SAI1, SAI1_RESET);
    reg_clear(CR, RCC_CR_MSIPLLEN);
    lse_off();
}
