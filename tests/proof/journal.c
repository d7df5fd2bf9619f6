/* SPDX-License-Identifier: MIT */
/* journal.c - the scan of the journal, whatever is on flash and whichever of its units cannot be read.
 * Bound: a journal of as many entries as the runner says (spb_config.h); the loops run to its end.
 * F1: nothing is read or written outside the journal.  J1: what was appended is there at the next open.  J3: nothing is
 * written over what does not read as erased.  Q1: what is no entry is not in the list. */
#include "proof.h"

#include "journal.h"

#define UNITS (SPB_JOURNAL_SIZE / SPB_ENTRY_UNIT)
#define UNIT_WORDS (SPB_ENTRY_UNIT / 4)
#define ERASED_WORD (SPB_ERASED * 0x01010101u)
#define BASE 64u            /* offset of the journal in its memory */

static uint32_t content[SPB_JOURNAL_SIZE / 4];
static bool unreadable[UNITS];
static _Alignas(4) uint8_t header[SPB_HEADER_SIZE];
static uint32_t written;

static bool inside(uint32_t off, uint32_t len) {
    return off >= BASE && off - BASE <= SPB_JOURNAL_SIZE && len <= SPB_JOURNAL_SIZE - (off - BASE);
}

static bool read_flash(uint32_t off, uint32_t *to, uint32_t len) {
    PROVE(inside(off, len) && off % 4 == 0 && len % 4 == 0, "F1: reads are inside the journal");
    PROVE(WRITABLE(to, len), "and there is room for what is read");
    bool ok = true;
    for (uint32_t i = 0; i < len; i += 4) {
        to[i / 4] = content[(off - BASE + i) / 4];
        ok &= !unreadable[(off - BASE + i) / SPB_ENTRY_UNIT];
    }
    return ok;
}

static enum spb_status program(uint32_t off, const uint8_t *data, uint32_t len) {
    PROVE(inside(off, len) && off % SPB_ENTRY_UNIT == 0 && len == SPB_ENTRY_UNIT, "F1: an entry is written inside");
    PROVE(READABLE(data, len), "of bytes that are there");
    uint32_t unit = (off - BASE) / SPB_ENTRY_UNIT;
    PROVE(!unreadable[unit], "J3: what cannot be read is not written");
    for (uint32_t i = 0; i < UNIT_WORDS; i++) {
        PROVE(content[unit * UNIT_WORDS + i] == ERASED_WORD, "J3: what is written was erased");
        content[unit * UNIT_WORDS + i] = spb_word(data + 4 * i);
    }
    written++;
    return SPB_OK;
}

static enum spb_status erase(uint32_t off) {
    PROVE(off == BASE, "F1: the journal is erased");
    for (uint32_t i = 0; i < UNITS; i++) unreadable[i] = false;
    for (uint32_t i = 0; i < UNITS * UNIT_WORDS; i++) content[i] = ERASED_WORD;
    return SPB_OK;
}

static void alive(void) {}

static const struct spb_flash memory = {.erase = erase, .program = program, .read = read_flash};
const struct spb_port spb_port = {.flash = &memory, .alive = alive};
const struct spb_area spb_journal = {{{&memory, BASE, SPB_JOURNAL_SIZE, SPB_JOURNAL_SIZE}}};

/* The one place that knows how it is opened. */
static void open_journal(struct spb_journal *j) { spb_journal_open(j, header); }

static void prove_entry(void) {
    uint32_t off = any_u32();
    ASSUME(off % 4 == 0);
    uint32_t value = spb_entry_read(off);
    PROVE(value <= SPB_ENTRY_NONE, "an entry is a number of 16 bits, erased, or none");
    if (value <= 0xFFFF) {
        PROVE(off <= SPB_JOURNAL_SIZE - SPB_ENTRY_UNIT, "Q1: an entry is inside the journal");
        uint32_t word = content[off / 4];
        PROVE((word & 0xFFFF) == value && word >> 16 == (~value & 0xFFFF), "Q1: an entry is a number and its complement");
    }
}

static void prove_list(void) {
    struct spb_pages pages = {.count = any_below(UNITS + 1)};
    uint32_t page = any_below(SPB_PAGES), i = any_below(UNITS), value = spb_entry_read(i * SPB_ENTRY_UNIT);
    bool has = spb_pages_has(&pages, page);
    if (pages.count == 0) PROVE(!has, "an empty list has no page");
    if (i == 0 && pages.count == 1) PROVE(has == (value == page), "Q1: a list of one has its page and no other");
}

static void prove_open_and_append(void) {
    struct spb_journal j, again;
    open_journal(&j);
    PROVE(j.pages.count <= UNITS, "the list is inside the journal");
    PROVE(j.next % SPB_ENTRY_UNIT == 0, "the next record begins a unit");
    PROVE(!j.finished || j.begun, "what is finished had begun");
    PROVE(!j.begun || j.committed, "J6: what has begun was committed");
    PROVE(j.steps < SPB_JOURNAL_STEP, "a number of steps is one");
    uint32_t step = any_bool() ? SPB_JOURNAL_STEP_FINISHED : SPB_JOURNAL_DONE(any_below(SPB_PAGES + 1));
    bool room = j.next <= SPB_JOURNAL_SIZE - SPB_ENTRY_UNIT;
    PROVE(spb_journal_append(&j, step) == SPB_OK, "flash that does what it is told is no error");
    PROVE(written == room, "a step is one record");
    if (!room) return;
    open_journal(&again);
    PROVE(again.begun && again.committed, "J1: the step is there");
    if (step == SPB_JOURNAL_STEP_FINISHED) PROVE(again.finished, "J1: that it is finished is there");
    else PROVE(again.steps >= step - SPB_JOURNAL_STEP && again.steps >= j.steps, "J1: that step or a newer one");
}

int main(void) {
    ANY(content);
    ANY(unreadable);
    ANY(header);
    prove_entry();
    prove_list();
    prove_open_and_append();
    return 0;
}
