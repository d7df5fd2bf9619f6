/* SPDX-License-Identifier: MIT */
/* flash_areas.c - what option bytes say of flash whose pages are protected by areas (flash_ecc.h).  RM0351 3.5. */
#include "flash_ecc.h"
#include "internal_flash.h"
#include "reg.h"
#include "spb_chip.h"

#define AREAS spb_ecc_areas
#define DUAL (SPB_FLASH_BANK_SIZE < SPB_FLASH_SIZE)

/* Pages of a bank: what a field of an area has beyond them may read as ones. */
#define PAGES (SPB_FLASH_BANK_SIZE / SPB_SLOT0_UNIT)
_Static_assert((PAGES & (PAGES - 1u)) == 0, "a mask of pages");
#define WRP_AREAS 2u

/* Whether an area has a page of its bank.  One that ends before it begins has none (RM0351, FLASH_WRP1AR). */
static bool in_areas(uint32_t page, uint32_t step) {
    for (uint32_t i = 0; i < AREAS.count; i++) {
        uint32_t parts = 0, first = reg_read(FLASH_BASE + AREAS.first[i] + step), last = first >> 16;
        if (i >= WRP_AREAS) {
            parts = AREAS.parts;
            last = reg_read(FLASH_BASE + AREAS.last[i] + step);
        }
        first &= (PAGES << parts) - 1u;
        last &= (PAGES << parts) - 1u;
        if (first <= last && first >> parts <= page && page <= last >> parts) return true;
    }
    return false;
}

/* Areas are those of a bank.  Where one bank is made of two, those of both count from its start (RM0432 3.5.2, 3.5.3). */
bool spb_flash_protected(uint32_t off) {
    uint32_t page = off % SPB_FLASH_BANK_SIZE / SPB_SLOT0_UNIT;
    if (DUAL) return in_areas(page, off < SPB_FLASH_BANK_SIZE ? 0 : AREAS.second);
    return in_areas(page, 0) || (AREAS.second != 0 && in_areas(page, AREAS.second));
}

bool spb_flash_starts_watchdog(void) { return (reg_read(FLASH_BASE + FLASH_OPTR_OFF) & FLASH_OPTR_IWDG_SW) == 0; }

enum spb_text spb_flash_warning(void) { return SPB_TEXT_NONE; }

uint32_t spb_flash_protection(void) { return spb_flash_rdp_level(reg_read(FLASH_BASE + FLASH_OPTR_OFF) & FLASH_OPTR_RDP); }
