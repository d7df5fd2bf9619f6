/* SPDX-License-Identifier: MIT */
/* flash_g0.c - registers of IP flash_g0x1: STM32G0 (RM0444 chapter 3).  G0B1 and G0C1 have two banks, the others one. */
#include "flash_ecc.h"
#include "internal_flash.h"
#include "reg.h"
#include "spb_chip.h"

#define DUAL (SPB_FLASH_BANK_SIZE < SPB_FLASH_SIZE)
/* Swapped banks exchange addresses, not numbers (RM0444 3.4.1): we would erase the bank we run from. */
#define LAYOUT (FLASH_OPTR_DUAL_BANK | FLASH_OPTR_nSWAP_BANK)

static uint32_t select_page(uint32_t off) {
    uint32_t bank = off < SPB_FLASH_BANK_SIZE ? 0 : FLASH_CR_BKER;
    return FLASH_CR_PER | off % SPB_FLASH_BANK_SIZE / SPB_SLOT0_UNIT << FLASH_CR_PNB_POS | bank;
}

const struct spb_ecc_flash spb_ecc_flash = {
    .keyr = FLASH_BASE + FLASH_KEYR_OFF,
    .sr = FLASH_BASE + FLASH_SR_OFF,
    .cr = FLASH_BASE + FLASH_CR_OFF,
    .acr = FLASH_BASE + FLASH_ACR_OFF,
    .ecc = {FLASH_BASE + FLASH_ECCR_OFF, FLASH_BASE + (DUAL ? FLASH_ECCR2_OFF : FLASH_ECCR_OFF)},
    .ecc_failed = FLASH_ECCR_ECCD,
    .busy = FLASH_SR_BSY | FLASH_SR_BSY2 | FLASH_SR_CFGBSY,
    .errors = FLASH_SR_OPERR | FLASH_SR_PROGERR | FLASH_SR_WRPERR | FLASH_SR_PGAERR | FLASH_SR_SIZERR | FLASH_SR_PGSERR |
              FLASH_SR_MISERR | FLASH_SR_FASTERR,
    .done = FLASH_SR_EOP,
    .program = FLASH_CR_PG,
    .start = FLASH_CR_STRT,
    .lock = FLASH_CR_LOCK,
    .erase = select_page,
};

const char *spb_flash_problem(void) {
    if (!DUAL || (reg_read(FLASH_BASE + FLASH_OPTR_OFF) & LAYOUT) == LAYOUT) return 0;
    return SPB_WRONG_BANKS;
}

uint32_t spb_flash_protection(void) { return spb_flash_rdp_level(reg_read(FLASH_BASE + FLASH_OPTR_OFF) & FLASH_OPTR_RDP); }
