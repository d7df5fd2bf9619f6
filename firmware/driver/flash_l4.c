/* SPDX-License-Identifier: MIT */
/* flash_l4.c - registers of IP flash_l4: STM32L4 (RM0351, RM0394 chapter 3) and L4+ (RM0432 chapter 3). */
#include "flash_ecc.h"
#include "internal_flash.h"
#include "reg.h"
#include "spb_chip.h"

#define DUAL (SPB_FLASH_BANK_SIZE < SPB_FLASH_SIZE)
/* L4+ has pages of 4 KB in two banks or of 8 KB in one, by DBANK, and with 1 MB two banks by the bit that L4 calls DUALBANK
 * as well (RM0432 3.4.1); L4 of 512 KB and less has one bank or two, of equal pages, by DUALBANK (RM0351 3.4.1); L4 of 1 MB
 * always has two, other L4 one. */
#define PLUS (SPB_SLOT0_UNIT > 2048u)
#define DBANK (1u << 22)
#define SMALL (SPB_FLASH_SIZE <= (PLUS ? 0x100000u : 0x80000u))
#define MAKES_DUAL ((PLUS ? DBANK : 0u) | (SMALL ? FLASH_OPTR_DUALBANK : 0u))

static uint32_t select_page(uint32_t off) {
    uint32_t bank = off / SPB_FLASH_BANK_SIZE * FLASH_CR_BKER;
    return FLASH_CR_PER | off % SPB_FLASH_BANK_SIZE / SPB_SLOT0_UNIT << FLASH_CR_PNB_POS | bank;
}

const struct spb_ecc_flash spb_ecc_flash = {
    .keyr = FLASH_BASE + FLASH_KEYR_OFF,
    .sr = FLASH_BASE + FLASH_SR_OFF,
    .clear = FLASH_BASE + FLASH_SR_OFF,
    .cr = FLASH_BASE + FLASH_CR_OFF,
    .ecc = {FLASH_BASE + FLASH_ECCR_OFF},
    .ecc_failed = FLASH_ECCR_ECCD,
    .busy = FLASH_SR_BSY,
    .errors = FLASH_SR_OPERR | FLASH_SR_PROGERR | FLASH_SR_WRPERR | FLASH_SR_PGAERR | FLASH_SR_SIZERR | FLASH_SR_PGSERR |
              FLASH_SR_MISERR | FLASH_SR_FASTERR,
    .done = FLASH_SR_EOP | FLASH_SR_OPTVERR | FLASH_SR_RDERR,
    .program = FLASH_CR_PG,
    .start = FLASH_CR_START,
    .lock = FLASH_CR_LOCK,
    .cache = FLASH_BASE + FLASH_ACR_OFF,
    .cache_on = FLASH_ACR_DCEN,
    .cache_reset = FLASH_ACR_DCRST,
    .erase = select_page,
};

const struct spb_ecc_areas spb_ecc_areas = {
    .first = {SPB_ECC_WRP, FLASH_PCROP1SR_OFF},
    .last = {0, 0, FLASH_PCROP1ER_OFF},
    .count = 3,
    .parts = PLUS ? 9 : 8, /* units of 8 bytes, of 16 in pages of 8 KB: RM0351 3.5.2, RM0432 3.5.2 */
    .second = DUAL || PLUS ? FLASH_WRP2AR_OFF - FLASH_WRP1AR_OFF : 0,
};

const struct spb_ecc_options spb_ecc_options = {
    .torn = FLASH_SR_OPTVERR,
    .start = FLASH_CR_OPTSTRT,
    .launch = FLASH_CR_OBL_LAUNCH,
    .page = FLASH_WRP1AR_WRP1A_STRT,
    .layout_bits = DUAL ? MAKES_DUAL | FLASH_OPTR_BFB : PLUS ? DBANK : 0,
    .layout = DUAL ? MAKES_DUAL : 0,
};

/* With BFB2 a chip may start in bank 2, which then stands at the beginning: RM0351 2.6, RM0432 2.6. */
enum spb_text spb_flash_problem(void) {
    uint32_t options = reg_read(FLASH_BASE + FLASH_OPTR_OFF);
    bool fits = DUAL ? (options & (MAKES_DUAL | FLASH_OPTR_BFB)) == MAKES_DUAL : !PLUS || (options & DBANK) == 0;
    return fits ? SPB_TEXT_NONE : TEXT(SPB_WRONG_BANKS);
}
