/* SPDX-License-Identifier: MIT */
/* clock_f4f7.c - clocks of STM32F4 and STM32F7 (IP rcc_f4, rcc_f7): HSI 16 MHz through the PLL.  RM0090 chapters 5 to 7,
 * RM0410 chapters 4 and 5.  Drives PWR, too: over-drive is entered with the PLL half way up. */
#include "clock_f4f7.h"

#include <stdbool.h>

#include "clock.h"
#include "clock_steps.h"
#include "power.h"
#include "reg.h"
#include "spb_chip.h"

#define CR (RCC_BASE + RCC_CR_OFF)
#define CFGR (RCC_BASE + RCC_CFGR_OFF)
#define PLLCFGR (RCC_BASE + RCC_PLLCFGR_OFF)
#define CSR (RCC_BASE + RCC_CSR_OFF)
#define APB1ENR (RCC_BASE + RCC_APB1ENR_OFF)
#define APB1RSTR (RCC_BASE + RCC_APB1RSTR_OFF)
#define PWR_CR (PWR_BASE + PWR_CR1_OFF)
#define PWR_CSR (PWR_BASE + PWR_CSR1_OFF)

#define HSI_HZ 16000000u
#define INPUT_HZ 2000000u /* of the PLL: the least jitter, RM0090 7.3.2 */
#define VCO_LEAST_HZ 192000000u
#define DIVIDER (SPB_CLOCK_HZ * 2u >= VCO_LEAST_HZ ? 2u : SPB_CLOCK_HZ * 4u >= VCO_LEAST_HZ ? 4u : 8u)
#define PLL_N (SPB_CLOCK_HZ / INPUT_HZ * DIVIDER)
#define PLL_Q 9u /* its output is not used; 432 / 9 = 48 MHz is allowed for every VCO */
#define PLL_R 2u /* reset value, where there is one */
#define PLLCFGR_RESET 0x24003010u
#define SYSCLK_PLL 2u

/* Each wait state carries 30 MHz at 2.7 V and above, less below: RM0090 table 11, RM0410 table 7. */
#define WAIT_STATE_HZ \
    (SPB_VDD_MV >= 2700u ? 30000000u : SPB_VDD_MV >= 2400u ? 24000000u : SPB_VDD_MV >= 2100u ? 22000000u : 20000000u)
#define WAIT_STATES ((SPB_CLOCK_HZ - 1u) / WAIT_STATE_HZ)

_Static_assert(SPB_CLOCK_HZ % INPUT_HZ == 0, "clock_hz is a multiple of 2 MHz");
_Static_assert(SPB_CLOCK_HZ >= 24000000u && SPB_CLOCK_HZ <= 216000000u, "clock_hz is 24 .. 216 MHz: RM0410 5.3.2");

static bool over_drive(void) { return SPB_CLOCK_HZ > spb_clock_limits.over_drive_above_hz; }

static bool raise_voltage(void) { return SPB_CLOCK_HZ > spb_clock_limits.scale_1_above_hz; }

static uint32_t apb1_hz(void) { return over_drive() ? spb_clock_limits.apb1_over_drive_hz : spb_clock_limits.apb1_hz; }

/* A constant wherever it is used. */
#define CONSTANT static inline __attribute__((always_inline)) uint32_t

/* By how many bits the clock of APB 1 or 2 is divided. */
CONSTANT shift(uint32_t bus) {
    uint32_t hz = apb1_hz() * bus;
    return SPB_CLOCK_HZ <= hz ? 0u : SPB_CLOCK_HZ <= 2u * hz ? 1u : 2u;
}

CONSTANT prescaler(uint32_t bus) { return shift(bus) == 0 ? 0 : 3 + shift(bus); }

/* RM0090 5.1.4: while the core still runs on HSI, and the PLL is on. */
static void enter_over_drive(void) {
    reg_set(PWR_CR, PWR_CR1_ODEN);
    reg_wait(PWR_CSR, PWR_CSR1_ODRDY, PWR_CSR1_ODRDY);
    reg_set(PWR_CR, PWR_CR1_ODSWEN);
    reg_wait(PWR_CSR, PWR_CSR1_ODSWRDY, PWR_CSR1_ODSWRDY);
}

void spb_clock_start(void) {
    reg_set(APB1ENR, RCC_APB1ENR_PWREN);
    (void)reg_read(APB1ENR);
    if (raise_voltage()) reg_set(PWR_CR, PWR_CR1_VOS);
    reg_write(PLLCFGR, HSI_HZ / INPUT_HZ << RCC_PLLCFGR_PLLM_POS | PLL_N << RCC_PLLCFGR_PLLN_POS |
                           (DIVIDER / 2u - 1u) << RCC_PLLCFGR_PLLP_POS | PLL_Q << RCC_PLLCFGR_PLLQ_POS |
                           PLL_R << RCC_PLLCFGR_PLLR_POS);
    reg_set(CR, RCC_CR_PLLON);
    if (over_drive()) enter_over_drive();
    spb_clock_flash_fast(WAIT_STATES);
    reg_write(CFGR, prescaler(1) << RCC_CFGR_PPRE1_POS | prescaler(2) << RCC_CFGR_PPRE2_POS);
    reg_wait(CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY);
    spb_clock_switch(SYSCLK_PLL);
    spb_clock_enable();
}

/* Over-drive is left on HSI and with the PLL still on (RM0090 5.1.4); the reset of PWR does the rest. */
void spb_clock_stop(void) {
    spb_clock_disable();
    spb_clock_switch(0);
    reg_write(CFGR, 0);
    if (over_drive()) {
        reg_clear(PWR_CR, PWR_CR1_ODEN | PWR_CR1_ODSWEN);
        reg_wait(PWR_CSR, PWR_CSR1_ODSWRDY, 0);
    }
    spb_clock_off(RCC_CR_PLLON, RCC_CR_PLLRDY);
    reg_write(PLLCFGR, PLLCFGR_RESET);
    reg_pulse(APB1RSTR, RCC_APB1RSTR_PWRRST);
    reg_clear(APB1ENR, RCC_APB1ENR_PWREN);
    spb_clock_flash_slow();
}

uint32_t spb_clock_console_hz(void) {
    return SPB_CLOCK_HZ >> shift(SPB_CONSOLE_ENABLE_OFF == RCC_APB1ENR_OFF ? 1 : 2);
}

/* Bit 25 is the brown-out reset, which a power-on sets as well (RM0090 7.3.21); bit 24 reads as zero. */
uint32_t spb_clock_reset_flags(void) {
    uint32_t flags = reg_read(CSR);
    return flags >> 26 << 2 | (flags & RCC_CSR_BORRSTF) >> 22;
}

/* PWR is clocked from spb_clock_start() to spb_clock_stop(). */
bool spb_power_standby(void) { return (reg_read(PWR_CSR) & PWR_CSR1_SBF) != 0; }
