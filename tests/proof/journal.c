/* SPDX-License-Identifier: MIT */
/* journal.c - the scan of the journal, whatever is on flash and whichever of its units cannot be read.
 * Bound: a journal of as many entries as the runner says (spb_config.h); the loops run to its end.
 * F1: nothing is read or written outside the journal, but two words of the header in SLOT1 are read.  J1: what was
 * appended is there at the next open, and what was there before.  J3: nothing is written over what does not read as
 * erased.  Q1: what is no entry is not in the list. */
#include "proof.h"

#include "journal.h"

#define UNITS (SPB_JOURNAL_SIZE / SPB_ENTRY_UNIT)
#define UNIT_WORDS (SPB_ENTRY_UNIT / 4)
#define ERASED_WORD (SPB_ERASED * 0x01010101u)
#define BASE 64u            /* offset of the journal in its memory */
#define SLOT0_BASE 0x100000u
#define SLOT1_BASE 0x200000u

static uint32_t content[SPB_JOURNAL_SIZE / 4];
static bool unreadable[UNITS];
static uint32_t signature, version, written;
static bool header_lost;

static bool inside(uint32_t off, uint32_t len) {
    return off >= BASE && off - BASE <= SPB_JOURNAL_SIZE && len <= SPB_JOURNAL_SIZE - (off - BASE);
}

static bool read_flash(uint32_t off, uint32_t *to, uint32_t len) {
    PROVE(WRITABLE(to, len), "there is room for what is read");
    if ((off == SLOT1_BASE + SPB_HEADER_OFF_SIGNATURE || off == SLOT1_BASE + SPB_MANIFEST_OFF_VERSION) && len == 4) {
        *to = off == SLOT1_BASE + SPB_MANIFEST_OFF_VERSION ? version : signature;
        return !header_lost;
    }
    PROVE(inside(off, len) && off % 4 == 0 && len % 4 == 0, "F1: other reads are inside the journal");
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
struct spb_journal spb_last;
const struct spb_area spb_slot0 = {{{0, SLOT0_BASE, SPB_SLOT_SIZE, SPB_PAGE_SIZE}}};
const struct spb_area spb_slot1 = {{{0, SLOT1_BASE, SPB_SLOT_SIZE, SPB_PAGE_SIZE}}};
const struct spb_area spb_journal = {{{0, BASE, SPB_JOURNAL_SIZE, SPB_JOURNAL_SIZE}}};

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
    uint32_t rank = spb_pages_rank(&pages, page);
    if (pages.count == 0) PROVE(rank == SPB_PAGES_NONE, "an empty list has no page");
    if (rank != SPB_PAGES_NONE) {
        PROVE(rank < pages.count, "a rank counts the pages of the list");
        if (i == pages.count - 1 - rank) PROVE(value == page, "Q1: what is in the list is an entry");
    }
    if (i == 0 && pages.count == 1) PROVE((rank == 0) == (value == page), "Q1: a list of one has its page and no other");
}

static void prove_states(const struct spb_journal *j) {
    PROVE(j->pages.count <= UNITS, "the list is inside the journal");
    PROVE(j->next % SPB_ENTRY_UNIT == 0, "the next record begins a unit");
    PROVE(!spb_journal_finished(j) || j->begun, "what is finished had begun");
    PROVE(!j->begun || spb_journal_committed(j), "J6: what has begun was committed");
}

static void prove_open_and_append(void) {
    struct spb_journal j, again;
    spb_journal_open(&j);
    prove_states(&j);
    uint32_t step = SPB_JOURNAL_STEP + any_below(SPB_JOURNAL_STEP), kind = any_below(4);
    bool room = j.next <= SPB_JOURNAL_SIZE - SPB_ENTRY_UNIT, was_finished = spb_journal_finished(&j);
    PROVE(spb_journal_append(&j, step) == SPB_OK, "flash that does what it is told is no error");
    PROVE(written == room, "a step is one record");
    spb_journal_open(&again);
    bool forgotten = !spb_journal_committed(&again);
    PROVE(!was_finished || spb_journal_finished(&again) || forgotten, "what is finished stays so");
    if (!room) {
        PROVE(step < SPB_JOURNAL_STEP_TRIED || forgotten, "no end is lost and the rest kept");
        return;
    }
    PROVE(again.last[step >> 13 & 3] >= step, "J1: that step or a newer one");
    PROVE(again.last[kind] == j.last[kind] && again.marked == j.marked, "J1: each step is there, and no other");
    PROVE(again.pages.count == j.pages.count && again.next == j.next, "J1: so is the list");
}

/* As the engine meets it: behind the list it is erased. */
static void prove_fail(void) {
    struct spb_pages pages = {.count = any_below(UNITS - 1)};
    struct spb_journal j;
    enum spb_status why = (enum spb_status)any_below(SPB_STATUS_COUNT);
    for (uint32_t i = 0; i < UNITS; i++) ASSUME(i < pages.count || !unreadable[i]);
    for (uint32_t i = 0; i < UNITS * UNIT_WORDS; i++) ASSUME(i / UNIT_WORDS < pages.count || content[i] == ERASED_WORD);
    spb_journal_fail(&pages, why);
    PROVE(written == 1, "why is one record");
    spb_journal_open(&j);
    PROVE(j.last[SPB_JOURNAL_OF_FAILURE] >= SPB_JOURNAL_STEP_FAILED + why, "why it ended is there");
}

int main(void) {
    ANY(content);
    ANY(unreadable);
    signature = any_u32();
    version = any_u32();
    header_lost = any_bool();
    prove_entry();
    prove_list();
    if (any_bool()) prove_open_and_append();
    else prove_fail();
    return 0;
}
