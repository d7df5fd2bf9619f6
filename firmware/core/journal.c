/* SPDX-License-Identifier: MIT */
#include "journal.h"

#include <string.h>

#define MARK_UNIT SPB_UNITS(SPB_JOURNAL_MARK_SIZE)
#define STEPS (SPB_SLOT_SIZE / SPB_JOURNAL_STEP_EVERY < SPB_PAGES ? SPB_SLOT_SIZE / SPB_JOURNAL_STEP_EVERY : SPB_PAGES)
#define SPARE 16u               /* steps: that it begins, that it is finished, and torn ones */

_Static_assert(SPB_PAGES < SPB_JOURNAL_STEP, "a page is no step");
_Static_assert(SPB_SINGLE_SLOT || (SPB_PAGES + STEPS + SPARE) * SPB_ENTRY_UNIT + MARK_UNIT <= SPB_JOURNAL_SIZE, "room for all");

enum spb_status spb_journal_erase(void) {
    return spb_area_erase(&spb_journal, 0, SPB_JOURNAL_SIZE);
}

/* Binds the mark to the header it was written for: no two have the same signature.  The list is bound to it by its place:
 * behind a list that has lost an entry there is no mark. */
static uint32_t mark_check(const uint8_t *header) { return spb_word(header + SPB_HEADER_OFF_SIGNATURE); }

enum spb_status spb_journal_commit(const uint8_t header[SPB_HEADER_SIZE], const struct spb_pages *pages) {
    _Alignas(4) uint8_t record[MARK_UNIT];
    memset(record, SPB_ERASED, sizeof record);
    spb_put_word(record + SPB_JOURNAL_MARK_OFF_MAGIC, SPB_JOURNAL_COMMIT_MAGIC);
    spb_put_word(record + SPB_JOURNAL_MARK_OFF_CHECK, mark_check(header));
    return spb_area_program(&spb_journal, pages->count * SPB_ENTRY_UNIT, record, sizeof record);
}

/* Records are appended in order, so the last one that is not erased bounds them; a torn erase may leave holes.  A step
 * counts wherever it stands: the list in front of it may have become shorter (J6). */
static void read_steps(struct spb_journal *j, uint32_t off) {
    for (j->next = off; off <= SPB_JOURNAL_SIZE - SPB_ENTRY_UNIT; off += SPB_ENTRY_UNIT) {
        uint32_t step = spb_entry_read(off);
        if (step == SPB_ENTRY_ERASED) continue;
        j->next = off + SPB_ENTRY_UNIT;
        if (step < SPB_JOURNAL_STEP || step == SPB_ENTRY_NONE) continue;
        j->begun = 1;
        if (step == SPB_JOURNAL_STEP_FINISHED) j->finished = 1;
        else if (step - SPB_JOURNAL_STEP > j->steps) j->steps = step - SPB_JOURNAL_STEP;
    }
}

/* Records for another header than that in SLOT1 are told by the hash of what they would install. */
void spb_journal_open(struct spb_journal *j, const uint8_t header[SPB_HEADER_SIZE]) {
    uint32_t mark[SPB_JOURNAL_MARK_SIZE / 4], off = 0;
    memset(j, 0, sizeof *j);
    while (spb_entry_read(off) < SPB_JOURNAL_STEP) off += SPB_ENTRY_UNIT;
    j->pages.count = off / SPB_ENTRY_UNIT;
    read_steps(j, off + MARK_UNIT);
    j->committed = j->begun;
    if (!spb_area_read(&spb_journal, off, mark, sizeof mark)) return;
    j->committed |= spb_word((uint8_t *)mark + SPB_JOURNAL_MARK_OFF_MAGIC) == SPB_JOURNAL_COMMIT_MAGIC &&
                    spb_word((uint8_t *)mark + SPB_JOURNAL_MARK_OFF_CHECK) == mark_check(header);
}

enum spb_status spb_journal_append(struct spb_journal *j, uint32_t step) {
    if (j->next > SPB_JOURNAL_SIZE - SPB_ENTRY_UNIT) {
        return step == SPB_JOURNAL_STEP_FINISHED ? spb_journal_erase() : SPB_OK;
    }
    j->next += SPB_ENTRY_UNIT;
    return spb_entry_write(j->next - SPB_ENTRY_UNIT, step);
}
