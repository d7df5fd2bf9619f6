/* SPDX-License-Identifier: MIT */
#include "install.h"

#include <string.h>

/* Copy one page, up to the end of the image in whole program units; the rest stays erased. */
static enum spb_status copy_page(uint32_t page, uint32_t end) {
    uint32_t off = page * SPB_PAGE_SIZE;
    uint32_t len = end - off < SPB_PAGE_SIZE ? end - off : SPB_PAGE_SIZE;
    len = (len + SPB_PROGRAM_UNIT - 1) / SPB_PROGRAM_UNIT * SPB_PROGRAM_UNIT;
    const uint8_t *from = spb_area_probe(&spb_port.slot1, off, len);
    if (from == NULL) return SPB_E_FLASH_ERROR;
    enum spb_status status = spb_area_erase(&spb_port.slot0, off, SPB_PAGE_SIZE);
    if (status != SPB_OK) return status;
    status = spb_area_program(&spb_port.slot0, off, from, len);
    spb_port.alive();
    if (status != SPB_OK) return status;
    const uint8_t *copy = spb_area_probe(&spb_port.slot0, off, len);
    return copy != NULL && memcmp(copy, from, len) == 0 ? SPB_OK : SPB_E_FLASH_ERROR;
}

static uint32_t count_pages(const struct spb_pages *pages, uint32_t used) {
    uint32_t n = 0;
    for (uint32_t page = 0; page < used; page++) n += spb_pages_has(pages, page);
    return n;
}

/* Highest page first, so the header comes last and SLOT0 never looks complete before it is. */
static enum spb_status copy_pages(struct spb_journal *j, uint32_t end, spb_install_progress progress) {
    uint32_t used = (end + SPB_PAGE_SIZE - 1) / SPB_PAGE_SIZE;
    uint32_t all = count_pages(&j->pages, used);
    uint32_t nth = 0;
    progress(j->steps, all);
    for (uint32_t page = used; page-- > 0;) {
        if (!spb_pages_has(&j->pages, page)) continue;
        if (nth++ < j->steps) continue;
        enum spb_status status = copy_page(page, end);
        if (status != SPB_OK) return status;
        status = spb_journal_append(j, nth);
        if (status != SPB_OK) return status;
        progress(nth, all);
    }
    return SPB_OK;
}

/* I1, I4.  The page with SLOT0's header is written in the last step; before it the old header still stands. */
static enum spb_verdict acceptable(struct spb_slot_work *work, const struct spb_pages *pages) {
    uint32_t floor = spb_slot_floor(work);
    if (!spb_slot_header(&spb_port.slot1, work) || spb_slot_vouch(work) != SPB_GOOD) return SPB_BAD;
    if (SPB_MANIFEST_U32(work->header, VERSION) < floor) return SPB_BAD;
    return spb_slot_match(work->header, pages);
}

enum spb_install_result spb_install(struct spb_slot_work *work, spb_install_progress progress) {
    struct spb_journal j;
    if (SPB_SINGLE_SLOT || !spb_slot_header(&spb_port.slot1, work)) return SPB_INSTALL_NOTHING;
    spb_journal_open(&j, work->header);
    if (!j.committed || j.finished) return SPB_INSTALL_NOTHING;
    if (acceptable(work, &j.pages) != SPB_GOOD) {
        if (j.steps > 0) return SPB_INSTALL_FAILED;
        return spb_journal_erase() == SPB_OK ? SPB_INSTALL_REFUSED : SPB_INSTALL_FAILED;
    }
    uint32_t end = SPB_VECTOR_SIZE + SPB_MANIFEST_U32(work->header, IMAGE_SIZE);
    if (copy_pages(&j, end, progress) != SPB_OK) return SPB_INSTALL_FAILED;
    return spb_journal_append(&j, SPB_JOURNAL_STEP_FINISHED) == SPB_OK ? SPB_INSTALL_DONE : SPB_INSTALL_FAILED;
}
