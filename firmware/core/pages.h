/* SPDX-License-Identifier: MIT */
/* pages.h - the pages of a slot, by number, and the list of those that an update has in SLOT1.
 * The list is what the journal begins with (journal.h): an entry a page, in ascending order, each appended before its
 * page of SLOT1 is erased.  So it takes no RAM, however large the slots.
 * Q1  What cannot be read, or is no entry, is not in the list: its page is looked for in SLOT0, and a hash says no. */
#ifndef SPB_PAGES_H
#define SPB_PAGES_H

#include "port.h"

/* Pages of each part. */
#define SPB_PART_PAGES (SPB_PART_SIZE / SPB_PAGE_SIZE)
#define SPB_REST_PAGES (SPB_REST_SIZE / SPB_REST_PAGE_SIZE)
#define SPB_PAGES (SPB_PART_PAGES + SPB_REST_PAGES)

/* Page of the byte at off of a slot; where a page begins, also the one behind the last.  Numbers go on from a part to the
 * next. */
#define SPB_ONE_PAGE_SIZE (SPB_PARTS == 1 || SPB_REST_PAGE_SIZE == SPB_PAGE_SIZE)

uint32_t spb_parts_page_of(uint32_t off);
static inline uint32_t spb_page_of(uint32_t off) { return SPB_ONE_PAGE_SIZE ? off / SPB_PAGE_SIZE : spb_parts_page_of(off); }

uint32_t spb_parts_page_start(uint32_t page);
static inline uint32_t spb_page_start(uint32_t page) {
    return SPB_ONE_PAGE_SIZE ? page * SPB_PAGE_SIZE : spb_parts_page_start(page);
}

static inline uint32_t spb_page_size(uint32_t page) {
    return SPB_ONE_PAGE_SIZE || page < SPB_PART_PAGES ? SPB_PAGE_SIZE : SPB_REST_PAGE_SIZE;
}

/* Bytes that a record of the journal takes on flash: whole program units. */
#define SPB_UNITS(size) (((size) + SPB_PROGRAM_UNIT - 1) / SPB_PROGRAM_UNIT * SPB_PROGRAM_UNIT)
#define SPB_ENTRY_UNIT SPB_UNITS(SPB_JOURNAL_ENTRY_SIZE)

/* The value of the entry at off of the journal: a page, or a step (journal.h); higher than both where none is. */
uint32_t spb_entry_read(uint32_t off);

#define SPB_ENTRY_ERASED 0x10000u   /* nor anything else */
#define SPB_ENTRY_NONE 0x10001u     /* something else, or it cannot be read */

/* The page that stands there in the list, counted from 0. */
static inline uint32_t spb_pages_at(uint32_t index) { return spb_entry_read(index * SPB_ENTRY_UNIT); }

/* Write one; flash is erased there. */
SPB_CHECKED enum spb_status spb_entry_write(uint32_t off, uint32_t value);

/* Of an image whose pages are in two slots. */
struct spb_pages {
    union {
        uint32_t count;             /* so many of the list, from its beginning, are in SLOT1 */
        uint32_t counts[SPB_PARTS]; /* the same; and its pages of the second part, the last ones, if it was committed, or
                                     * the page up to which SLOT1 was erased, of a candidate */
    };
    uint32_t saved;     /* not 0: so many from its end are, where trial.h keeps them, and the others of the list are not */
};

/* Its pages of the second part: the first ranks are theirs. */
static inline uint32_t spb_pages_rest(const struct spb_pages *list) { return SPB_PARTS > 1 ? list->counts[SPB_PARTS - 1] : 0; }

/* The list with so many of its pages saved. */
static inline struct spb_pages spb_pages_kept(const struct spb_pages *list, uint32_t saved) {
    struct spb_pages pages = {.count = list->count, .saved = saved};
    if (SPB_PARTS > 1) pages.counts[SPB_PARTS - 1] = spb_pages_rest(list);
    return pages;
}

/* Put the next page behind the others, which have lower numbers. */
SPB_CHECKED enum spb_status spb_pages_add(struct spb_pages *pages, uint32_t page);

/* The rank of a page of the list, counted from its end: in this order pages are installed.  SPB_PAGES_NONE when it is not
 * there. */
uint32_t spb_pages_rank(const struct spb_pages *pages, uint32_t page);

#define SPB_PAGES_NONE UINT32_MAX

#endif
