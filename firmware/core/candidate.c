/* SPDX-License-Identifier: MIT */
#include "candidate.h"

#include <string.h>

_Static_assert((SPB_WRITE_SIZE & (SPB_WRITE_SIZE - 1)) == 0, "unit offsets are masked");

#define UNIT_OFF(off) ((off) & (SPB_WRITE_SIZE - 1))

void spb_candidate_init(struct spb_candidate *c, bool fresh) {
    c->fresh = fresh;
}

/* SLOT1's page of c->len becomes ours: erased, holding what SLOT0 has before c->len. */
static enum spb_status open_page(struct spb_candidate *c) {
    uint32_t page = c->len / SPB_PAGE_SIZE;
    uint32_t start = page * SPB_PAGE_SIZE;
    uint32_t whole = c->len - start - UNIT_OFF(c->len);
    enum spb_status status = spb_area_erase(&spb_slot1, start, SPB_PAGE_SIZE);
    if (status != SPB_OK) return status;
    if (c->len > start) {
        const uint8_t *before = spb_area_map(&spb_slot0, start, SPB_PAGE_SIZE);
        if (before == NULL) return SPB_E_FLASH_ERROR;
        status = spb_area_program(&spb_slot1, start, before, whole);
        memcpy(c->unit, before + whole, UNIT_OFF(c->len));
    }
    c->pages.bitmap[page / 8] |= (uint8_t)(1u << (page % 8));
    return status;
}

enum spb_status spb_candidate_put(struct spb_candidate *c, uint8_t byte) {
    if (c->len >= SPB_SLOT_SIZE) return SPB_E_IMAGE_TOO_LARGE;
    if (!spb_pages_has(&c->pages, c->len / SPB_PAGE_SIZE)) {
        if (!c->fresh && *spb_area_map(&spb_slot0, c->len, 1) == byte) {
            c->len++;
            return SPB_OK;
        }
        enum spb_status status = open_page(c);
        if (status != SPB_OK) return status;
    }
    c->unit[UNIT_OFF(c->len)] = byte;
    c->len++;
    if (UNIT_OFF(c->len) != 0) return SPB_OK;
    return spb_area_program(&spb_slot1, c->len - SPB_WRITE_SIZE, c->unit, SPB_WRITE_SIZE);
}

enum spb_status spb_candidate_finish(struct spb_candidate *c) {
    uint32_t rest = UNIT_OFF(c->len);
    if (rest == 0 || !spb_pages_has(&c->pages, c->len / SPB_PAGE_SIZE)) return SPB_OK;
    memset(c->unit + rest, SPB_ERASED, SPB_WRITE_SIZE - rest);
    return spb_area_program(&spb_slot1, c->len - rest, c->unit, SPB_WRITE_SIZE);
}

uint8_t spb_candidate_get(const struct spb_candidate *c, uint32_t off) {
    if (!spb_pages_has(&c->pages, off / SPB_PAGE_SIZE)) return *spb_area_map(&spb_slot0, off, 1);
    if (off >= c->len - UNIT_OFF(c->len)) return c->unit[UNIT_OFF(off)];
    return *spb_area_map(&spb_slot1, off, 1);
}
