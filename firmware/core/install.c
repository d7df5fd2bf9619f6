/* SPDX-License-Identifier: MIT */
#include "install.h"

#include "seal.h"

/* The verdict of header and bytes together, when both are good.  It is added up in memory: where a load of it is skipped, the
 * register may still have the SPB_GOOD that something was compared with, which is not enough then. */
#define WHOLE ((enum spb_verdict)(SPB_GOOD + 1))

/* Bytes below the page of this rank that are erased with it: the ranks up to stop, where what they go to is pages of the second
 * part side by side.  The page of rank r is kept where that of rank r - SPB_JOURNAL_REST_BATCH was (trial.h). */
static uint32_t side_by_side(const struct spb_pages *pages, uint32_t rank, uint32_t stop, uint32_t save) {
    uint32_t high = pages->count - 1 - rank, rest = spb_pages_rest(pages);
    if (rank >= rest) return 0;
    uint32_t more = spb_lower(stop, rest) - 1 - rank;
    if (save) high += SPB_JOURNAL_REST_BATCH;
    return high < pages->count && spb_pages_at(high) - spb_pages_at(high - more) == more ? more * SPB_REST_PAGE_SIZE : 0;
}

/* One page of the list, by its rank (pages.h), up to the end of the image in whole units; the rest stays erased.  save: from
 * SLOT0 to its home, else the other way.  stop: no step tells of this page before those up to there are copied, too, so that
 * they may be erased with it: *bare bytes are still to come. */
__attribute__((noinline)) static enum spb_status copy_page(const struct spb_pages *pages, uint32_t rank, uint32_t stop,
                                                           struct spb_slot_work *work, uint32_t save, uint32_t *bare) {
    uint32_t page = spb_pages_at(pages->count - 1 - rank);
    uint32_t off = spb_page_start(page), len = spb_page_size(page);
    const struct spb_place at[2] = {{&spb_slot0, off}, spb_slot_place(pages, page)};
    const struct spb_place *into = at + save;
    uint32_t end = save ? SPB_SLOT_SIZE : spb_slot_end(work, SPB_PARTS > 1 && off >= SPB_PART_SIZE);
    if (at[0].area == at[1].area) return SPB_E_FLASH_ERROR;     /* I5 */
    if (off >= end) return SPB_OK;
    enum spb_status status = SPB_OK;
    if (SPB_BLOCK_PAGES == 0) {
        status = spb_area_erase(into->area, into->off, len);
    } else if (*bare != 0) {
        *bare -= len;
    } else {
        uint32_t more = side_by_side(pages, rank, stop, save);
        status = spb_area_erase(into->area, into->off - more, len + more);
        if (status == SPB_OK) *bare = more;
    }
    if (end - off < len) len = (end - off + SPB_COPY_UNIT - 1) / SPB_COPY_UNIT * SPB_COPY_UNIT;
    return status == SPB_OK ? spb_area_copy(at + (save ^ 1), into, len, &work->copy) : status;
}

/* Into SLOT0: ranks from one up to another. */
static enum spb_status copy_pages(const volatile uint32_t *verdict, const struct spb_pages *pages, uint32_t rank,
                                  uint32_t stop, struct spb_slot_work *work) {
    enum spb_status status = SPB_OK;
    uint32_t bare = 0;
    while (rank < stop && status == SPB_OK) {
        if (*verdict != WHOLE) return SPB_E_IMAGE_VERIFY_TAG_FAILURE;
        status = copy_page(pages, rank++, stop, work, 0, &bare);
        if (status == SPB_OK) spb_port.progress(rank, pages->count);
    }
    return status;
}

/* OLD's pages from this rank on to their homes, whole.  Its header is in SLOT0 until the last batch was saved. */
static inline __attribute__((always_inline)) void save_pages(const struct spb_pages *old, uint32_t rank, struct spb_slot_work *work) {
    if (SPB_SEALED) spb_seal_open(spb_area_start(&spb_slot0));
    uint32_t bare = 0;
    for (; rank < old->saved; rank++) (void)!copy_page(old, rank, old->saved, work, 1, &bare);
    if (SPB_SEALED) spb_seal_open(work->header);
}

