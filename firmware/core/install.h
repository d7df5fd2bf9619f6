/* SPDX-License-Identifier: MIT */
/* install.h - brings a committed image from SLOT1 into SLOT0, page by changed page, the page with the header last.
 * I1  SLOT0 is first touched after the whole of NEW, as the page map describes it, was verified in this boot.
 * I2  Cut anywhere, the next boot goes on: the unchanged pages of SLOT0 are never written, and of SLOT1 none that is
 *     still to be installed, so NEW can be verified again at any point of the way.
 * I3  A page counts as installed only after it was read back; one that was under way is erased again, unread.
 * I4  A version below that of a vouched-for header in SLOT0 is not installed.
 * I5  A page of the list that cannot be read any more ends the install as failed: none is left out, and no other copied.
 * I6  What was begun and cannot be ended goes back to OLD, where that was to come back (trial.h). */
#ifndef SPB_INSTALL_H
#define SPB_INSTALL_H

#include "trial.h"

enum spb_install_result {
    SPB_INSTALL_NOTHING,        /* nothing is committed, or it was installed before */
    SPB_INSTALL_DONE,           /* NEW is in SLOT0, for good; so it is when it was to be given up, and OLD is not whole */
    SPB_INSTALL_TRIAL,          /* NEW is in SLOT0, on trial, and it is remembered that it is started */
    SPB_INSTALL_REVERTED,       /* NEW was given up: OLD is in SLOT0 again */
    SPB_INSTALL_REFUSED,        /* the commit was not acceptable and is gone; SLOT0 is untouched */
    SPB_INSTALL_FAILED          /* flash failed half way; the next boot tries again */
};

/* work: for the signature check; not the engine's while it has an update under way.  What is on trial and was started
 * `starts` times is given up. */
enum spb_install_result spb_install(struct spb_slot_work *work, uint32_t starts);

#endif
