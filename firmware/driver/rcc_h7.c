/* SPDX-License-Identifier: MIT */
/* rcc_h7.c - clocks of STM32H7 (IP rcc_h7): HSI 64 MHz through PLL1, core at SPB_CLOCK_HZ, all buses at their
 * limits or below.  RM0399 chapters 7 and 9, RM0433 chapters 6 and 8.  Drives PWR, too. */
#include "cache.h"
#include "clock.h"
#include "clock_steps.h"
#include "cortex.h"
#include "power.h"
#include "reg.h"
#include "spb_chip.h"

#define CR (RCC_BASE + RCC_CR_OFF)
#define CFGR (RCC_BASE + RCC_CFGR_OFF)
#define D1CFGR (RCC_BASE + RCC_D1CFGR_OFF)
#define D2CFGR (RCC_BASE + RCC_D2CFGR_OFF)
#define D3CFGR (RCC_BASE + RCC_D3CFGR_OFF)
#define PLLCKSELR (RCC_BASE + RCC_PLLCKSELR_OFF)
#define PLLCFGR (RCC_BASE + RCC_PLLCFGR_OFF)
#define PLLDIVR (RCC_BASE + RCC_PLLDIVR0_OFF)
#define RSR (RCC_BASE + RCC_RSR_OFF)
#define ACR (FLASH_BASE + FLASH_ACR_OFF)
#define D3CR (PWR_BASE + PWR_D3CR_OFF)

#define HSI_HZ 64000000u
#define INPUT_HZ 4000000u
#define INPUT_RANGE 2u /* 4 to 8 MHz */
#define DIVIDER (SPB_CLOCK_HZ >= 96000000u ? 2u : 4u)
#define PLL_N (SPB_CLOCK_HZ / INPUT_HZ * DIVIDER) /* VCO 192 .. 836 MHz: RM0399 9.7.15 */
#define SYSCLK_PLL 3u
#define HALF_AHB 8u /* HPRE: AXI and AHB at half the clock of the core */
#define HALF_APB 4u /* xPPRE */
#define AXI_HZ (SPB_CLOCK_HZ / 2u)

/* Voltage scale, and MHz of AXI for each wait state: RM0399 table 17 and 7.8.5. */
#define SCALE (SPB_CLOCK_HZ > 300000000u ? 3u : SPB_CLOCK_HZ > 200000000u ? 2u : 1u) /* VOS: 3 is scale 1 */
#define WAIT_STATE_HZ (SCALE == 3u ? 70000000u : SCALE == 2u ? 55000000u : 45000000u)
#define WAIT_STATES ((AXI_HZ - 1u) / WAIT_STATE_HZ)
#define DELAY (WAIT_STATES > 2u ? 2u : WAIT_STATES) /* WRHIGHFREQ; more than needed is safe */
#define LATENCY (WAIT_STATES << FLASH_ACR_LATENCY_POS | DELAY << FLASH_ACR_WRHIGHFREQ_POS)

/* After a reset: RM0399 9.7 and 4.9.1. */
#define PLLCKSELR_RESET 0x02020200u
#define PLLCFGR_RESET 0x01FF0000u
#define PLLDIVR_RESET 0x01010280u
#define SCALE_RESET 1u
#define LATENCY_RESET 0x37u

_Static_assert(SPB_CLOCK_HZ % INPUT_HZ == 0, "clock_hz is a multiple of 4 MHz");
_Static_assert(SPB_CLOCK_HZ >= 48000000u && SPB_CLOCK_HZ <= 400000000u, "clock_hz is 48 .. 400 MHz: RM0399 7.6.2");

static void set_scale(uint32_t scale) {
    reg_write(D3CR, scale << PWR_D3CR_VOS_POS);
    reg_wait(D3CR, PWR_D3CR_VOSRDY, PWR_D3CR_VOSRDY);
}

static void set_latency(uint32_t acr) {
    reg_write(ACR, acr);
    reg_wait(ACR, FLASH_ACR_LATENCY | FLASH_ACR_WRHIGHFREQ, acr);
}