/* Highest page first, so the header comes last and SLOT0 never looks complete before it is.  What is behind OLD's end is
 * saved, too, and may be unreadable: that OLD is whole where it is kept is looked at when it is wanted (trial.h T4).
 * left: pages that were judged in SLOT1; where it is wrong, a load of it that was skipped say, no other is copied. */
static enum spb_status install_pages(struct spb_journal *j, const volatile uint32_t *verdict, uint32_t left,
                                     struct spb_slot_work *work) {
    uint32_t all = j->pages.count, done = all - left;
    enum spb_status status = SPB_OK;
    spb_port.progress(done, all);
    while (done < all && status == SPB_OK) {
        uint32_t stop = spb_journal_batch_end(&j->pages, done);
        if (SPB_BLOCK_PAGES > 0 && spb_journal_saved(j) > done) stop = spb_journal_saved(j);    /* the batch that is under way */
        if (spb_journal_trial(j) && spb_journal_saved(j) < stop && spb_journal_has_room(j)) {
            const struct spb_pages old = spb_pages_kept(&j->pages, stop);
            save_pages(&old, done, work);
            status = spb_journal_append(j, SPB_JOURNAL_STEP_SAVED + stop);
        }
        if (status == SPB_OK) status = copy_pages(verdict, &j->pages, done, stop, work);
        if (status == SPB_OK) status = spb_journal_append(j, SPB_JOURNAL_STEP_INSTALLED + stop);
        done = stop;
    }
    return status;
}

/* Of the header of an image with these pages in SLOT1, which is copied into work. */
static enum spb_verdict vouched_for(struct spb_slot_work *work, const struct spb_pages *pages) {
    struct spb_place first = spb_slot_place(pages, 0);
    if (!spb_slot_header(first.area, first.off, work)) return (enum spb_verdict)0;
    return spb_slot_vouch(work);
}

/* Of its bytes as well, or WHOLE: both verdicts added up, not by XOR, as one with itself would make a good one (slot.h S2).
 * moved: as for spb_slot_match.  A bad header is none to hash by, and its verdict is not what is returned for it, should this
 * branch be a fault.  It asks for half of the verdict: of a register that was compared as a whole compilers know that it is
 * SPB_GOOD, and would take it away from itself below. */
static enum spb_verdict all_of(struct spb_slot_work *work, const struct spb_pages *pages, uint32_t moved, uint32_t header) {
    volatile uint32_t vouched = header;
    if ((uint16_t)vouched != (uint16_t)SPB_GOOD) return (enum spb_verdict)0;
    volatile uint32_t verdict = (uint32_t)spb_slot_match(work, pages, moved) + (WHOLE - SPB_GOOD);
    verdict += vouched - SPB_GOOD;
    return (enum spb_verdict)verdict;
}

/* Of OLD, or what is in SLOT0: an older key may have signed it (keys.h K3). */
static enum spb_verdict trusted(struct spb_slot_work *work, const struct spb_pages *pages) {
    struct spb_place first = spb_slot_place(pages, 0);
    if (!spb_slot_header(first.area, first.off, work)) return (enum spb_verdict)0;
    return spb_slot_trust(work);
}

static enum spb_verdict whole(struct spb_slot_work *work, const struct spb_pages *pages) {
    return all_of(work, pages, 0, SPB_KEYS_RECORDS > 0 ? trusted(work, pages) : vouched_for(work, pages));
}

static enum spb_install_result ended(struct spb_journal *j, uint32_t step, enum spb_install_result result) {
    return spb_journal_append(j, step) == SPB_OK ? result : SPB_INSTALL_FAILED;
}

/* I6, and trial.h T4. */
static enum spb_install_result go_back(struct spb_slot_work *work, struct spb_journal *j, enum spb_status why) {
    struct spb_pages old = spb_pages_kept(&j->pages, spb_journal_saved(j));
    __asm__ volatile("" : "+m"(old.saved));                         /* as in spb_install */
    volatile uint32_t verdict = whole(work, old.saved != 0 ? &old : NULL);
    if (verdict != WHOLE) {
        return spb_trial_runs(j) ? ended(j, SPB_JOURNAL_STEP_FINISHED, SPB_INSTALL_DONE) : SPB_INSTALL_FAILED;
    }
    if (copy_pages(&verdict, &old, 0, old.saved, work) != SPB_OK) return SPB_INSTALL_FAILED;
    return ended(j, SPB_JOURNAL_STEP_REVERTED + why, SPB_INSTALL_REVERTED);
}

