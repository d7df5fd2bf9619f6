/* SPDX-License-Identifier: MIT */
/* flash_g0x1.c - IP flash_g0x1: STM32G0x1.  Swapped banks exchange addresses, not numbers (RM0444 3.4.1): we would erase the
 * bank we run from. */
#include "flash_g0.h"
#include "spb_chip.h"

const uint32_t spb_g0_layout = FLASH_OPTR_DUAL_BANK | FLASH_OPTR_nSWAP_BANK;
