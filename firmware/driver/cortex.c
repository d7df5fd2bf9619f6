/* SPDX-License-Identifier: MIT */
#include "cortex.h"

#include "reg.h"

#define SYST_CSR 0xE000E010u
#define SYST_RVR 0xE000E014u
#define SYST_CVR 0xE000E018u
#define ICSR 0xE000ED04u
#define AIRCR 0xE000ED0Cu

#define SYST_ON 7u                       /* enable, interrupt, core clock */
#define ICSR_PENDSTCLR (1u << 25)
#define AIRCR_SYSRESETREQ 0x05FA0004u    /* with its key */

void spb_cortex_reset(void) {
    __asm volatile("dsb" ::: "memory");
    reg_write(AIRCR, AIRCR_SYSRESETREQ);
    __asm volatile("dsb" ::: "memory");
    for (;;) {}
}

void spb_cortex_systick(uint32_t cycles) {
    reg_write(SYST_CSR, 0);
    reg_write(ICSR, ICSR_PENDSTCLR);
    reg_write(SYST_RVR, cycles == 0 ? 0 : cycles - 1);
    reg_write(SYST_CVR, 0);
    if (cycles != 0) reg_write(SYST_CSR, SYST_ON);
}
