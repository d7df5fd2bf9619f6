/* SPDX-License-Identifier: MIT */
#include "install.h"

/* Copy one page, up to the end of the image in whole units; the rest stays erased. */
static enum spb_status copy_page(uint32_t off, uint32_t len, uint32_t end) {
    uint32_t used = end - off < len ? (end - off + SPB_COPY_UNIT - 1) / SPB_COPY_UNIT * SPB_COPY_UNIT : len;
    enum spb_status status = spb_area_erase(&spb_slot0, off, len);
    return status == SPB_OK ? spb_area_copy(&spb_slot1, &spb_slot0, off, used) : status;
}

/* Highest page first, so the header comes last and SLOT0 never looks complete before it is.  A list that has become
 * shorter since the steps were written (pages.h Q1) is begun anew. */
static enum spb_status copy_pages(struct spb_journal *j, uint32_t end, const volatile enum spb_verdict *verdict,
                                  spb_install_progress progress) {
    uint32_t all = j->pages.count, nth = j->steps <= all ? j->steps : 0, since = 0;
    progress(nth, all);
    enum spb_status status = j->begun ? SPB_OK : spb_journal_append(j, SPB_JOURNAL_DONE(0));
    while (nth < all && status == SPB_OK) {
        if (*verdict != SPB_GOOD) return SPB_E_IMAGE_VERIFY_TAG_FAILURE;
        uint32_t page = spb_entry_read((all - ++nth) * SPB_ENTRY_UNIT);
        if (page >= SPB_PAGES) return SPB_E_FLASH_ERROR;        /* I5 */
        uint32_t off = spb_page_start(page), len = spb_page_start(page + 1) - off;
        if (off < end) status = copy_page(off, len, end);
        since += len;
        if (status == SPB_OK && since >= SPB_JOURNAL_STEP_EVERY) {
            status = spb_journal_append(j, SPB_JOURNAL_DONE(nth));
            since = 0;
        }
        if (status == SPB_OK) progress(nth, all);
    }
    return status;
}

/* Where it is, found anew for each comparison: a register that kept it over the calls before may have been given back
 * wrong by one of them, when the instruction is skipped with which it saves registers. */
static const volatile uint8_t *version_in(const struct spb_slot_work *work) {
    __asm__ volatile("" : "+r"(work));
    return work->header + SPB_MANIFEST_OFF_VERSION;
}

/* I1, I4.  The page with SLOT0's header is written in the last step; before it the old header still stands.
 * Versions are compared twice, and what is wrong is added to the verdict (slot.h S2). */
static enum spb_verdict acceptable(struct spb_slot_work *work, const struct spb_pages *pages) {
    volatile uint32_t floor = UINT32_MAX, again = UINT32_MAX;       /* unless stored: no version is that high */
    floor = spb_slot_floor_once(work);
    again = spb_slot_floor_once(work);
    if (!spb_slot_header(&spb_slot1, work)) return (enum spb_verdict)0;
    volatile uint32_t vouched = (uint32_t)spb_slot_vouch(work);     /* or it is known to be good below */
    if (vouched != SPB_GOOD) return (enum spb_verdict)0;            /* not itself, should this branch be a fault */
    volatile uint32_t low = spb_manifest_below(version_in(work), floor);    /* before a long call gives registers back */
    volatile uint32_t verdict = (uint32_t)spb_slot_match(work, pages, pages->count);      /* as in slot.c */
    verdict += vouched - SPB_GOOD;      /* not by XOR: of a verdict with itself it would make a good one */
    verdict += 2 * low;                 /* of unlike weight: a word that is all ones takes neither away */
    verdict += 3 * spb_manifest_below(version_in(work), again);
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
