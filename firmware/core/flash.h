/* SPDX-License-Identifier: MIT */
/* flash.h - what core needs of a flash memory, and areas of it.
 * F1  Offsets are checked here: no driver is asked for a byte outside its memory, no area for one outside itself.
 * F2  Nothing is programmed that was not erased by us since (the callers' duty: candidate, install, journal).
 * F3  A unit that a power cut left half written may fault when it is loaded (ECC flash).  What a cut may have torn is
 *     copied by read(), which says so; map() is for what was found whole in this boot, or was written in it. */
#ifndef SPB_FLASH_H
#define SPB_FLASH_H

#include <stdbool.h>

#include "status.h"

/* Bytes that are programmed from one alive() to the next; every page is a multiple.  A page of 256 KB takes
 * seconds, and a watchdog that bites on the way would do so at every attempt. */
#define SPB_ALIVE_EVERY 2048u

struct spb_flash {
    /* Erase the unit that starts at off. */
    enum spb_status (*erase)(uint32_t off);
    /* Program len bytes at off; both are multiples of SPB_PROGRAM_UNIT.  data is aligned to words. */
    enum spb_status (*program)(uint32_t off, const uint8_t *data, uint32_t len);
    /* The bytes at off, up to the end of the memory. */
    const uint8_t *(*map)(uint32_t off);
    /* Copy the words of four bytes, aligned on both sides, that the len > 0 bytes at off are in; false when one of them has
     * an uncorrectable error.  No number of words is made of len on the way: a fault would make a longer one of it, and
     * what stands behind `to` would be overwritten. */
    bool (*read)(uint32_t off, uint32_t *to, uint32_t len);
};

/* A range of whole erase units, all of one size; elsewhere in the flash they may have another. */
struct spb_area {
    uint32_t base;
    uint32_t size;
    uint32_t erase_unit;
};

/* No option byte keeps any of it from being erased and programmed. */
bool spb_area_writable(const struct spb_area *area);

/* off and len are multiples of the erase unit; data is aligned to words. */
SPB_CHECKED enum spb_status spb_area_erase(const struct spb_area *area, uint32_t off, uint32_t len);
SPB_CHECKED enum spb_status spb_area_program(const struct spb_area *area, uint32_t off, const uint8_t *data, uint32_t len);

/* The len bytes at off, or a null pointer when they are not all inside. */
const uint8_t *spb_area_map(const struct spb_area *area, uint32_t off, uint32_t len);

/* Copy the len bytes at off, which is a multiple of 4; `to` has room for whole words.  False when they are not all
 * inside, are none, or cannot be read (F3). */
SPB_CHECKED bool spb_area_read(const struct spb_area *area, uint32_t off, uint32_t *to, uint32_t len);

#endif
