/* SPDX-License-Identifier: MIT */
/* flash_wl.c - registers of IP flash_wl: STM32WL, seen by CPU1 (RM0453 chapter 4, RM0461 chapter 3).  One bank. */
#include "flash_ecc.h"
#include "internal_flash.h"
#include "spb_chip.h"

static uint32_t select_page(uint32_t off) { return FLASH_CR_PER | off / SPB_SLOT0_UNIT << FLASH_CR_PNB_POS; }

const struct spb_ecc_flash spb_ecc_flash = {
    .keyr = FLASH_BASE + FLASH_KEYR_OFF,
    .sr = FLASH_BASE + FLASH_SR_OFF,
    .clear = FLASH_BASE + FLASH_SR_OFF,
    .cr = FLASH_BASE + FLASH_CR_OFF,
    .ecc = {FLASH_BASE + FLASH_ECCR_OFF},
    .ecc_failed = FLASH_ECCR_ECCD,
    /* PESD: the other core suspended operations; what this one did so by is turned off with the cache (RM0453 4.3.6). */
    .busy = FLASH_SR_BSY | FLASH_SR_CFGBSY | FLASH_SR_PESD,
    .errors = FLASH_SR_OPERR | FLASH_SR_PROGERR | FLASH_SR_WRPERR | FLASH_SR_PGAERR | FLASH_SR_SIZERR | FLASH_SR_PGSERR |
              FLASH_SR_MISERR | FLASH_SR_FASTERR,
    .done = FLASH_SR_EOP | FLASH_SR_OPTVERR | FLASH_SR_RDERR,
    .program = FLASH_CR_PG,
    .start = FLASH_CR_STRT,
    .lock = FLASH_CR_LOCK,
    .cache = FLASH_BASE + FLASH_ACR_OFF,
    .cache_on = FLASH_ACR_DCEN | FLASH_ACR_PES,
    .cache_reset = FLASH_ACR_DCRST,
    .erase = select_page,
};

const struct spb_ecc_areas spb_ecc_areas = {
    .first = {SPB_ECC_WRP, FLASH_PCROP1ASR_OFF, FLASH_PCROP1BSR_OFF},
    .last = {0, 0, FLASH_PCROP1AER_OFF, FLASH_PCROP1BER_OFF},
    .count = 4,
    .parts = 1, /* units of 1 KB: RM0453 4.6.2 */
};

const struct spb_ecc_options spb_ecc_options = {
    .torn = FLASH_SR_OPTVERR,
    .start = FLASH_CR_OPTSTRT,
    .launch = FLASH_CR_OBL_LAUNCH,
    .page = FLASH_WRP1AR_WRP1A_STRT,
};

enum spb_text spb_flash_problem(void) { return SPB_TEXT_NONE; }
