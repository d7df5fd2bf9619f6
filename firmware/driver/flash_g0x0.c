/* SPDX-License-Identifier: MIT */
/* flash_g0x0.c - IP flash_g0x0: STM32G030, G050, G070, G0B0.  Banks cannot be swapped (RM0454 3.7.8), and no
 * area is protected from reading. */
#include "flash_g0.h"

#include "flash_ecc.h"
#include "spb_chip.h"

const uint32_t spb_g0_layout = FLASH_OPTR_DUAL_BANK;

#define DUAL (SPB_FLASH_BANK_SIZE < SPB_FLASH_SIZE)

const struct spb_ecc_areas spb_ecc_areas = {
    .first = {SPB_ECC_WRP},
    .count = 2,
    .second = DUAL ? FLASH_WRP2AR_OFF - FLASH_WRP1AR_OFF : 0,
};
