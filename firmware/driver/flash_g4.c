/* SPDX-License-Identifier: MIT */
/* flash_g4.c - registers of STM32G4 (IP flash_g4c2, flash_g4c3, flash_g4c4): RM0440 chapters 3 to 5. */
#include "flash_g4.h"

#include "flash_ecc.h"
#include "internal_flash.h"
#include "reg.h"
#include "spb_chip.h"

const struct spb_ecc_flash spb_ecc_flash = {
    .keyr = FLASH_BASE + FLASH_KEYR_OFF,
    .sr = FLASH_BASE + FLASH_SR_OFF,
    .clear = FLASH_BASE + FLASH_SR_OFF,
    .cr = FLASH_BASE + FLASH_CR_OFF,
    .ecc = {FLASH_BASE + FLASH_ECCR_OFF, 0},
    .ecc_failed = FLASH_ECCR_ECCD,
    .busy = FLASH_SR_BSY,
    .errors = FLASH_SR_OPERR | FLASH_SR_PROGERR | FLASH_SR_WRPERR | FLASH_SR_PGAERR | FLASH_SR_SIZERR | FLASH_SR_PGSERR |
              FLASH_SR_MISERR | FLASH_SR_FASTERR,
    .done = FLASH_SR_EOP | FLASH_SR_OPTVERR | FLASH_SR_RDERR,
    .program = FLASH_CR_PG,
    .start = FLASH_CR_STRT,
    .lock = FLASH_CR_LOCK,
    .cache = FLASH_BASE + FLASH_ACR_OFF,
    .cache_on = FLASH_ACR_DCEN,
    .cache_reset = FLASH_ACR_DCRST,
    .erase = spb_g4_select,
};

enum spb_text spb_flash_problem(void) {
    uint32_t options = reg_read(FLASH_BASE + FLASH_OPTR_OFF);
    return (options & spb_g4_layout_bits) == spb_g4_layout ? SPB_TEXT_NONE : TEXT(SPB_WRONG_BANKS);
}
