/* SPDX-License-Identifier: MIT */
#include "install.h"

#include <string.h>

#define STEP SPB_READ_MAX                                       /* bytes copied at a time */
#define UNIT (SPB_PROGRAM_UNIT < 4 ? 4u : SPB_PROGRAM_UNIT)     /* read in words */

_Static_assert(SPB_PAGE_SIZE % STEP == 0 && STEP % UNIT == 0, "whole steps and units");

/* One step's bytes from SLOT1 to SLOT0, and back to see that they are there.  Its frame is not on the stack under a
 * signature check. */
__attribute__((noinline)) static enum spb_status copy_step(uint32_t off, uint32_t len) {
    uint32_t from[STEP / 4], to[STEP / 4];
    if (!spb_area_read(&spb_slot1, off, from, len)) return SPB_E_FLASH_ERROR;
    enum spb_status status = spb_area_program(&spb_slot0, off, (uint8_t *)from, len);
    if (status != SPB_OK) return status;
    return spb_area_read(&spb_slot0, off, to, len) && memcmp(to, from, len) == 0 ? SPB_OK : SPB_E_FLASH_ERROR;
}

/* Copy one page, up to the end of the image in whole program units; the rest stays erased. */
static enum spb_status copy_page(uint32_t page, uint32_t end) {
    uint32_t off = page * SPB_PAGE_SIZE;
    uint32_t stop = end - off < SPB_PAGE_SIZE ? (end + UNIT - 1) / UNIT * UNIT : off + SPB_PAGE_SIZE;
    enum spb_status status = spb_area_erase(&spb_slot0, off, SPB_PAGE_SIZE);
    for (; off < stop && status == SPB_OK; off += STEP) {
        status = copy_step(off, stop - off < STEP ? stop - off : STEP);
        spb_port.alive();
    }
    return status;
}

/* Highest page first, so the header comes last and SLOT0 never looks complete before it is. */
static enum spb_status copy_pages(struct spb_journal *j, uint32_t end, const volatile enum spb_verdict *verdict,
                                  spb_install_progress progress) {
    uint32_t used = (end + SPB_PAGE_SIZE - 1) / SPB_PAGE_SIZE;
    uint32_t all = spb_pages_count(&j->pages, used);
    uint32_t nth = 0;
    progress(j->steps, all);
    enum spb_status status = j->begun ? SPB_OK : spb_journal_append(j, 0);
    for (uint32_t page = used; page-- > 0 && status == SPB_OK;) {
        if (!spb_pages_has(&j->pages, page)) continue;
        if (nth++ < j->steps) continue;
        if (*verdict != SPB_GOOD) return SPB_E_IMAGE_VERIFY_TAG_FAILURE;
        status = copy_page(page, end);
        if (status == SPB_OK) status = spb_journal_append(j, nth);
        if (status == SPB_OK) progress(nth, all);
    }
    return status;
}

/* I1, I4.  The page with SLOT0's header is written in the last step; before it the old header still stands.
 * Versions are compared twice, and what is wrong is added to the verdict (slot.h S2). */
static enum spb_verdict acceptable(struct spb_slot_work *work, const struct spb_pages *pages) {
    volatile uint32_t floor = UINT32_MAX;       /* unless it is stored: no version is that high */
    floor = spb_slot_floor(work);
    if (!spb_slot_header(&spb_slot1, work)) return SPB_BAD;
    uint32_t vouched = (uint32_t)spb_slot_vouch(work);
    if (vouched != SPB_GOOD) return SPB_BAD;
    volatile const uint8_t *version = work->header + SPB_MANIFEST_OFF_VERSION;
    uint32_t verdict = (uint32_t)spb_slot_match(work, pages);
    verdict ^= vouched ^ SPB_GOOD;
    verdict ^= spb_manifest_below(version, floor);
    verdict ^= spb_manifest_below(version, floor) << 1;
    return (enum spb_verdict)verdict;
}

enum spb_install_result spb_install(struct spb_slot_work *work, spb_install_progress progress) {
    volatile enum spb_verdict verdict = SPB_BAD;
    struct spb_journal j;
    if (SPB_SINGLE_SLOT || !spb_slot_header(&spb_slot1, work)) return SPB_INSTALL_NOTHING;
    spb_journal_open(&j, work->header);
    if (!j.committed || j.finished) return SPB_INSTALL_NOTHING;
    verdict = acceptable(work, &j.pages);
    if (verdict != SPB_GOOD) {
        if (j.begun) return SPB_INSTALL_FAILED;
        return spb_journal_erase() == SPB_OK ? SPB_INSTALL_REFUSED : SPB_INSTALL_FAILED;
    }
    if (!spb_area_writable(&spb_slot0) || !spb_area_writable(&spb_journal)) return SPB_INSTALL_FAILED;
    uint32_t end = SPB_VECTOR_SIZE + SPB_MANIFEST_U32(work->header, IMAGE_SIZE);
    if (copy_pages(&j, end, &verdict, progress) != SPB_OK) return SPB_INSTALL_FAILED;
    return spb_journal_append(&j, SPB_JOURNAL_STEP_FINISHED) == SPB_OK ? SPB_INSTALL_DONE : SPB_INSTALL_FAILED;
}
