/* SPDX-License-Identifier: MIT */
/* flash_g0x0.c - IP flash_g0x0: STM32G030, G050, G070, G0B0.  Banks cannot be swapped (RM0454 3.7.8). */
#include "flash_g0.h"
#include "spb_chip.h"

const uint32_t spb_g0_layout = FLASH_OPTR_DUAL_BANK;
