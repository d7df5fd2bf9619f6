/* SPDX-License-Identifier: MIT */
/* options_h5.c - option bytes of STM32H5: a bit for four sectors of 8 KB.  See options.h.  RM0481 7.4.
 * PRODUCT_STATE, which stands where others have read protection, is not written here or anywhere: some states cannot be left
 * again, and the way to them goes through provisioning, which is the factory's. */
#include "flash_ecc.h"
#include "options.h"
#include "reg.h"

#define IP spb_ecc_flash
#define OPTKEYR (FLASH_BASE + FLASH_OPTKEYR_OFF)
#define OPTCR (FLASH_BASE + FLASH_OPTCR_OFF)
#define OPTION_KEY1 0x08192A3Bu /* RM0481, FLASH_OPTKEYR */
#define OPTION_KEY2 0x4C5D6E7Fu
#define GROUP (4u * SPB_SLOT0_UNIT) /* that a bit protects */
#define GROUPS ((1u << (SPB_BOOT_SIZE / GROUP)) - 1u)
#define ROUNDS 0x100000u /* as in flash_ecc.c */

_Static_assert(SPB_BOOT_SIZE % GROUP == 0, "whole groups of sectors");
_Static_assert(SPB_PRODUCTION_LEVEL == 0, "PRODUCT_STATE is not ours");

bool spb_options_torn(void) { return false; }

static bool rest(void) {
    uint32_t left = ROUNDS;
    while ((reg_read(IP.sr) & IP.busy) != 0 && left > 0) left--;
    return left > 0;
}

enum spb_text spb_options_protect(void) {
    if (!rest()) return TEXT(SPB_OPTIONS_FAILED);
    reg_write(IP.clear, IP.errors | IP.done);
    if (reg_read(OPTCR) & FLASH_OPTCR_OPTLOCK) {
        reg_write(OPTKEYR, OPTION_KEY1);
        reg_write(OPTKEYR, OPTION_KEY2);
    }
    reg_clear(FLASH_BASE + FLASH_WRP1R_PRG_OFF, GROUPS);
    reg_set(OPTCR, FLASH_OPTCR_OPTSTRT);
    __asm volatile("dsb" ::: "memory");
    bool ok = rest() && (reg_read(IP.sr) & (IP.errors | FLASH_NSSR_OPTCHANGEERR)) == 0;
    reg_set(OPTCR, FLASH_OPTCR_OPTLOCK);
    return ok ? SPB_TEXT_NONE : TEXT(SPB_OPTIONS_FAILED);
}
