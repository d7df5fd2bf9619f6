/* SPDX-License-Identifier: MIT */
#include "pages.h"

#include <string.h>

#include "bytes.h"

/* Not inlined: a call is shorter than any of the many copies. */
__attribute__((noinline)) uint32_t spb_parts_page_of(uint32_t off) {
    if (off < SPB_PART_SIZE) return off / SPB_PAGE_SIZE;
    return SPB_PART_PAGES + (off - SPB_PART_SIZE) / SPB_REST_PAGE_SIZE;
}

__attribute__((noinline)) uint32_t spb_parts_page_start(uint32_t page) {
    if (page < SPB_PART_PAGES) return page * SPB_PAGE_SIZE;
    return SPB_PART_SIZE + (page - SPB_PART_PAGES) * SPB_REST_PAGE_SIZE;
}

uint32_t spb_entry_read(uint32_t off) {
    uint32_t unit[SPB_ENTRY_UNIT / 4], used = 0, i = SPB_ENTRY_UNIT / 4;
    if (!spb_area_read_here(&spb_journal, off, unit, sizeof unit)) return SPB_ENTRY_NONE;
    do used |= unit[--i] ^ SPB_ERASED * 0x01010101u;
    while (i > 0);
    if (used == 0) return SPB_ENTRY_ERASED;
    uint32_t value = unit[0] & 0xFFFF;
    return value == ~unit[0] >> 16 ? value : SPB_ENTRY_NONE;
}

enum spb_status spb_entry_write(uint32_t off, uint32_t value) {
    _Alignas(4) uint8_t entry[SPB_ENTRY_UNIT];
    memset(entry, SPB_ERASED, sizeof entry);
    spb_put_word(entry, value | ~value << 16);
    return spb_area_program(&spb_journal, off, entry, sizeof entry);
}

enum spb_status spb_pages_add(struct spb_pages *pages, uint32_t page) {
    uint32_t off = pages->count++ * SPB_ENTRY_UNIT;
    return SPB_SINGLE_SLOT ? SPB_OK : spb_entry_write(off, page);
}

uint32_t spb_pages_rank(const struct spb_pages *pages, uint32_t page) {
    uint32_t low = 0, high = SPB_SINGLE_SLOT ? 0 : pages->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        uint32_t found = spb_pages_at(middle);
        if (found == page) return pages->count - 1 - middle;
        if (found < page) low = middle + 1;
        else high = middle;
    }
    return SPB_PAGES_NONE;
}
