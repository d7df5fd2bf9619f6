/* SPDX-License-Identifier: MIT */
/* pwr_h7rm0399.c - supply of STM32H745, H747, H755 and H757 (IP pwr_h7rm0399): SMPS or LDO, as the board is wired.
 * RM0399 7.4.1 and 7.8.4. */
#include "power.h"

#include "reg.h"
#include "spb_chip.h"

#define CR3 (PWR_BASE + PWR_CR3_OFF)
#define CSR1 (PWR_BASE + PWR_CSR1_OFF)
#define SUPPLY (PWR_CR3_BYPASS | PWR_CR3_LDOEN | PWR_CR3_SDEN | PWR_CR3_SDEXTHP | PWR_CR3_SDLEVEL)

/* Only the first write after a power-on counts. */
__attribute__((used)) void spb_power_first(void) {
    reg_modify(CR3, SUPPLY, SPB_SUPPLY_SMPS ? PWR_CR3_SDEN : PWR_CR3_LDOEN);
    reg_wait(CSR1, PWR_CSR1_ACTVOSRDY, PWR_CSR1_ACTVOSRDY);
}
