/* SPDX-License-Identifier: MIT */
#include "journal.h"

#include <string.h>

#define MARK_UNIT SPB_UNITS(SPB_JOURNAL_MARK_SIZE)

_Static_assert(SPB_PAGES < SPB_JOURNAL_STEP_SAVED - SPB_JOURNAL_STEP_INSTALLED, "a step of one kind is none of another");
_Static_assert(SPB_BLOCK_PAGES == 0 || SPB_BLOCK_PAGES == SPB_JOURNAL_REST_BATCH, "a block is a batch");
_Static_assert(SPB_STATUS_COUNT <= 0x100, "a step has room for a status");
_Static_assert(SPB_SINGLE_SLOT || SPB_PAGES + SPB_PART_PAGES / SPB_JOURNAL_BATCH +
                   (SPB_PARTS > 1) * (SPB_REST_PAGES / SPB_JOURNAL_REST_BATCH + 1) <= SPB_JOURNAL_ROOM, "room for all");

enum spb_status spb_journal_erase(void) {
    memset(&spb_last, 0, sizeof spb_last);
    return spb_area_erase(&spb_journal, 0, SPB_JOURNAL_SIZE);
}

/* The mark is bound to the header it is written for: no two have the same signature.  The list is bound to it by its place:
 * behind a list that has lost an entry there is no mark. */
enum spb_status spb_journal_commit(const uint8_t header[SPB_HEADER_SIZE], const struct spb_pages *pages) {
    _Alignas(4) uint8_t record[MARK_UNIT];
    memset(record, SPB_ERASED, sizeof record);
    spb_put_word(record + SPB_JOURNAL_MARK_OFF_MAGIC, SPB_JOURNAL_COMMIT_MAGIC);
    spb_put_word(record + SPB_JOURNAL_MARK_OFF_CHECK, spb_word(header + SPB_HEADER_OFF_SIGNATURE));
    spb_last.marked = 1;
    spb_last.pages.count = pages->count;
    spb_last.version = SPB_MANIFEST_U32(header, VERSION);
    return spb_area_program(&spb_journal, pages->count * SPB_ENTRY_UNIT, record, sizeof record);
}

/* The block that a page is in, of the second part. */
static uint32_t block_of(uint32_t page) { return SPB_BLOCK_PAGES > 0 ? (page - SPB_PART_PAGES) / SPB_BLOCK_PAGES : 0; }

__attribute__((noinline)) uint32_t spb_journal_parts_end(const struct spb_pages *list, uint32_t rank) {
    uint32_t rest = spb_pages_rest(list), last = list->count - 1;
    if (rank >= rest) return spb_lower(list->count, rank + SPB_JOURNAL_BATCH);
    uint32_t end = spb_lower(rest, rank + SPB_JOURNAL_REST_BATCH);
    if (SPB_BLOCK_PAGES == 0) return end;
    uint32_t block = block_of(spb_pages_at(last - rank));
    while (++rank < end && block_of(spb_pages_at(last - rank)) == block) continue;
    return rank;
}

static void read_step(struct spb_journal *j, uint32_t step) {
    uint32_t *last = j->last + (step >> 13 & 3);
    if (step >> 15 == 1 && step > *last) *last = step;
}

/* Records are appended in order, so the last one that is not erased bounds them; a torn erase may leave holes.  A step
 * counts wherever it stands: the list in front of it may have become shorter (J6). */
static void read_steps(struct spb_journal *j, uint32_t off) {
    for (j->next = off; off <= SPB_JOURNAL_SIZE - SPB_ENTRY_UNIT; off += SPB_ENTRY_UNIT) {
        uint32_t step = spb_entry_read(off);
        if (step == SPB_ENTRY_ERASED) continue;
        j->next = off + SPB_ENTRY_UNIT;
        read_step(j, step);
    }
}

/* Records for another header than that in SLOT1 are told by the hash of what they would install. */
void spb_journal_open(struct spb_journal *j) {
    uint32_t mark[SPB_JOURNAL_MARK_SIZE / 4], signature, off = 0;
    memset(j, 0, sizeof *j);
    if (SPB_SINGLE_SLOT) return;
    for (uint32_t page; (page = spb_entry_read(off)) < SPB_JOURNAL_STEP; off += SPB_ENTRY_UNIT) {
        if (SPB_PARTS > 1) j->pages.counts[SPB_PARTS - 1] += page >= SPB_PART_PAGES;
    }
    j->pages.count = off / SPB_ENTRY_UNIT;
    read_steps(j, off + MARK_UNIT);
    j->begun = j->last[SPB_JOURNAL_OF_PAGES] | j->last[SPB_JOURNAL_OF_SAVED] | j->last[SPB_JOURNAL_OF_END];
    j->marked = spb_area_read_here(&spb_journal, off, mark, sizeof mark) &&
                spb_area_read_here(&spb_slot1, SPB_HEADER_OFF_SIGNATURE, &signature, sizeof signature) &&
                spb_area_read_here(&spb_slot1, SPB_MANIFEST_OFF_VERSION, &j->version, sizeof j->version) &&
                mark[SPB_JOURNAL_MARK_OFF_MAGIC / 4] == SPB_JOURNAL_COMMIT_MAGIC &&
                mark[SPB_JOURNAL_MARK_OFF_CHECK / 4] == signature;
}

enum spb_status spb_journal_append(struct spb_journal *j, uint32_t step) {
    read_step(j, step);
    if (j->next > SPB_JOURNAL_SIZE - SPB_ENTRY_UNIT) {
        return step >= SPB_JOURNAL_STEP_TRIED ? spb_journal_erase() : SPB_OK;
    }
    j->next += SPB_ENTRY_UNIT;
    return spb_entry_write(j->next - SPB_ENTRY_UNIT, step);
}

void spb_journal_fail(const struct spb_pages *pages, enum spb_status why) {
    read_step(&spb_last, SPB_JOURNAL_STEP_FAILED + why);
    (void)!spb_entry_write(pages->count * SPB_ENTRY_UNIT + MARK_UNIT, SPB_JOURNAL_STEP_FAILED + why);
}
