/* SPDX-License-Identifier: MIT */
/* flash.h - what core needs of a flash memory, and areas of memories.
 * F1  Offsets are checked here: no driver is asked for a byte outside its memory, no area for one outside itself, nor for
 *     bytes of two parts at once.
 * F2  Nothing is programmed that was not erased by us since (the callers' duty: candidate, install, journal).
 * F3  A unit that a power cut left half written may fault when it is loaded (ECC flash).  What a cut may have torn is
 *     copied by read(), which says so; map() is for what was found whole in this boot, or was written in it.
 * F4  No byte of an image is read to the stack, be it by a wrong address: where the instruction that loads the buffer's is
 *     skipped, its register may have that of a caller's frame, and a word of the image would be an address to return to. */
#ifndef SPB_FLASH_H
#define SPB_FLASH_H

#include <stdbool.h>

#include "spb_config.h"
#include "status.h"

/* Bytes that are read at once at most.  Where a length is calculated, the buffer has room for so many: what is in the
 * slots may be anybody's, and one skipped instruction must not put it over the stack. */
#define SPB_READ_MAX 64u

/* One memory.  Calls return when the work is done; while it is, nothing can be read there, and afterwards all of it can. */
struct spb_flash {
    /* Erase the unit that starts at off. */
    enum spb_status (*erase)(uint32_t off);
    /* Program len bytes at off; both are multiples of the program unit.  data is aligned to words, and in RAM where this
     * memory cannot be read meanwhile. */
    enum spb_status (*program)(uint32_t off, const uint8_t *data, uint32_t len);
    /* The bytes at off, up to the end of the memory. */
    const uint8_t *(*map)(uint32_t off);
    /* Copy len > 0 bytes, rounded up to words of four, aligned on both sides; false when one of the words has an
     * uncorrectable error. */
    bool (*read)(uint32_t off, uint32_t *to, uint32_t len);
    /* Of the len bytes at off, whole erase units, none is protected. */
    bool (*writable)(uint32_t off, uint32_t len);
};

/* A range of whole erase units of one memory, all of one size; elsewhere in it they may have another.  Offsets are those
 * from the start of internal flash, of another memory, too: what is at an offset has one address. */
struct spb_part {
    uint32_t outside;       /* it is in external flash */
    uint32_t base, size, erase_unit;
};

/* Parts, laid end to end: an offset counts through all of each, whatever is used of it.  Those behind the last have size 0. */
struct spb_area {
    struct spb_part parts[SPB_PARTS];
};

/* No option byte keeps any of it from being erased and programmed. */
bool spb_area_writable(const struct spb_area *area);

/* Nor any of what an update writes: an area that is found protected page by page leaves one half done. */
bool spb_areas_writable(void);

/* off and len are multiples of the erase unit; whole blocks of a memory that has them are erased at once.  data is aligned
 * to words, and no more than a few units: alive() is not called meanwhile. */
SPB_CHECKED enum spb_status spb_area_erase(const struct spb_area *area, uint32_t off, uint32_t len);
SPB_CHECKED enum spb_status spb_area_program(const struct spb_area *area, uint32_t off, const uint8_t *data, uint32_t len);

/* The len bytes at off, or a null pointer when they are not all inside. */
const uint8_t *spb_area_map(const struct spb_area *area, uint32_t off, uint32_t len);

/* A place in an area. */
struct spb_place {
    const struct spb_area *area;
    uint32_t off;
};

/* What a copy has of an image: not on the stack (F4). */
struct spb_copy {
    uint32_t bytes[SPB_READ_MAX / 4], there[SPB_READ_MAX / 4];
};

/* Copy len bytes to a place that is erased; what is there then is compared.  Where pages are large, what reads as it shall
 * be is not programmed: erased bytes.  Offsets and len are multiples of SPB_COPY_UNIT.
 * By way of RAM, as the two may be in one memory.  Between the slots, where one is sealed (seal.h) by what was opened last. */
SPB_CHECKED enum spb_status spb_area_copy(const struct spb_place *from, const struct spb_place *into, uint32_t len,
                                           struct spb_copy *room);

#define SPB_COPY_UNIT (SPB_SLOT_UNIT < 4 ? 4u : SPB_SLOT_UNIT)

/* Copy the len bytes at off, which is a multiple of 4; `to`, which is not on the stack (F4), has room for whole words.  False
 * when they are not all inside, are none or more than SPB_READ_MAX, or cannot be read (F3). */
SPB_CHECKED bool spb_area_read(const struct spb_area *area, uint32_t off, uint32_t *to, uint32_t len);

/* The same of what is no image, to a buffer of the caller's, which may be on the stack. */
SPB_CHECKED bool spb_area_read_here(const struct spb_area *area, uint32_t off, uint32_t *to, uint32_t len);

#endif
