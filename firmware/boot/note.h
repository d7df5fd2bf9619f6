/* SPDX-License-Identifier: MIT */
/* note.h - a word to the next boot, in RAM that a reset keeps: the last 8 bytes of the reserved RAM, the word and its
 * complement.  It is garbage after a power-on, which the complement tells, and none while the application runs.
 * Bits 31..28 are the kind, 27..24 a count, 23..0 an offset in flash. */
#ifndef SPB_NOTE_H
#define SPB_NOTE_H

#include <stdint.h>

#define SPB_NOTE_NONE 0u
#define SPB_NOTE_LOADER 0x10000000u     /* the application asks for the loader */
#define SPB_NOTE_HURRY 0x20000000u      /* the application asks for a start without the window for `load` */
#define SPB_NOTE_FAULT 0x30000000u      /* so many boots in a row ended in a fault, the last one there */
#define SPB_NOTE_OPTIONS 0x40000000u    /* this boot programmed option bytes (production.c) */
#define SPB_NOTE_STICK 0x50000000u      /* an update came from a stick, which may have the next one */

#define SPB_NOTE_OF(request) ((uint32_t)(request) << 28)
#define SPB_NOTE_KIND(note) ((note) & 0xF0000000u)
#define SPB_NOTE_COUNT(note) ((note) >> 24 & 15u)
#define SPB_NOTE_PLACE(note) ((note) & 0xFFFFFFu)

/* What is there; SPB_NOTE_NONE when the complement does not fit. */
uint32_t spb_note_read(void);

void spb_note_write(uint32_t note);

#endif
