/* SPDX-License-Identifier: MIT */
/* options_h7.c - option bytes of STM32H7: a bit for each sector of a bank, changed all at once; a cut leaves what was.  See
 * options.h.  RM0399 4.4.3, RM0433 4.4.3. */
#include "options.h"
#include "reg.h"
#include "watchdog.h"

#define OPTKEYR (FLASH_BASE + FLASH_OPTKEYR_OFF)
#define OPTCR (FLASH_BASE + FLASH_OPTCR_OFF)
#define CURRENT (FLASH_BASE + FLASH_OPTSR_CUR_OFF)
#define OPTION_KEY1 0x08192A3Bu /* RM0399 4.5.1 */
#define OPTION_KEY2 0x4C5D6E7Fu
#define SECTORS ((1u << (SPB_BOOT_SIZE / SPB_SMALLEST_SECTOR)) - 1u) /* a bit for each of the bootloader */
#define ROUNDS 0x10000000u                                          /* as in flash_h7.c */

_Static_assert(SPB_BOOT_SIZE % SPB_SMALLEST_SECTOR == 0, "whole sectors");

bool spb_options_torn(void) { return false; }

static bool rest(uint32_t address, uint32_t busy) {
    uint32_t left = ROUNDS;
    for (; left > 0 && (reg_read(address) & busy) != 0; left--) spb_watchdog_feed();
    return left > 0;
}

enum spb_text spb_options_protect(void) {
    uint32_t step = FLASH_BANK1_SR_OFF - FLASH_BANK0_SR_OFF, banks = FLASH_BASE + FLASH_BANK0_SR_OFF;
    if (!rest(banks, FLASH_BANK0_SR_QW) || !rest(banks + step, FLASH_BANK0_SR_QW)) return TEXT(SPB_OPTIONS_FAILED);
    reg_write(FLASH_BASE + FLASH_OPTCCR_OFF, FLASH_OPTCCR_CLR_OPTCHANGEERR);
    if (reg_read(OPTCR) & FLASH_OPTCR_OPTLOCK) {
        reg_write(OPTKEYR, OPTION_KEY1);
        reg_write(OPTKEYR, OPTION_KEY2);
    }
    uint32_t rdp = spb_options_rdp((reg_read(CURRENT) & FLASH_OPTSR_CUR_RDP) >> FLASH_OPTSR_CUR_RDP_POS);
    reg_modify(FLASH_BASE + FLASH_OPTSR_PRG_OFF, FLASH_OPTSR_PRG_RDP, rdp << FLASH_OPTSR_PRG_RDP_POS);
    reg_clear(FLASH_BASE + FLASH_BANK0_WPSN_PRGR_OFF, SECTORS);
    reg_set(OPTCR, FLASH_OPTCR_OPTSTART);
    __asm volatile("dsb" ::: "memory");
    bool ok = rest(CURRENT, FLASH_OPTSR_CUR_OPT_BUSY) && (reg_read(CURRENT) & FLASH_OPTSR_CUR_OPTCHANGEERR) == 0;
    reg_set(OPTCR, FLASH_OPTCR_OPTLOCK);
    return ok ? SPB_TEXT_NONE : TEXT(SPB_OPTIONS_FAILED);
}
