/* SPDX-License-Identifier: MIT */
/* trial.h - NEW is on trial until it confirms itself; OLD is kept in SLOT1, and comes back when it does not.
 * A page of SLOT0 is saved in SLOT1 before it is replaced: those of the first batch (journal.h) in pages of SLOT1 that NEW
 * does not use,
 * those of each later batch where the batch before it was, which is installed by then.  A rank counts the pages of the list
 * in the order of the install: 0 is the highest page.
 * T1  NEW is whole at every cut: ranks that a step calls installed are in SLOT0, the others in SLOT1.
 * T2  So is OLD: ranks that a step calls saved are at their homes in SLOT1, all other pages in SLOT0.
 * T3  A batch that is under way is done again from its beginning: what it reads, it does not write.
 * T4  Going back writes SLOT0 alone, and begins after OLD was verified where it is kept.
 * T5  Once NEW is confirmed no cut brings OLD back: a trial has a mark, and the header in SLOT1 that the mark is bound to is
 *     gone before the journal is erased. */
#ifndef SPB_TRIAL_H
#define SPB_TRIAL_H

#include "journal.h"

/* Pages that an update on trial may change: its list leaves a batch of pages of SLOT1 free, of each part, and the journal
 * room for two steps a batch, the last of which may be a part of one.  0: no trials. */
#define SPB_TRIAL_STEPS ((SPB_JOURNAL_ROOM - 2) * SPB_JOURNAL_BATCH / (SPB_JOURNAL_BATCH + 2))
#define SPB_TRIAL_FREE (SPB_PART_PAGES > SPB_JOURNAL_BATCH ? SPB_PART_PAGES - SPB_JOURNAL_BATCH : 0u)
#define SPB_TRIAL_REST_FREE (SPB_REST_PAGES > SPB_JOURNAL_REST_BATCH ? SPB_REST_PAGES - SPB_JOURNAL_REST_BATCH : 0u)
#define SPB_TRIAL_PAGES (SPB_TRIAL_FREE < SPB_TRIAL_STEPS ? SPB_TRIAL_FREE : SPB_TRIAL_STEPS)
#define SPB_TRIAL_ROOM (SPB_TRIAL_STARTS == 0 || SPB_SINGLE_SLOT ? 0u : SPB_PARTS > 1 ? SPB_TRIAL_FREE + SPB_TRIAL_REST_FREE : SPB_TRIAL_PAGES)
bool spb_trial_parts_fit(const struct spb_pages *list);
static inline bool spb_trial_fits(const struct spb_pages *list) {
    return list->count <= SPB_TRIAL_ROOM && (SPB_PARTS == 1 || spb_trial_parts_fit(list));
}

/* The page of SLOT1 in which the page of this rank is kept, of a list of count pages, rest of which are of the second part;
 * none that there is, when the list cannot be read. */
uint32_t spb_trial_home(uint32_t count, uint32_t rest, uint32_t rank);

/* True when NEW is installed, OLD is kept, and neither was chosen. */
bool spb_trial_runs(const struct spb_journal *j);

/* NEW keeps its place; OK also where nothing is on trial. */
SPB_CHECKED enum spb_status spb_trial_confirm(void);

#endif
