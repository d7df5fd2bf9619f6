/* SPDX-License-Identifier: MIT */
#include "note.h"

#include "cache.h"
#include "spb_chip.h"

__attribute__((section(".kept"), aligned(8))) static volatile uint32_t kept[2];

uint32_t spb_note_read(void) {
    uint32_t note = kept[0];
    return note == ~kept[1] ? note : SPB_NOTE_NONE;
}

/* Another word of the RAM that `kept` is in. */
static volatile uint32_t other;

/* The data cache writes whole words.  Where it is off, RAM with an ECC keeps a part of a word waiting, and a reset loses
 * it, until a part of another word of the same RAM is stored (RM0399, embedded SRAM).  The stack may be in another RAM. */
__attribute__((noinline)) void spb_note_write(uint32_t note) {
    kept[0] = note;
    kept[1] = ~note;
    if (SPB_DATA_CACHE) {
        spb_cache_clean((uint32_t)kept, sizeof kept);
        other = note;
    }
}
