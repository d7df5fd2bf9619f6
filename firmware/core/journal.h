/* SPDX-License-Identifier: MIT */
/* journal.h - what is to be installed, and how far that got, across power cuts.
 * One area: the list of changed pages (pages.h), the commit mark, then append-only steps, an entry each.
 * J1  Once a step was appended, every later open yields that step or a newer one, until the next erase.
 * J2  A cut inside a commit yields no commit; a cut inside an append yields the old step or the new one.
 * J3  A record that does not read as erased is never written (ECC flash forbids it).
 * J4  A cut inside an erase may bring back the commit with any of its steps.  Installing again from any earlier step is
 *     harmless: where SLOT1 is as it was, because installing changes none of its pages; where pages were saved in it
 *     (trial.h), because what it holds no longer has the hash of NEW.
 * J5  Records are read by read(), and by the bootloader alone: a torn unit does not fault.
 * J6  An install that has begun is known by any of its steps, not by the mark alone: a mark that reads one way now and
 *     another way later does not leave SLOT0 half new. */
#ifndef SPB_JOURNAL_H
#define SPB_JOURNAL_H

#include "slot.h"

enum spb_journal_kind { SPB_JOURNAL_OF_PAGES, SPB_JOURNAL_OF_SAVED, SPB_JOURNAL_OF_FAILURE, SPB_JOURNAL_OF_END };

struct spb_journal {
    uint32_t marked;            /* not 0: true, as the next; there is a mark for the header in SLOT1 */
    uint32_t begun;             /* SLOT0 may have been touched */
    uint32_t last[4];           /* the highest step of each kind, [journal] of the spec; 0: there is none */
    uint32_t version;           /* of the header in SLOT1, where there is a mark for it */
    uint32_t next;              /* offset of the next record that reads as erased */
    struct spb_pages pages;
};

/* Pages installed, in the order of install.h. */
static inline uint32_t spb_journal_installed(const struct spb_journal *j) { return j->last[SPB_JOURNAL_OF_PAGES] % 0x2000u; }

/* Pages are saved before they are replaced; so many. */
static inline bool spb_journal_trial(const struct spb_journal *j) { return j->last[SPB_JOURNAL_OF_SAVED] != 0; }
static inline uint32_t spb_journal_saved(const struct spb_journal *j) { return j->last[SPB_JOURNAL_OF_SAVED] % 0x2000u; }

/* Starts of NEW on trial. */
static inline uint32_t spb_journal_tried(const struct spb_journal *j) { return j->last[SPB_JOURNAL_OF_END] % 0x100u; }

static inline bool spb_journal_committed(const struct spb_journal *j) { return (j->marked | j->begun) != 0; }

static inline bool spb_journal_finished(const struct spb_journal *j) {
    return j->last[SPB_JOURNAL_OF_END] >= SPB_JOURNAL_STEP_FINISHED;
}

/* Pages that are installed from one step to the next: of a full part a fourteenth, as a trial needs so many spare ones, and
 * not more than 64 KB.  No step is about pages of two parts. */
#define SPB_JOURNAL_LOWER(a, b) ((a) < (b) ? (a) : (b))
#define SPB_JOURNAL_LEAST(pages, size) SPB_JOURNAL_LOWER(SPB_JOURNAL_STEP_EVERY / (size), (pages) / SPB_JOURNAL_STEPS)
#define SPB_JOURNAL_BATCH_OF(pages, size) (SPB_JOURNAL_LEAST(pages, size) > 0 ? SPB_JOURNAL_LEAST(pages, size) : 1u)
#define SPB_JOURNAL_BATCH SPB_JOURNAL_BATCH_OF(SPB_PART_PAGES, SPB_PAGE_SIZE)
#define SPB_JOURNAL_REST_BATCH SPB_JOURNAL_BATCH_OF(SPB_REST_PAGES, SPB_REST_PAGE_SIZE)

/* Where the batch ends that begins with the page of this rank.  Where blocks are erased at once (flash.h), no batch is about
 * pages of two of them: one that has all pages of a block writes all of it. */
uint32_t spb_journal_parts_end(const struct spb_pages *list, uint32_t rank);
static inline uint32_t spb_journal_batch_end(const struct spb_pages *list, uint32_t rank) {
    return SPB_PARTS > 1 ? spb_journal_parts_end(list, rank) : spb_lower(list->count, rank + SPB_JOURNAL_BATCH);
}

/* Entries of pages and steps that there is room for, when SPB_JOURNAL_SPARE are kept free: for a beginning, an end, what a
 * trial is told, and torn ones. */
#define SPB_JOURNAL_SPARE 16u
#define SPB_JOURNAL_ROOM ((SPB_JOURNAL_SIZE - SPB_UNITS(SPB_JOURNAL_MARK_SIZE)) / SPB_ENTRY_UNIT - SPB_JOURNAL_SPARE)

/* What the journal says of the last update: read by the install of this boot, and kept up to date.  The application asks
 * this, not flash: torn flash that is read in an application raises an NMI of the application. */
extern struct spb_journal spb_last;

/* Forget everything. */
SPB_CHECKED enum spb_status spb_journal_erase(void);

/* Commit the image described by header and pages, which are in the journal already. */
SPB_CHECKED enum spb_status spb_journal_commit(const uint8_t header[SPB_HEADER_SIZE], const struct spb_pages *pages);

/* Read all there is.  A mark made for another header than that of SLOT1 is no commit. */
void spb_journal_open(struct spb_journal *j);

/* Append a step.  A full journal forgets steps of pages, which J4 makes harmless, and is erased instead of any that ends
 * an update. */
SPB_CHECKED enum spb_status spb_journal_append(struct spb_journal *j, uint32_t step);

/* Remember why an update ended that was not committed: behind its pages the journal is erased. */
void spb_journal_fail(const struct spb_pages *pages, enum spb_status why);

/* There is room for the two steps of one more batch of a trial, and the spare ones of its end. */
static inline bool spb_journal_has_room(const struct spb_journal *j) {
    return j->next <= SPB_JOURNAL_SIZE - (2 + SPB_JOURNAL_SPARE / 2) * SPB_ENTRY_UNIT;
}

#endif
