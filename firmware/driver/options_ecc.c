/* SPDX-License-Identifier: MIT */
/* options_ecc.c - option bytes of flash with an ECC and pages (flash_ecc.h): OPTR, and an area of write protection.  See
 * options.h.  RM0351 3.4.2, RM0440 3.4.2, RM0444 3.4.2, RM0453 4.4.2, RM0438 6.4.2, RM0456 7.4.2. */
#include "flash_ecc.h"
#include "options.h"
#include "reg.h"

#define IP spb_ecc_flash
#define OPTIONS spb_ecc_options
#define OPTR (FLASH_BASE + FLASH_OPTR_OFF)
#define KEY1 0x45670123u /* RM0351 3.3.5 */
#define KEY2 0xCDEF89ABu
#define OPTION_KEY1 0x08192A3Bu /* RM0351 3.4.2 */
#define OPTION_KEY2 0x4C5D6E7Fu
#define PAGE_COUNT (SPB_BOOT_SIZE / SPB_SLOT0_UNIT)
#define PAGE (OPTIONS.page | (SPB_FLASH_BANK_SIZE / SPB_SLOT0_UNIT - 1u)) /* STM32U5 of 4 MB has a bit more */
#define LAST_PAGE 16u /* place of the field behind that of the first one */
#define AREAS 2u
#define ROUNDS 0x100000u /* as in flash_ecc.c: a page is erased, and some units are programmed */

_Static_assert(SPB_BOOT_SIZE % SPB_SLOT0_UNIT == 0, "areas are whole pages");

bool spb_options_torn(void) { return (reg_read(IP.sr) & OPTIONS.torn) != 0; }

static bool rest(void) {
    uint32_t left = ROUNDS;
    while ((reg_read(IP.sr) & IP.busy) != 0 && left > 0) left--;
    return left > 0;
}

/* The register of an area that is nobody's, as it is empty, or ours, as it has pages of the bootloader only; or 0. */
static uint32_t free_area(void) {
    for (uint32_t i = 0; i < AREAS; i++) {
        uint32_t area = FLASH_BASE + spb_ecc_areas.first[i], value = reg_read(area);
        uint32_t first = value & PAGE, last = value >> LAST_PAGE & PAGE;
        if (first > last || last < PAGE_COUNT) return area;
    }
    return 0;
}

static void unlock(void) {
    if (reg_read(IP.cr) & IP.lock) {
        reg_write(IP.keyr, KEY1);
        reg_write(IP.keyr, KEY2);
    }
    reg_write(FLASH_BASE + FLASH_OPTKEYR_OFF, OPTION_KEY1);
    reg_write(FLASH_BASE + FLASH_OPTKEYR_OFF, OPTION_KEY2);
}

enum spb_text spb_options_protect(void) {
    bool protected = spb_flash_write_protected(), torn = spb_options_torn();
    uint32_t area = free_area();
    if (!protected && area == 0) return TEXT("option bytes WRP1A and WRP1B are both in use: free one for the bootloader");
    if (!rest()) return TEXT(SPB_OPTIONS_FAILED);
    reg_write(IP.clear, IP.errors | IP.done);
    unlock();
    uint32_t options = reg_read(OPTR);
    if (torn) options = (options & ~OPTIONS.layout_bits) | OPTIONS.layout;
    reg_write(OPTR, (options & ~FLASH_OPTR_RDP) | spb_options_rdp(options & FLASH_OPTR_RDP));
    if (!protected) reg_modify(area, PAGE | PAGE << LAST_PAGE, (PAGE_COUNT - 1u) << LAST_PAGE);
    reg_write(IP.cr, OPTIONS.start);
    __asm volatile("dsb" ::: "memory");
    bool ok = rest() && (reg_read(IP.sr) & (IP.errors | OPTIONS.failed)) == 0;
    if (ok) reg_write(IP.cr, OPTIONS.launch); /* a reset */
    reg_write(IP.cr, IP.lock);
    return ok ? SPB_TEXT_NONE : TEXT(SPB_OPTIONS_FAILED);
}
