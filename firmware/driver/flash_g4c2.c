/* SPDX-License-Identifier: MIT */
/* flash_g4c2.c - STM32G4 of category 2 and 4 (IP flash_g4c2, flash_g4c4): one bank.  RM0440 4.7.6, 5.7.6. */
#include "flash_g4.h"

#include "flash_ecc.h"
#include "spb_chip.h"

const uint32_t spb_g4_layout_bits = 0, spb_g4_layout = 0;

uint32_t spb_g4_select(uint32_t off) { return FLASH_CR_PER | off / SPB_SLOT0_UNIT << FLASH_CR_PNB_POS; }

const struct spb_ecc_areas spb_ecc_areas = {
    .first = {SPB_ECC_WRP, FLASH_PCROP1SR_OFF},
    .last = {0, 0, FLASH_PCROP1ER_OFF},
    .count = 3,
    .parts = 8, /* units of 8 bytes: RM0440 4.5.2, 5.5.2 */
};

const struct spb_ecc_options spb_ecc_options = {
    .torn = FLASH_SR_OPTVERR,
    .start = FLASH_CR_OPTSTRT,
    .launch = FLASH_CR_OBL_LAUNCH,
    .page = FLASH_WRP1AR_WRP1A_STRT,
};
