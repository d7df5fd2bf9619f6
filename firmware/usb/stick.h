/* SPDX-License-Identifier: MIT */
/* stick.h - a USB stick as a source of updates (source.h): looks at the updates in its root directory, says of each what it is
 * worth to this device, and sends the consumer the best one.
 * The best is the one with the highest version of those that the engine foresees no refusal of, by its own rules; of two with
 * one version the smaller file.  Nothing here is trusted: the engine checks all of it again, and the signature.
 * K1  A file is begun once, and at most SPB_STICK_TRIES of a stick are: a file that fails gives way to the next best.
 * K2  With a valid image, what is taken has a higher version than it: a chain of updates ends.
 * K3  The consumer gets the bytes of a file once, in order, as many as the directory says, or a sentence follows.
 * K4  Of a stick with nothing for this device nothing but the stick is touched: no flash, no reset.  A file that was damaged
 *     is nothing: all of it is looked through before the consumer gets a byte.
 * K5  Unasked, the version that this device has gone back from is not taken again: a stick that stays plugged in would have it
 *     installed and given up for ever. */
#ifndef SPB_STICK_H
#define SPB_STICK_H

#include "directory.h"
#include "source.h"

#define SPB_STICK_TRIES 2u
#define SPB_STICK_FILES 256u    /* that are looked at */
#define SPB_STICK_LINES 16u     /* of them are told of one by one */

/* All zero for a stick that was just plugged in. */
struct spb_stick {
    bool unasked;                       /* nobody waits for an update */
    struct spb_volume volume;
    struct spb_directory directory;
    uint32_t version;                   /* of the best */
    uint32_t tries;
    uint32_t tried[SPB_STICK_TRIES];    /* their first clusters */
    struct spb_entry file, best;
};

/* Choose a file and send it.  SPB_SOURCE_NONE: none is for this device.  Called again it takes the next best.
 * active: SLOT0 holds a valid image. */
enum spb_source_end spb_stick_receive(struct spb_stick *s, bool active);

#endif
