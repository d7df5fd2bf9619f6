/* SPDX-License-Identifier: MIT */
#include "trial.h"

uint32_t spb_trial_home(uint32_t count, uint32_t rank) {
    if (rank >= SPB_JOURNAL_BATCH) return spb_pages_at(count - 1 - (rank - SPB_JOURNAL_BATCH));
    uint32_t page = SPB_PAGES - 1 - rank;       /* the one of this rank among those that are not in the list */
    while (count > 0) {
        uint32_t listed = spb_pages_at(--count);
        if (listed >= SPB_PAGES) return listed;
        if (listed < page) break;
        page--;
    }
    return page;
}

bool spb_trial_runs(const struct spb_journal *j) {
    uint32_t all = j->pages.count;
    return j->marked && spb_journal_saved(j) >= all && spb_journal_installed(j) >= all && !spb_journal_finished(j);
}

enum spb_status spb_trial_confirm(void) {
    return spb_trial_runs(&spb_last) ? spb_journal_append(&spb_last, SPB_JOURNAL_STEP_FINISHED) : SPB_OK;
}
