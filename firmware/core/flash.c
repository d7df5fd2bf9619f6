/* SPDX-License-Identifier: MIT */
#include "flash.h"

#include <stddef.h>
#include <string.h>

#include "bytes.h"
#include "port.h"
#include "seal.h"

#define STEP SPB_READ_MAX       /* bytes copied at a time */
#define LARGE_PAGES (SPB_PAGE_SIZE > 0x2000u)   /* they have so many erased bytes behind an image that to look first pays */
#define BLOCK_LAST (SPB_BLOCK > 0 ? SPB_BLOCK - 1u : 0u)

_Static_assert((SPB_BLOCK & BLOCK_LAST) == 0, "offsets in a block are masked");
_Static_assert(SPB_JOURNAL_MARK_SIZE <= SPB_READ_MAX, "read at once");
_Static_assert(SPB_PAGE_SIZE % STEP == 0 && STEP % SPB_COPY_UNIT == 0, "whole steps and units");

/* The part that all of the len bytes at *off are in, or a null pointer; *off is then what it is there. */
static const struct spb_part *part_of(const struct spb_area *area, uint32_t *off, uint32_t len) {
    const struct spb_part *part = area->parts;
    for (uint32_t i = 1; i < SPB_PARTS && *off >= part->size; i++) *off -= part++->size;
    if (*off > part->size || len > part->size - *off) return NULL;
    *off += part->base;
    return part;
}

bool spb_area_writable(const struct spb_area *area) {
    bool all = true;
    const struct spb_part *part = area->parts;
    for (uint32_t i = 0; i < SPB_PARTS && (i == 0 || part->size != 0); i++, part++) {
        all &= SPB_FLASH(part, bool, writable(part->base, part->size));
    }
    return all;
}

bool spb_areas_writable(void) {
    if (SPB_SINGLE_SLOT) return spb_area_writable(&spb_slot0);
    return spb_area_writable(&spb_slot0) && spb_area_writable(&spb_slot1) && spb_area_writable(&spb_journal);
}

enum spb_status spb_area_erase(const struct spb_area *area, uint32_t off, uint32_t len) {
    const struct spb_part *part = part_of(area, &off, len);
    enum spb_status status = part != NULL ? SPB_OK : SPB_E_SECTION_ERASE_FAILURE;
    for (uint32_t at = 0; status == SPB_OK && at < len; at += part->erase_unit) {
        bool block = SPB_BLOCK > 0 && part->outside && len - at > BLOCK_LAST && ((off + at) & BLOCK_LAST) == 0;
        status = block ? spb_port.erase_block(off + at) : SPB_FLASH(part, enum spb_status, erase(off + at));
        if (block) at += SPB_BLOCK - part->erase_unit;
        spb_port.alive();
    }
    return status;
}

enum spb_status spb_area_program(const struct spb_area *area, uint32_t off, const uint8_t *data, uint32_t len) {
    const struct spb_part *part = part_of(area, &off, len);
    if (part == NULL) return SPB_E_SECTION_WRITE_FAILURE;
    return SPB_FLASH(part, enum spb_status, program(off, data, len));
}

const uint8_t *spb_area_map(const struct spb_area *area, uint32_t off, uint32_t len) {
    const struct spb_part *part = part_of(area, &off, len);
    return part != NULL ? SPB_FLASH(part, const uint8_t *, map(off)) : NULL;
}

bool spb_area_read_here(const struct spb_area *area, uint32_t off, uint32_t *to, uint32_t len) {
    const struct spb_part *part = part_of(area, &off, len);
    return len - 1u < SPB_READ_MAX && part != NULL && SPB_FLASH(part, bool, read(off, to, len));
}

bool spb_area_read(const struct spb_area *area, uint32_t off, uint32_t *to, uint32_t len) {
    return (uintptr_t)to >= SPB_STACK_END && spb_area_read_here(area, off, to, len);
}

/* len <= STEP */
static inline enum spb_status copy_step(const struct spb_place *from, const struct spb_place *into, uint32_t at, uint32_t len,
                                        struct spb_copy *room) {
    if (!spb_area_read(from->area, from->off + at, room->bytes, len)) return SPB_E_FLASH_ERROR;
    /* One of the two is SLOT0, where a page has the place that it has in the image. */
    if (SPB_SEALED) spb_seal((from->area == &spb_slot0 ? from->off : into->off) + at, room->bytes, len);
    for (uint32_t tries = LARGE_PAGES ? 0 : 1; tries < 2; tries++) {     /* 0: it is looked at alone */
        enum spb_status status = tries > 0 ? spb_area_program(into->area, into->off + at, (uint8_t *)room->bytes, len) : SPB_OK;
        if (status != SPB_OK) return status;
        if (spb_area_read(into->area, into->off + at, room->there, len) && memcmp(room->there, room->bytes, len) == 0) return SPB_OK;
    }
    return SPB_E_FLASH_ERROR;
}

enum spb_status spb_area_copy(const struct spb_place *from, const struct spb_place *into, uint32_t len, struct spb_copy *room) {
    enum spb_status status = SPB_OK;
    for (uint32_t at = 0; at < len && status == SPB_OK; at += STEP) {
        status = copy_step(from, into, at, spb_lower(len - at, STEP), room);
        spb_port.alive();
    }
    return status;
}
