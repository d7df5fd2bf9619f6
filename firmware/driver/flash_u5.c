/* SPDX-License-Identifier: MIT */
/* flash_u5.c - non-secure registers of IP flash_u5: STM32U5 with TZEN = 0 (RM0456 chapter 7).
 * Pages of 8 KB in two banks, quad-words.  WDW stands from the first word of one to its fourth.  BKER is the physical bank,
 * whatever SWAP_BANK makes of the addresses.
 * The instruction cache is that of STM32L5: decision 0026. */
#include "flash_ecc.h"
#include "internal_flash.h"
#include "reg.h"
#include "spb_chip.h"

#define OPTR (FLASH_BASE + FLASH_OPTR_OFF)
#define BOOT (FLASH_BASE + FLASH_NSBOOTADD0R_OFF)
#define HAS_DUALBANK (SPB_FLASH_SIZE <= 0x100000u) /* larger ones have two banks without it: RM0456, FLASH_OPTR */

_Static_assert(SPB_FLASH_BANK_SIZE < SPB_FLASH_SIZE, "two banks, as shipped");

static uint32_t select_page(uint32_t off) {
    uint32_t bank = off < SPB_FLASH_BANK_SIZE ? 0 : FLASH_NSCR_BKER;
    return FLASH_NSCR_PER | off % SPB_FLASH_BANK_SIZE / SPB_SLOT0_UNIT << FLASH_NSCR_PNB_POS | bank;
}

const struct spb_ecc_flash spb_ecc_flash = {
    .keyr = FLASH_BASE + FLASH_NSKEYR_OFF,
    .sr = FLASH_BASE + FLASH_NSSR_OFF,
    .clear = FLASH_BASE + FLASH_NSSR_OFF,
    .cr = FLASH_BASE + FLASH_NSCR_OFF,
    .ecc = {FLASH_BASE + FLASH_ECCR_OFF},
    .ecc_failed = FLASH_ECCR_ECCD,
    .busy = FLASH_NSSR_BSY | FLASH_NSSR_WDW,
    .errors = FLASH_NSSR_OPERR | FLASH_NSSR_PROGERR | FLASH_NSSR_WRPERR | FLASH_NSSR_PGAERR | FLASH_NSSR_SIZERR |
              FLASH_NSSR_PGSERR,
    .done = FLASH_NSSR_EOP | FLASH_NSSR_OPTWERR,
    .program = FLASH_NSCR_PG,
    .start = FLASH_NSCR_STRT,
    .lock = FLASH_NSCR_LOCK,
    .cache = ICACHE_BASE + ICACHE_CR_OFF,
    .cache_on = ICACHE_CR_EN,
    .cache_busy = ICACHE_BASE + ICACHE_SR_OFF,
    .erase = select_page,
};

/* Hidden and secure areas take TZEN = 1. */
const struct spb_ecc_areas spb_ecc_areas = {
    .first = {SPB_ECC_WRP},
    .count = 2,
    .second = FLASH_WRP2AR_OFF - FLASH_WRP1AR_OFF,
};

/* No flag tells of a cut. */
const struct spb_ecc_options spb_ecc_options = {
    .failed = FLASH_NSSR_OPTWERR,
    .start = FLASH_NSCR_OPTSTRT,
    .launch = FLASH_NSCR_OBL_LAUNCH,
    .page = FLASH_WRP1AR_WRP1A_PSTRT,
};

enum spb_text spb_flash_problem(void) {
    uint32_t options = reg_read(OPTR);
    if (options & FLASH_OPTR_TZEN) return TEXT("option byte TZEN is set: this bootloader is for TZEN = 0");
    if (HAS_DUALBANK && (options & FLASH_OPTR_DUALBANK) == 0) return TEXT(SPB_WRONG_BANKS);
    if (options & FLASH_OPTR_SWAP_BANK) return TEXT("option byte SWAP_BANK is set: clear it");
    if ((reg_read(BOOT) & FLASH_NSBOOTADD0R_NSBOOTADD0) == SPB_FLASH_ADDRESS) return SPB_TEXT_NONE;
    return TEXT("option bytes NSBOOTADD0 are not the start of the flash: set them to 0x08000000");
}
