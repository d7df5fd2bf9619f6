/* SPDX-License-Identifier: MIT */
/* pwr_h7rm0433.c - supply of STM32H742, H743, H750 and H753 (IP pwr_h7rm0433): the LDO.  RM0433 6.4.1 and 6.8.4. */
#include "power.h"

#include "reg.h"
#include "spb_chip.h"

#define CR3 (PWR_BASE + PWR_CR3_OFF)
#define CSR1 (PWR_BASE + PWR_CSR1_OFF)

/* Only the first write after a power-on counts; it writes what is there. */
__attribute__((used)) void spb_power_first(void) {
    reg_modify(CR3, PWR_CR3_BYPASS, PWR_CR3_LDOEN | PWR_CR3_SCUEN);
    reg_wait(CSR1, PWR_CSR1_ACTVOSRDY, PWR_CSR1_ACTVOSRDY);
}
