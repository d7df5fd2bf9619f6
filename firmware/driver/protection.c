/* SPDX-License-Identifier: MIT */
/* protection.c - areas of flash, asked unit by unit whether option bytes protect them (internal_flash.h). */
#include "internal_flash.h"
#include "spb_chip.h"

/* The smallest erase unit there is: of larger ones it asks several times. */
#define STEP SPB_SMALLEST_SECTOR

/* Every unit of a range is protected, or none is. */
static bool all(uint32_t off, uint32_t len, bool protected) {
    for (uint32_t at = 0; at < len; at += STEP) {
        if (spb_flash_protected(off + at) != protected) return false;
    }
    return true;
}

/* Not inlined: tests call it, area by area, bit by bit. */
__attribute__((noinline)) bool spb_flash_writable(uint32_t off, uint32_t len) { return all(off, len, false); }

bool spb_flash_write_protected(void) { return all(0, SPB_BOOT_SIZE, true); }
