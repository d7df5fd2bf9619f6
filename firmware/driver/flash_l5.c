/* SPDX-License-Identifier: MIT */
/* flash_l5.c - non-secure registers of IP flash_l5: STM32L5 with TZEN = 0 (RM0438 chapter 6).
 * Pages of 2 KB in two banks, or of 4 KB in one, by DBANK (RM0438 6.3.1).
 * The instruction cache stands before all that is read at the addresses of flash, data as well, and to turn it off empties
 * it (RM0438, chapter on ICACHE). */
#include "flash_ecc.h"
#include "internal_flash.h"
#include "reg.h"
#include "spb_chip.h"

#define DUAL (SPB_FLASH_BANK_SIZE < SPB_FLASH_SIZE)
/* Parts of 256 KB have two banks by a bit of their own as well (RM0438 6.9.9). */
#define MAKES_DUAL (FLASH_OPTR_DBANK | (SPB_FLASH_SIZE <= 0x40000u ? FLASH_OPTR_DB256K : 0u))

static uint32_t select_page(uint32_t off) {
    uint32_t bank = off < SPB_FLASH_BANK_SIZE ? 0 : FLASH_NSCR_NSBKER;
    return FLASH_NSCR_NSPER | off % SPB_FLASH_BANK_SIZE / SPB_SLOT0_UNIT << FLASH_NSCR_NSPNB_POS | bank;
}

const struct spb_ecc_flash spb_ecc_flash = {
    .keyr = FLASH_BASE + FLASH_NSKEYR_OFF,
    .sr = FLASH_BASE + FLASH_NSSR_OFF,
    .clear = FLASH_BASE + FLASH_NSSR_OFF,
    .cr = FLASH_BASE + FLASH_NSCR_OFF,
    .ecc = {FLASH_BASE + FLASH_ECCR_OFF},
    .ecc_failed = FLASH_ECCR_ECCD | FLASH_ECCR_ECCD2,
    .busy = FLASH_NSSR_NSBSY,
    .errors = FLASH_NSSR_NSOPERR | FLASH_NSSR_NSPROGERR | FLASH_NSSR_NSWRPERR | FLASH_NSSR_NSPGAERR |
              FLASH_NSSR_NSSIZERR | FLASH_NSSR_NSPGSERR,
    .done = FLASH_NSSR_NSEOP | FLASH_NSSR_OPTVERR | FLASH_NSSR_OPTWERR,
    .program = FLASH_NSCR_NSPG,
    .start = FLASH_NSCR_NSSTRT,
    .lock = FLASH_NSCR_NSLOCK,
    .cache = ICACHE_BASE + ICACHE_CR_OFF,
    .cache_on = ICACHE_CR_EN,
    .cache_busy = ICACHE_BASE + ICACHE_SR_OFF,
    .erase = select_page,
};

/* Protection from reading is for secure flash only (RM0438 6.6.2). */
const struct spb_ecc_areas spb_ecc_areas = {
    .first = {SPB_ECC_WRP},
    .count = 2,
    .second = FLASH_WRP2AR_OFF - FLASH_WRP1AR_OFF,
};

const struct spb_ecc_options spb_ecc_options = {
    .torn = FLASH_NSSR_OPTVERR,
    .failed = FLASH_NSSR_OPTWERR,
    .start = FLASH_NSCR_OPTSTRT,
    .launch = FLASH_NSCR_OBL_LAUNCH,
    .page = FLASH_WRP1AR_WRP1A_PSTRT,
    .layout_bits = MAKES_DUAL | FLASH_OPTR_SWAP_BANK,
    .layout = DUAL ? MAKES_DUAL : 0,
};

enum spb_text spb_flash_problem(void) {
    uint32_t options = reg_read(FLASH_BASE + FLASH_OPTR_OFF);
    if (options & FLASH_OPTR_TZEN) return TEXT("option byte TZEN is set: this bootloader is for TZEN = 0");
    bool fits = DUAL ? (options & MAKES_DUAL) == MAKES_DUAL : (options & FLASH_OPTR_DBANK) == 0;
    return fits && (options & FLASH_OPTR_SWAP_BANK) == 0 ? SPB_TEXT_NONE : TEXT(SPB_WRONG_BANKS);
}
