/* SPDX-License-Identifier: MIT */
/* options_sector.c - option bytes of STM32F4 and STM32F7: FLASH_OPTCR, with a bit for each sector.  See options.h.
 * RM0090 3.7.2, RM0410 3.4.2.  They are erased and programmed again; no complement tells of a cut. */
#include "flash_sector.h"
#include "options.h"
#include "reg.h"
#include "watchdog.h"

#define SR (FLASH_BASE + FLASH_SR_OFF)
#define OPTKEYR (FLASH_BASE + FLASH_OPTKEYR_OFF)
#define OPTCR (FLASH_BASE + FLASH_OPTCR_OFF)
#define OPTION_KEY1 0x08192A3Bu /* RM0090 3.7.2 */
#define OPTION_KEY2 0x4C5D6E7Fu
#define COMMANDS (FLASH_OPTCR_OPTSTRT | FLASH_OPTCR_OPTLOCK)
#define SMALL SPB_SMALLEST_SECTOR
#define SECTORS ((1u << (SPB_BOOT_SIZE / SMALL)) - 1u) /* a bit for each of the bootloader */
#define ROUNDS 0x10000000u                            /* as in flash_sector.c */

_Static_assert(SPB_BOOT_SIZE % SMALL == 0 && SPB_BOOT_SIZE <= 4 * SMALL, "the first sectors, which are of one size");

bool spb_options_torn(void) { return false; }

static bool rest(void) {
    uint32_t left = ROUNDS;
    for (; left > 0 && (reg_read(SR) & FLASH_SR_BSY) != 0; left--) spb_watchdog_feed();
    return left > 0;
}

enum spb_text spb_options_protect(void) {
    if (!spb_sector_protected(0, true)) return TEXT("option byte SPRMOD is set: clear it, it protects from reading by sectors");
    if (!rest()) return TEXT(SPB_OPTIONS_FAILED);
    reg_write(SR, spb_sector_errors | FLASH_SR_EOP);
    uint32_t options = reg_read(OPTCR) & ~COMMANDS;
    uint32_t rdp = spb_options_rdp((options & FLASH_OPTCR_RDP) >> FLASH_OPTCR_RDP_POS);
    options = (options & ~FLASH_OPTCR_RDP) | rdp << FLASH_OPTCR_RDP_POS;
    options &= ~(SECTORS << FLASH_OPTCR_nWRP_POS);
    if (reg_read(OPTCR) & FLASH_OPTCR_OPTLOCK) {
        reg_write(OPTKEYR, OPTION_KEY1);
        reg_write(OPTKEYR, OPTION_KEY2);
    }
    reg_write(OPTCR, options);
    reg_write(OPTCR, options | FLASH_OPTCR_OPTSTRT);
    __asm volatile("dsb" ::: "memory");
    bool ok = rest() && (reg_read(SR) & spb_sector_errors) == 0;
    reg_write(OPTCR, options | FLASH_OPTCR_OPTLOCK);
    return ok ? SPB_TEXT_NONE : TEXT(SPB_OPTIONS_FAILED);
}
