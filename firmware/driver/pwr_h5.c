/* SPDX-License-Identifier: MIT */
/* pwr_h5.c - power of STM32H5 (IP pwr_h5).  RM0481 chapter 10.
 * Scale 3, the one after a reset, carries 100 MHz, scales 2, 1 and 0 carry 150, 200 and 250 MHz.  LDO or SMPS is a matter of
 * the package: SCCR is left alone.  PWR has its clock always. */
#include "power.h"
#include "reg.h"
#include "spb_chip.h"

#define VOSCR (PWR_BASE + PWR_VOSCR_OFF)
#define VOSSR (PWR_BASE + PWR_VOSSR_OFF)

#define SCALE_0 3u /* VOS */
#define SCALE_3 0u

static void set_scale(uint32_t scale) {
    reg_write(VOSCR, scale << PWR_VOSCR_VOS_POS);
    reg_wait(VOSSR, PWR_VOSSR_VOSRDY | PWR_VOSSR_ACTVOSRDY, PWR_VOSSR_VOSRDY | PWR_VOSSR_ACTVOSRDY);
    reg_wait(VOSSR, PWR_VOSSR_ACTVOS, scale << PWR_VOSSR_ACTVOS_POS);
}

void spb_power_start(void) { set_scale(SCALE_0); }

void spb_power_stop(void) { set_scale(SCALE_3); }

bool spb_power_standby(void) { return (reg_read(PWR_BASE + PWR_PMSR_OFF) & PWR_PMSR_SBF) != 0; }
