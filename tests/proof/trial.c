/* SPDX-License-Identifier: MIT */
/* trial.c - where a page of OLD is kept, what is on trial, and what confirms it, whatever the journal says.
 * Bound: slots of as many pages, and batches of as many, as the runner says (spb_config.h); any list, in order or not.
 * Entries, and what was read of the journal, are any values: journal.c proves what they are.
 * T2, T3: a page of OLD is kept where NEW has none that is still to be installed, and where no other is kept.  T5: what
 * has no mark, or an end, is not on trial; a confirmation is recorded, and nothing else is. */
#include "proof.h"

#include "trial.h"

#define MARK_UNIT SPB_UNITS(SPB_JOURNAL_MARK_SIZE)

struct spb_journal spb_last;
static uint32_t entries[SPB_PAGES], appended;
static enum spb_status answer;

uint32_t spb_entry_read(uint32_t off) {
    PROVE(off % SPB_ENTRY_UNIT == 0 && off / SPB_ENTRY_UNIT < SPB_PAGES, "an entry of the list is read");
    return entries[off / SPB_ENTRY_UNIT];
}

enum spb_status spb_journal_append(struct spb_journal *j, uint32_t step) {
    PROVE(j == &spb_last, "the journal is the one that this boot has read");
    PROVE(step == SPB_JOURNAL_STEP_FINISHED, "T5: it is the end that is recorded");
    appended++;
    return answer;
}

/* Pages that there are, each higher than the one before it. */
static bool in_order(uint32_t count) {
    bool good = true;
    for (uint32_t i = 0; i < count; i++) good &= entries[i] < SPB_PAGES && (i == 0 || entries[i - 1] < entries[i]);
    return good;
}

static void prove_home(void) {
    uint32_t count = 1 + any_below(SPB_PAGES), rank = any_below(SPB_PAGES), other = any_below(SPB_PAGES);
    ASSUME(rank < count && other < count);
    uint32_t home = spb_trial_home(count, 0, rank);
    PROVE(home < SPB_PAGES || home <= SPB_ENTRY_NONE || home > UINT32_MAX - SPB_PAGES, "other places no area has");
    bool lost = rank < SPB_JOURNAL_BATCH && entries[count - 1] >= SPB_PAGES;
    PROVE(!lost || home >= SPB_PAGES, "what is not read is no place");
    const struct spb_pages list = {.count = count};
    if (!in_order(count) || !spb_trial_fits(&list)) return;
    PROVE(home < SPB_PAGES, "a page of SLOT1 is where a page is kept");
    if (other != rank) PROVE(spb_trial_home(count, 0, other) != home, "T2: no two pages are kept in one");
    if (other >= rank - rank % SPB_JOURNAL_BATCH) {
        PROVE(home != entries[count - 1 - other], "T3: no page is there that is to be installed yet");
    }
}

/* Entries of the list and the mark, then a beginning and two steps for each batch. */
static void prove_room(void) {
    uint32_t count = any_below(SPB_PAGES + 1), batch = any_below(SPB_PAGES);
    const struct spb_pages list = {.count = count};
    ASSUME(spb_trial_fits(&list) && batch * SPB_JOURNAL_BATCH < count);
    struct spb_journal j = {.next = (count + 1 + 2 * batch) * SPB_ENTRY_UNIT + MARK_UNIT};
    PROVE(spb_journal_has_room(&j), "there is room for the steps of each batch");
}

static void prove_trial(void) {
    ANY(&spb_last);
    answer = (enum spb_status)any_u32();
    bool runs = spb_trial_runs(&spb_last);
    if (runs) {
        PROVE(spb_last.marked != 0 && !spb_journal_finished(&spb_last), "T5: what is on trial has a mark and no end");
        PROVE(spb_journal_installed(&spb_last) >= spb_last.pages.count, "NEW is installed");
        PROVE(spb_journal_saved(&spb_last) >= spb_last.pages.count, "and OLD is kept");
    }
    enum spb_status status = spb_trial_confirm();
    PROVE(appended == runs, "T5: what is on trial is told that it stays, and nothing else is");
    PROVE(status == (runs ? answer : SPB_OK), "and whether flash has taken it");
}

int main(void) {
    ANY(entries);
    for (uint32_t i = 0; i < SPB_PAGES; i++) ASSUME(entries[i] <= SPB_ENTRY_NONE);
    prove_home();
    prove_room();
    prove_trial();
    return 0;
}
