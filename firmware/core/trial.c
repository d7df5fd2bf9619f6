/* SPDX-License-Identifier: MIT */
#include "trial.h"

/* Of the pages of the list, those of the second part have the first ranks; each part has spare pages of its own. */
uint32_t spb_trial_home(uint32_t count, uint32_t rest, uint32_t rank) {
    uint32_t pages = SPB_PAGES, batch = SPB_JOURNAL_BATCH;
    if (SPB_PARTS > 1 && rank < rest) {
        batch = SPB_JOURNAL_REST_BATCH;
    } else if (SPB_PARTS > 1) {
        count -= rest;
        rank -= rest;
        pages = SPB_PART_PAGES;
    }
    if (rank >= batch) return spb_pages_at(count - 1 - (rank - batch));
    uint32_t page = pages - 1 - rank;       /* the one of this rank among those that are not in the list */
    while (count > 0) {
        uint32_t listed = spb_pages_at(--count);
        if (listed >= SPB_PAGES) return listed;
        if (listed < page) break;
        page--;
    }
    return page;
}

bool spb_trial_parts_fit(const struct spb_pages *list) {
    uint32_t rest = spb_pages_rest(list), batches = 0;
    if (list->count - rest > SPB_TRIAL_FREE || rest > SPB_TRIAL_REST_FREE) return false;
    for (uint32_t rank = 0; rank < list->count; batches++) rank = spb_journal_batch_end(list, rank);
    return list->count + 2 * batches + 2 <= SPB_JOURNAL_ROOM;
}

bool spb_trial_runs(const struct spb_journal *j) {
    uint32_t all = j->pages.count;
    return j->marked && spb_journal_saved(j) >= all && spb_journal_installed(j) >= all && !spb_journal_finished(j);
}

enum spb_status spb_trial_confirm(void) {
    return spb_trial_runs(&spb_last) ? spb_journal_append(&spb_last, SPB_JOURNAL_STEP_FINISHED) : SPB_OK;
}
