/* SPDX-License-Identifier: MIT */
/* port.h - the device, as core sees it.  The boot room defines what is here; tests on a host define theirs.
 * Both slots have SPB_SLOT_SIZE bytes in the same SPB_PARTS parts, one or two; those of a number have one size, and pages
 * of one size: one or more erase units, whatever unit the part has.  SPB_SLOT_UNIT is a
 * multiple of the program units of all of them, SPB_PROGRAM_UNIT that of the journal's memory.
 * A board with SPB_SINGLE_SLOT has no second slot: slot1 is slot0. */
#ifndef SPB_PORT_H
#define SPB_PORT_H

#include "flash.h"
#include "spb_config.h"

/* Bytes of the second part, which is in external flash.  What an image has there does not follow what it has in the first. */
#define SPB_REST_SIZE (SPB_SLOT_SIZE - SPB_PART_SIZE)

struct spb_port {
    const struct spb_flash *flash, *outside;    /* all parts are in the first, where SPB_MEMORIES is 1 */
    const uint8_t *personal;    /* the personalisation area, SPB_PERSONAL_SIZE bytes */
    uint32_t target;            /* what a manifest must name as its target */
    /* Erase the SPB_BLOCK bytes that start at off, a multiple of it, of another memory than `flash`, in less time than their units
     * take.  Not called where SPB_BLOCK is 0. */
    enum spb_status (*erase_block)(uint32_t off);
    void (*progress)(uint32_t done, uint32_t all);      /* pages installed: told before the first and after every one */
    void (*alive)(void);        /* called at least every few milliseconds of work: feeds the watchdog */
};

extern const struct spb_port spb_port;      /* constants, which compilers know: nothing takes its address */
extern const struct spb_area spb_slot0, spb_slot1, spb_journal, spb_keys_area;

/* A call of the memory that a part is in, found by a branch: where the address of a function is loaded, or chosen of two, one
 * instruction of that may be skipped, and its register may have that of a word in the image (docs/decisions/0101).  What
 * comes back from outside goes by way of assembly, or compilers make one call of both. */
#define SPB_FLASH(part, type, call) \
    (SPB_MEMORIES == 1 || !(part)->outside ? spb_port.flash->call : (type)spb_apart((uintptr_t)spb_port.outside->call))

static inline uintptr_t spb_apart(uintptr_t value) {
    __asm__ volatile("" : "+r"(value));
    return value;
}

/* The first bytes of an area, as far as every area goes. */
static inline const uint8_t *spb_area_start(const struct spb_area *area) {
    return SPB_FLASH(area->parts, const uint8_t *, map(area->parts->base));
}

#endif
