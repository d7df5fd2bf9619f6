/* SPDX-License-Identifier: MIT */
/* journal.h - what is to be installed, and how far that got, across power cuts.
 * One erase unit: the bitmap of changed pages, the commit mark, then append-only step records, one program unit (or
 * more) each.
 * J1  Once a step was appended, every later open yields that step or a newer one, until the next erase.
 * J2  A cut inside a commit yields no commit; a cut inside an append yields the old step or the new one.
 * J3  A record that does not read as erased is never written (ECC flash forbids it).
 * J4  A cut inside an erase may bring back the commit with any step appended to it: installing again from any earlier
 *     step is harmless, because installing changes no page of SLOT1 and the erase comes before SLOT1 is touched.
 * J5  spb_journal_erase() and spb_journal_commit() read nothing: they may run where a torn unit would fault.
 * J6  An install that has begun is known by any of its steps, not by the mark alone: a mark that reads one way now and
 *     another way later does not leave SLOT0 half new. */
#ifndef SPB_JOURNAL_H
#define SPB_JOURNAL_H

#include "slot.h"

struct spb_journal {
    uint32_t committed;         /* not 0: true, as the next two */
    uint32_t begun;             /* SLOT0 may have been touched */
    uint32_t finished;
    uint32_t steps;             /* pages installed, in the order of install.h */
    uint32_t next;              /* offset of the next record that reads as erased */
    struct spb_pages pages;
};

/* Forget everything. */
SPB_CHECKED enum spb_status spb_journal_erase(void);

/* Commit the image described by header and pages; the journal was erased before. */
SPB_CHECKED enum spb_status spb_journal_commit(const uint8_t header[SPB_HEADER_SIZE], const struct spb_pages *pages);

/* Read all there is.  header is what SLOT1 holds: a mark made for another header is no commit. */
void spb_journal_open(struct spb_journal *j, const uint8_t header[SPB_HEADER_SIZE]);

/* Remember that steps pages are installed (0: that it begins), or SPB_JOURNAL_STEP_FINISHED.  A full journal forgets a step,
 * which J4 makes harmless, and is erased when all is finished. */
SPB_CHECKED enum spb_status spb_journal_append(struct spb_journal *j, uint32_t steps);

#endif
