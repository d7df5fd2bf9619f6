/* SPDX-License-Identifier: MIT */
#include "cortex.h"

#include "reg.h"

#define SYST_CSR 0xE000E010u
#define SYST_RVR 0xE000E014u
#define SYST_CVR 0xE000E018u
#define AIRCR 0xE000ED0Cu

#define SYST_ON 5u                       /* enable, core clock, no interrupt */
#define AIRCR_SYSRESETREQ 0x05FA0004u    /* with its key */

void spb_cortex_reset(void) {
    __asm volatile("dsb" ::: "memory");
    reg_write(AIRCR, AIRCR_SYSRESETREQ);
    __asm volatile("dsb" ::: "memory");
    for (;;) {}
}

void spb_cortex_count_start(void) {
    reg_write(SYST_CSR, 0);
    reg_write(SYST_RVR, SPB_CORTEX_COUNTS);
    reg_write(SYST_CVR, 0);
    reg_write(SYST_CSR, SYST_ON);
}

void spb_cortex_count_stop(void) {
    reg_write(SYST_CSR, 0);
    reg_write(SYST_RVR, 0);
    reg_write(SYST_CVR, 0);
}

uint32_t spb_cortex_count(void) { return reg_read(SYST_CVR); }
