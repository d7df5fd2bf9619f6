/* SPDX-License-Identifier: MIT */
#include "note.h"

#include "cache.h"
#include "spb_chip.h"

__attribute__((section(".kept"), aligned(8))) static volatile uint32_t kept[2];

uint32_t spb_note_read(void) {
    uint32_t note = kept[0];
    return note == ~kept[1] ? note : SPB_NOTE_NONE;
}

/* RAM with an ECC takes a part of a word of 64 bits only once the next access came (RM0433, RAM ECC): all of it, and a read. */
__attribute__((noinline)) void spb_note_write(uint32_t note) {
    kept[0] = note;
    kept[1] = ~note;
    if (SPB_DATA_CACHE) spb_cache_clean((uint32_t)kept, sizeof kept);
    (void)kept[0];
}
