/* SPDX-License-Identifier: MIT */
/* flash_g4c3.c - STM32G4 of category 3 (IP flash_g4c3): two banks of pages of 2 KB, the second at 0x08040000 whatever the
 * size, or one bank of pages of 4 KB (RM0440 3.3.1).  BFB2 starts bank 2 in the place of bank 1 (3.4.1). */
#include "flash_g4.h"

#include "flash_ecc.h"
#include "spb_chip.h"

#define DUAL (SPB_FLASH_BANK_SIZE < SPB_FLASH_SIZE)

const uint32_t spb_g4_layout_bits = FLASH_OPTR_DBANK | FLASH_OPTR_BFB2;
const uint32_t spb_g4_layout = DUAL ? FLASH_OPTR_DBANK : 0;

uint32_t spb_g4_select(uint32_t off) {
    uint32_t bank = off < SPB_FLASH_BANK_SIZE ? 0 : FLASH_CR_BKER;
    return FLASH_CR_PER | off % SPB_FLASH_BANK_SIZE / SPB_SLOT0_UNIT << FLASH_CR_PNB_POS | bank;
}

const struct spb_ecc_areas spb_ecc_areas = {
    .first = {SPB_ECC_WRP, FLASH_PCROP1SR_OFF},
    .last = {0, 0, FLASH_PCROP1ER_OFF},
    .count = 3,
    .parts = 8, /* units of 8 bytes, of 16 in pages of 4 KB: RM0440 3.5.2 */
    .second = FLASH_WRP2AR_OFF - FLASH_WRP1AR_OFF,
};

const struct spb_ecc_options spb_ecc_options = {
    .torn = FLASH_SR_OPTVERR,
    .start = FLASH_CR_OPTSTRT,
    .launch = FLASH_CR_OBL_LAUNCH,
    .page = FLASH_WRP1AR_WRP1A_STRT,
    .layout_bits = FLASH_OPTR_DBANK | FLASH_OPTR_BFB2,
    .layout = DUAL ? FLASH_OPTR_DBANK : 0,
};
