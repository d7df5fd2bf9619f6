/* SPDX-License-Identifier: MIT */
#include "candidate.h"

#include "seal.h"

_Static_assert((SPB_WRITE_SIZE & (SPB_WRITE_SIZE - 1)) == 0, "unit offsets are masked");
_Static_assert(2 * SPB_PAGES + 1 <= UINT16_MAX, "`seen` has room for a page");

#define UNIT_OFF(off) ((off) & (SPB_WRITE_SIZE - 1))

void spb_candidate_init(struct spb_candidate *c, bool fresh) {
    c->fresh = fresh;
}

/* Behind half a block of pages that are ours, a block at once: more of them come, as a rule.  What is not ours of SLOT1 nobody
 * needs while an update is taken: what was kept there went with the journal. */
static enum spb_status erase_page(struct spb_candidate *c, uint32_t page, uint32_t start, uint32_t size) {
    uint32_t half = SPB_BLOCK_PAGES / 2u;       /* in front of the first entry reads as none (F1) */
    if (SPB_BLOCK_PAGES == 0) return spb_area_erase(&spb_slot1, start, size);
    if (page < c->pages.counts[SPB_PARTS - 1]) return SPB_OK;
    if (page >= SPB_PART_PAGES && ((page - SPB_PART_PAGES) & (SPB_BLOCK_PAGES - 1u)) == 0 && spb_pages_at(c->pages.count - 1 - half) == page - half) {
        c->pages.counts[SPB_PARTS - 1] = page + SPB_BLOCK_PAGES;
        size = SPB_BLOCK;
    }
    return spb_area_erase(&spb_slot1, start, size);
}

/* The next byte, of a page that is ours.  A unit that is whole is read from flash. */
static enum spb_status store(struct spb_candidate *c, uint8_t byte) {
    c->unit[UNIT_OFF(c->len)] = byte;
    c->len++;
    if (UNIT_OFF(c->len) != 0) return SPB_OK;
    uint32_t off = c->len - SPB_WRITE_SIZE;
    if (SPB_SEALED) spb_seal(off, c->unit, SPB_WRITE_SIZE);
    return spb_area_program(&spb_slot1, off, c->unit, SPB_WRITE_SIZE);
}

/* SLOT1's page of c->len becomes ours: erased, holding what SLOT0 has before c->len. */
static enum spb_status open_page(struct spb_candidate *c) {
    uint32_t page = spb_page_of(c->len), start = spb_page_start(page), end = c->len;
    enum spb_status status = spb_pages_add(&c->pages, page);
    if (status == SPB_OK && (SPB_SINGLE_SLOT || page != 0)) status = erase_page(c, page, start, spb_page_size(page));
    if (status != SPB_OK) return status;
    c->open = true;
    c->seen = 0;
    if (!SPB_SINGLE_SLOT) c->len = start;
    while (!SPB_SINGLE_SLOT && c->len < end && status == SPB_OK) {
        status = store(c, *spb_area_map(&spb_slot0, c->len, 1));
        spb_port.alive();
    }
    return status;
}

/* The page of the next byte is ours. */
static bool is_open(struct spb_candidate *c) {
    if (c->len == spb_page_start(spb_page_of(c->len))) c->open = false;
    return c->open;
}

enum spb_status spb_candidate_put(struct spb_candidate *c, uint8_t byte) {
    if (c->len >= SPB_SLOT_SIZE) return SPB_E_IMAGE_TOO_LARGE;
    if (!is_open(c)) {
        if (!c->fresh && *spb_area_map(&spb_slot0, c->len, 1) == byte) {
            c->len++;
            return SPB_OK;
        }
        enum spb_status status = open_page(c);
        if (status != SPB_OK) return status;
    }
    return store(c, byte);
}

uint32_t spb_candidate_same(struct spb_candidate *c, uint32_t most) {
    if (is_open(c)) return 0;
    uint32_t page = spb_page_of(c->len), left = spb_page_start(page) + spb_page_size(page) - c->len;
    if (most > left) most = left;
    c->len += most;
    return most;
}

enum spb_status spb_candidate_finish(struct spb_candidate *c) {
    enum spb_status status = SPB_OK;
    while (c->open && UNIT_OFF(c->len) != 0 && status == SPB_OK) status = store(c, SPB_ERASED);
    return status;
}

enum spb_status spb_candidate_rest(struct spb_candidate *c) {
    enum spb_status status = spb_candidate_finish(c);
    c->len = SPB_PART_SIZE;
    c->open = false;
    return status;
}

uint8_t spb_candidate_get(struct spb_candidate *c, uint32_t off) {
    uint32_t page = spb_page_of(off);
    if (c->open && off >= c->len - UNIT_OFF(c->len)) return c->unit[UNIT_OFF(off)];
    if (c->seen >> 1 != page + 1) c->seen = (uint16_t)(2 * (page + 1) + (spb_pages_rank(&c->pages, page) != SPB_PAGES_NONE));
    bool ours = (c->seen & 1) != 0;
    uint8_t byte = *spb_area_map(ours ? &spb_slot1 : &spb_slot0, off, 1);
    if (SPB_SEALED && ours) spb_seal(off, &byte, 1);
    return byte;
}
