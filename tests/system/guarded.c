/* SPDX-License-Identifier: MIT */
/* guarded.c - the demo application with its memory protection unit on, as a CubeMX project for STM32H7 has it: region 0
 * is all 4 GB, no access, nothing executed, shareable, with the subregions 0x87 left out to the background, which is for
 * privileged code.  A test that wants another region defines REGION_BASE and REGION_RASR, for region 1. */
#define demo_main plain_main
#include "main.c"
#undef demo_main
#include "reg.h"

#define MPU_CTRL 0xE000ED94u
#define MPU_RNR 0xE000ED98u
#define MPU_RBAR 0xE000ED9Cu
#define MPU_RASR 0xE000EDA0u
#define SHCSR 0xE000ED24u

void demo_main(void) {
    reg_write(MPU_CTRL, 0);
    reg_write(MPU_RNR, 0);
    reg_write(MPU_RBAR, 0);
    reg_write(MPU_RASR, 1u << 28 | 1u << 19 | 1u << 18 | 0x87u << 8 | 31u << 1 | 1u);
#ifdef REGION_BASE
    reg_write(MPU_RNR, 1);
    reg_write(MPU_RBAR, REGION_BASE);
    reg_write(MPU_RASR, REGION_RASR);
#endif
    reg_write(MPU_CTRL, 5); /* ENABLE, PRIVDEFENA */
    __asm volatile("dsb\n isb" ::: "memory");
    plain_main();
}