/* Where it is, found anew for each comparison: a register that kept it over the calls before may have been given back
 * wrong by one of them, when the instruction is skipped with which it saves registers. */
static const volatile uint8_t *version_in(const struct spb_slot_work *work) {
    __asm__ volatile("" : "+r"(work));
    return work->header + SPB_MANIFEST_OFF_VERSION;
}

/* I1, I4: whether verdict becomes WHOLE.  The page with SLOT0's header is written in the last step; before it the old
 * header still stands.  Versions are compared twice, and what is wrong is added to the verdict (slot.h S2). */
static void acceptable(struct spb_slot_work *work, const struct spb_pages *pages, volatile uint32_t *verdict) {
    volatile uint32_t floor = UINT32_MAX, again = UINT32_MAX;       /* unless stored: no version is that high */
    floor = spb_slot_floor_once(work);
    again = spb_slot_floor_once(work);
    volatile uint32_t header = vouched_for(work, pages);            /* or it is known to be good below */
    volatile uint32_t low = spb_manifest_below(version_in(work), floor);    /* before a long call gives registers back */
    *verdict = (uint32_t)all_of(work, pages, pages->count, header);
    *verdict += 2 * low;                /* of unlike weight: a word that is all ones takes neither away */
    *verdict += 3 * spb_manifest_below(version_in(work), again);
}

/* NEW is not to be installed, or not any more.  Where SLOT0 is an image, nothing is half done. */
static enum spb_install_result refuse(struct spb_slot_work *work, struct spb_journal *j) {
    if (j->begun && whole(work, NULL) != WHOLE) return go_back(work, j, SPB_E_IMAGE_VERIFY_TAG_FAILURE);
    return spb_journal_erase() == SPB_OK ? SPB_INSTALL_REFUSED : SPB_INSTALL_FAILED;
}

/* OLD is kept if NEW wants that and there is room. */
static enum spb_status begin(const struct spb_slot_work *work, struct spb_journal *j) {
    bool trial = (work->header[SPB_MANIFEST_OFF_KIND] & SPB_MANIFEST_KIND_TRIAL) != 0 && spb_trial_fits(&j->pages);
    return spb_journal_append(j, trial ? SPB_JOURNAL_STEP_SAVED : SPB_JOURNAL_STEP_INSTALLED);
}

enum spb_install_result spb_install(struct spb_slot_work *work, uint32_t starts) {
    volatile uint32_t verdict = SPB_BAD;
    struct spb_journal *j = &spb_last;
    if (SPB_SINGLE_SLOT) return SPB_INSTALL_NOTHING;
    spb_journal_open(j);
    bool runs = spb_trial_runs(j);
    if (!spb_journal_committed(j) || spb_journal_finished(j)) return SPB_INSTALL_NOTHING;
    uint32_t tried = spb_journal_tried(j);
    if (runs && tried >= starts) return go_back(work, j, SPB_E_NOT_CONFIRMED);
    if (!runs) {
        struct spb_pages left = {.count = j->pages.count - spb_journal_installed(j)};
        __asm__ volatile("" : "+m"(left));                          /* what is judged is what is copied: not calculated twice */
        acceptable(work, &left, &verdict);
        if (verdict != WHOLE) return refuse(work, j);
        if (!spb_areas_writable()) return SPB_INSTALL_FAILED;
        if (!j->begun && begin(work, j) != SPB_OK) return SPB_INSTALL_FAILED;
        if (install_pages(j, &verdict, left.count, work) != SPB_OK) return SPB_INSTALL_FAILED;
        if (!spb_trial_runs(j)) return ended(j, SPB_JOURNAL_STEP_FINISHED, SPB_INSTALL_DONE);
    }
    return ended(j, SPB_JOURNAL_STEP_TRIED + 1 + tried, SPB_INSTALL_TRIAL);
}
