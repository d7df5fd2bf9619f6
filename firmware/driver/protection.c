/* SPDX-License-Identifier: MIT */
/* protection.c - areas of flash, asked unit by unit whether option bytes protect them (internal_flash.h). */
#include "internal_flash.h"
#include "spb_chip.h"

/* The smallest erase unit there is: of larger ones it asks several times. */
#define STEP SPB_SMALLEST_SECTOR

bool spb_flash_writable(uint32_t off, uint32_t len) {
    for (uint32_t at = 0; at < len; at += STEP) {
        if (spb_flash_protected(off + at)) return false;
    }
    return true;
}

bool spb_flash_write_protected(void) {
    for (uint32_t off = 0; off < SPB_BOOT_SIZE; off += STEP) {
        if (!spb_flash_protected(off)) return false;
    }
    return true;
}
