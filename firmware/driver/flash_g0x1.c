/* SPDX-License-Identifier: MIT */
/* flash_g0x1.c - IP flash_g0x1: STM32G0x1.  Swapped banks exchange addresses, not numbers (RM0444 3.4.1): we would erase the
 * bank we run from. */
#include "flash_g0.h"

#include "flash_ecc.h"
#include "spb_chip.h"

const uint32_t spb_g0_layout = FLASH_OPTR_DUAL_BANK | FLASH_OPTR_nSWAP_BANK;

#define DUAL (SPB_FLASH_BANK_SIZE < SPB_FLASH_SIZE)

const struct spb_ecc_areas spb_ecc_areas = {
    .first = {SPB_ECC_WRP, FLASH_PCROP1ASR_OFF, FLASH_PCROP1BSR_OFF},
    .last = {0, 0, FLASH_PCROP1AER_OFF, FLASH_PCROP1BER_OFF},
    .count = 4,
    .parts = 2, /* units of 512 bytes: RM0444 3.5.2 */
    .second = DUAL ? FLASH_WRP2AR_OFF - FLASH_WRP1AR_OFF : 0,
};
