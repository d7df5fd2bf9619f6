/* SPDX-License-Identifier: MIT */
#include "journal.h"

#include <string.h>

#include "sha256.h"

/* Sizes on flash: whole program units. */
#define UNITS(size) (((size) + SPB_PROGRAM_UNIT - 1) / SPB_PROGRAM_UNIT * SPB_PROGRAM_UNIT)
#define MARK_OFF UNITS(SPB_BITMAP_SIZE)
#define STEPS_OFF (MARK_OFF + UNITS(SPB_JOURNAL_MARK_SIZE))
#define STEP_SIZE UNITS(SPB_JOURNAL_STEP_SIZE)

_Static_assert(SPB_SINGLE_SLOT || STEPS_OFF + (SPB_SLOT_SIZE / SPB_PAGE_SIZE + 16) * STEP_SIZE <= SPB_JOURNAL_SIZE,
               "a record for every page, and some for torn ones");

enum spb_status spb_journal_erase(void) {
    return spb_area_erase(&spb_journal, 0, SPB_JOURNAL_SIZE);
}

/* Binds the bitmap to the header it was made for. */
static uint32_t mark_check(const uint8_t *header, const struct spb_pages *pages) {
    struct spb_sha256 sha;
    uint32_t hash[8];
    spb_sha256_init(&sha);
    spb_sha256_update(&sha, header, SPB_HEADER_SIZE);
    spb_sha256_update(&sha, pages->bitmap, SPB_BITMAP_SIZE);
    spb_sha256_final(&sha, (uint8_t *)hash);
    return hash[0];
}

enum spb_status spb_journal_commit(const uint8_t header[SPB_HEADER_SIZE], const struct spb_pages *pages) {
    _Alignas(4) uint8_t record[UNITS(SPB_BITMAP_SIZE) > UNITS(SPB_JOURNAL_MARK_SIZE) ? UNITS(SPB_BITMAP_SIZE)
                                                                                    : UNITS(SPB_JOURNAL_MARK_SIZE)];
    memset(record, SPB_ERASED, sizeof record);
    memcpy(record, pages->bitmap, SPB_BITMAP_SIZE);
    enum spb_status status = spb_area_program(&spb_journal, 0, record, UNITS(SPB_BITMAP_SIZE));
    if (status != SPB_OK) return status;
    memset(record, SPB_ERASED, sizeof record);
    spb_put_word(record + SPB_JOURNAL_MARK_OFF_MAGIC, SPB_JOURNAL_COMMIT_MAGIC);
    spb_put_word(record + SPB_JOURNAL_MARK_OFF_CHECK, mark_check(header, pages));
    return spb_area_program(&spb_journal, MARK_OFF, record, UNITS(SPB_JOURNAL_MARK_SIZE));
}

/* A record as it reads now; a torn one reads as neither erased nor valid. */
enum record_state { RECORD_ERASED, RECORD_VALID, RECORD_TORN };

static enum record_state read_step(uint32_t off, uint32_t *done) {
    uint32_t record[STEP_SIZE / 4], used = 0, i = STEP_SIZE / 4;
    if (!spb_area_read(&spb_journal, off, record, STEP_SIZE)) return RECORD_TORN;
    do used |= record[--i] ^ SPB_ERASED * 0x01010101u;
    while (i > 0);
    if (used == 0) return RECORD_ERASED;
    *done = spb_word((uint8_t *)record + SPB_JOURNAL_STEP_OFF_DONE);
    return *done == ~spb_word((uint8_t *)record + SPB_JOURNAL_STEP_OFF_CHECK) ? RECORD_VALID : RECORD_TORN;
}

/* Records are appended in order, so the last one that is not erased bounds them; a torn erase may leave holes. */
static void read_steps(struct spb_journal *j) {
    j->next = STEPS_OFF;
    for (uint32_t off = STEPS_OFF; off + STEP_SIZE <= SPB_JOURNAL_SIZE; off += STEP_SIZE) {
        uint32_t done = 0;
        enum record_state state = read_step(off, &done);
        if (state == RECORD_ERASED) continue;
        j->next = off + STEP_SIZE;
        if (state != RECORD_VALID) continue;
        j->begun = 1;
        if (done == SPB_JOURNAL_STEP_FINISHED) j->finished = 1;
        else if (done > j->steps) j->steps = done;
    }
}

/* Records for another header than that in SLOT1 are told by the hash of what they would install. */
void spb_journal_open(struct spb_journal *j, const uint8_t header[SPB_HEADER_SIZE]) {
    uint32_t mark[SPB_JOURNAL_MARK_SIZE / 4];
    memset(j, 0, sizeof *j);
    if (!spb_area_read(&spb_journal, 0, (uint32_t *)(void *)j->pages.bitmap, SPB_BITMAP_SIZE)) return;
    read_steps(j);
    j->committed = j->begun;
    if (!spb_area_read(&spb_journal, MARK_OFF, mark, sizeof mark)) return;
    j->committed |= spb_word((uint8_t *)mark + SPB_JOURNAL_MARK_OFF_MAGIC) == SPB_JOURNAL_COMMIT_MAGIC &&
                    spb_word((uint8_t *)mark + SPB_JOURNAL_MARK_OFF_CHECK) == mark_check(header, &j->pages);
}

enum spb_status spb_journal_append(struct spb_journal *j, uint32_t steps) {
    _Alignas(4) uint8_t record[STEP_SIZE];
    if (j->next > SPB_JOURNAL_SIZE - STEP_SIZE) return steps == SPB_JOURNAL_STEP_FINISHED ? spb_journal_erase() : SPB_OK;
    memset(record, SPB_ERASED, sizeof record);
    spb_put_word(record + SPB_JOURNAL_STEP_OFF_DONE, steps);
    spb_put_word(record + SPB_JOURNAL_STEP_OFF_CHECK, ~steps);
    enum spb_status status = spb_area_program(&spb_journal, j->next, record, STEP_SIZE);
    j->next += STEP_SIZE;
    return status;
}