static void set_prescalers(uint32_t ahb, uint32_t apb) {
    reg_write(D1CFGR, ahb << RCC_D1CFGR_HPRE_POS | apb << RCC_D1CFGR_D1PPRE_POS);
    reg_write(D2CFGR, apb << RCC_D2CFGR_D2PPRE1_POS | apb << RCC_D2CFGR_D2PPRE2_POS);
    reg_write(D3CFGR, apb << RCC_D3CFGR_D3PPRE_POS);
}

/* Domain 1, in which the core is, can sleep and wake alone: the clocks then run on as the application set them, and its DMA
 * and pins as well (RM0399 7.7).  A port that is clocked tells that no reset has come before. */
void spb_clock_start(void) {
    if (reg_read(RCC_BASE + SPB_PORTS_ENABLE_OFF) != 0) spb_cortex_reset();
    set_scale(SCALE);
    reg_write(PLLCKSELR, HSI_HZ / INPUT_HZ << RCC_PLLCKSELR_DIVM0_POS);
    reg_write(PLLCFGR, INPUT_RANGE << RCC_PLLCFGR_PLLRGE0_POS | RCC_PLLCFGR_DIVPEN0);
    reg_write(PLLDIVR, (PLL_N - 1u) << RCC_PLLDIVR0_PLLN_POS | (DIVIDER - 1u) << RCC_PLLDIVR0_PLLP_POS);
    spb_clock_on(RCC_CR_PLLON0, RCC_CR_PLLRDY0);
    set_latency(LATENCY);
    set_prescalers(HALF_AHB, HALF_APB);
    reg_write(CFGR, SYSCLK_PLL << RCC_CFGR_SW_POS);
    reg_wait(CFGR, RCC_CFGR_SWS, SYSCLK_PLL << RCC_CFGR_SWS_POS);
    spb_cache_start();
    spb_clock_enable();
    reg_wait(CR, RCC_CR_D2CKRDY, RCC_CR_D2CKRDY); /* the console is in domain 2, which may have slept (RM0399 9.5.8) */
}

/* The supply stays as it was chosen: PWR_CR3 can be written once (RM0399 7.8.4). */
void spb_clock_stop(void) {
    spb_clock_disable();
    spb_cache_stop();
    reg_write(CFGR, 0);
    reg_wait(CFGR, RCC_CFGR_SWS, 0);
    set_prescalers(0, 0);
    spb_clock_off(RCC_CR_PLLON0, RCC_CR_PLLRDY0);
    reg_write(PLLCKSELR, PLLCKSELR_RESET);
    reg_write(PLLCFGR, PLLCFGR_RESET);
    reg_write(PLLDIVR, PLLDIVR_RESET);
    set_latency(LATENCY_RESET);
    set_scale(SCALE_RESET);
}

uint32_t spb_clock_console_hz(void) { return AXI_HZ / 2u; }

/* Each core has its bit of the last four, the second next to the first. */
uint32_t spb_clock_reset_flags(void) {
    uint32_t rsr = reg_read(RSR);
    uint32_t flags = rsr >> 20 & 0x1Cu; /* pin, power, software */
    if (rsr & RCC_RSR_BORRSTF) flags |= 8u;
    if (rsr & RCC_RSR_SFTRSTF << 1) flags |= 16u;
    if (rsr & RCC_RSR_IWDG1RSTF * 3u) flags |= 32u;
    if (rsr & RCC_RSR_WWDG1RSTF * 3u) flags |= 64u;
    if (rsr & RCC_RSR_LPWRRSTF * 3u) flags |= 128u;
    return flags;
}

/* Of the system, or of domain 1 alone. */
bool spb_power_standby(void) { return (reg_read(PWR_BASE + PWR_CPUCR_OFF) & (PWR_CPUCR_SBF | PWR_CPUCR_SBF_D1)) != 0; }
