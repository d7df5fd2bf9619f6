/* SPDX-License-Identifier: MIT */
/* fuzz_journal.h - records of a journal out of an input: a byte each says what it is, and what it needs follows. */
#ifndef FUZZ_JOURNAL_H
#define FUZZ_JOURNAL_H

#include <string.h>

#include "fuzz.h"
#include "journal.h"

#define FUZZ_UNITS (SPB_JOURNAL_SIZE / SPB_ENTRY_UNIT)

static inline void fuzz_entry(uint8_t *unit, uint32_t value) {
    uint32_t word = (value & 0xFFFF) | ~value << 16;
    memcpy(unit, &word, 4);
}

/* The unit of that number, which was erased; the mark is for a header with this signature. */
static inline void fuzz_record(struct fuzz_input *in, uint8_t *content, uint32_t number, uint32_t signature) {
    static const uint32_t steps[] = {SPB_JOURNAL_STEP_INSTALLED, SPB_JOURNAL_STEP_SAVED,    SPB_JOURNAL_STEP_FAILED,
                                     SPB_JOURNAL_STEP_TRIED,     SPB_JOURNAL_STEP_FINISHED, SPB_JOURNAL_STEP_REVERTED};
    uint8_t *unit = content + number * SPB_ENTRY_UNIT;
    uint32_t magic = SPB_JOURNAL_COMMIT_MAGIC, kind = fuzz_u8(in) % 12;
    switch (kind) {
    case 0: fuzz_entry(unit, number); break;
    case 1: fuzz_entry(unit, fuzz_u8(in)); break;
    case 2: fuzz_entry(unit, fuzz_u16(in)); break;
    case 3:
        memcpy(unit, &magic, 4);
        memcpy(unit + 4, &signature, 4);
        break;
    case 4: break;
    case 5:
        for (uint32_t i = 0; i < SPB_ENTRY_UNIT; i++) unit[i] = fuzz_u8(in);
        break;
    default: fuzz_entry(unit, steps[kind - 6] + fuzz_u8(in));
    }
}

#endif
