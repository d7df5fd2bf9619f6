/* SPDX-License-Identifier: MIT */
/* flash_g0.c - registers of STM32G0 (IP flash_g0x1, flash_g0x0): RM0444, RM0454 chapter 3.  G0B1, G0C1 and G0B0 have two
 * banks, the others one. */
#include "flash_g0.h"

#include "flash_ecc.h"
#include "internal_flash.h"
#include "reg.h"
#include "spb_chip.h"

#define DUAL (SPB_FLASH_BANK_SIZE < SPB_FLASH_SIZE)
#define ECC2R_OFF 0x1Cu /* RM0444 3.7.7, RM0454 3.7.7: of bank 2 */

static uint32_t select_page(uint32_t off) {
    uint32_t bank = off < SPB_FLASH_BANK_SIZE ? 0 : FLASH_CR_BKER;
    return FLASH_CR_PER | off % SPB_FLASH_BANK_SIZE / SPB_SLOT0_UNIT << FLASH_CR_PNB_POS | bank;
}

const struct spb_ecc_flash spb_ecc_flash = {
    .keyr = FLASH_BASE + FLASH_KEYR_OFF,
    .sr = FLASH_BASE + FLASH_SR_OFF,
    .clear = FLASH_BASE + FLASH_SR_OFF,
    .cr = FLASH_BASE + FLASH_CR_OFF,
    .ecc = {FLASH_BASE + FLASH_ECCR_OFF, DUAL ? FLASH_BASE + ECC2R_OFF : 0},
    .ecc_failed = FLASH_ECCR_ECCD,
    .busy = FLASH_SR_BSY | FLASH_SR_BSY2 | FLASH_SR_CFGBSY,
    .errors = FLASH_SR_OPERR | FLASH_SR_PROGERR | FLASH_SR_WRPERR | FLASH_SR_PGAERR | FLASH_SR_SIZERR | FLASH_SR_PGSERR |
              FLASH_SR_MISERR | FLASH_SR_FASTERR,
    .done = FLASH_SR_EOP | FLASH_SR_OPTVERR,
    .program = FLASH_CR_PG,
    .start = FLASH_CR_STRT,
    .lock = FLASH_CR_LOCK,
    .cache = FLASH_BASE + FLASH_ACR_OFF,
    .erase = select_page,
};

/* What a cut leaves of OPTR has ones where the flash is laid out. */
const struct spb_ecc_options spb_ecc_options = {
    .torn = FLASH_SR_OPTVERR,
    .start = FLASH_CR_OPTSTRT,
    .launch = FLASH_CR_OBL_LAUNCH,
    .page = FLASH_WRP1AR_WRP1A_STRT,
};

enum spb_text spb_flash_problem(void) {
    if (!DUAL || (reg_read(FLASH_BASE + FLASH_OPTR_OFF) & spb_g0_layout) == spb_g0_layout) return SPB_TEXT_NONE;
    return TEXT(SPB_WRONG_BANKS);
}
