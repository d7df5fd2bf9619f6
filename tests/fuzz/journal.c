/* SPDX-License-Identifier: MIT */
/* journal.c - fuzzer: the input is what stands in the journal, after a head that says how it is to be used.
 * Head: u8 the unit that cannot be read, u8 whether the mark is for our header, u16 page, u16 step.  Records of a byte: what stands
 * there by u8 kind (page, step, finished, mark, erased, bytes) and what it needs.
 * F1: nothing outside the journal is touched.  J1, J3: what was appended is there, where it was erased.  Q1: the list is what
 * the entries say. */
#include <string.h>

#include "fuzz.h"
#include "journal.h"

#define UNITS (SPB_JOURNAL_SIZE / SPB_ENTRY_UNIT)
#define READS (8 * UNITS)           /* more than any call needs */

uint32_t fuzz_accepted;

static _Alignas(4) uint8_t header[SPB_HEADER_SIZE];
static uint8_t *content;            /* a block of just its size */
static uint32_t unreadable, reads;

static bool read_flash(uint32_t off, uint32_t *to, uint32_t len) {
    FUZZ_CHECK(++reads < READS, "a scan ends");
    FUZZ_CHECK(off <= SPB_JOURNAL_SIZE && len <= SPB_JOURNAL_SIZE - off, "F1: reads are inside the journal");
    memcpy(to, content + off, len);
    return unreadable < off / SPB_ENTRY_UNIT || unreadable > (off + len - 1) / SPB_ENTRY_UNIT;
}

static enum spb_status program(uint32_t off, const uint8_t *data, uint32_t len) {
    FUZZ_CHECK(off <= SPB_JOURNAL_SIZE && len <= SPB_JOURNAL_SIZE - off, "F1: records are inside the journal");
    FUZZ_CHECK(off / SPB_ENTRY_UNIT != unreadable, "J3: what cannot be read is not written");
    for (uint32_t i = 0; i < len; i++) FUZZ_CHECK(content[off + i] == SPB_ERASED, "J3: what is written was erased");
    memcpy(content + off, data, len);
    return SPB_OK;
}

static enum spb_status erase(uint32_t off) {
    FUZZ_CHECK(off == 0, "F1: the journal is erased");
    memset(content, SPB_ERASED, SPB_JOURNAL_SIZE);
    unreadable = UNITS;
    return SPB_OK;
}

static void alive(void) {}

static const struct spb_flash memory = {.erase = erase, .program = program, .read = read_flash};
const struct spb_port spb_port = {.flash = &memory, .alive = alive};
const struct spb_area spb_journal = {{{&memory, 0, SPB_JOURNAL_SIZE, SPB_JOURNAL_SIZE}}};

/* The one place that knows how it is opened. */
static void open_journal(struct spb_journal *j) {
    reads = 0;
    spb_journal_open(j, header);
}

static void fill_entry(uint32_t unit, uint32_t value) {
    uint32_t word = value | ~value << 16;
    memcpy(content + unit * SPB_ENTRY_UNIT, &word, 4);
}

/* What the input says, from the first unit on; the rest is erased. */
static void fill(struct fuzz_input *in) {
    memset(content, SPB_ERASED, SPB_JOURNAL_SIZE);
    for (uint32_t unit = 0; unit < UNITS && in->at < in->end; unit++) {
        uint8_t *at = content + unit * SPB_ENTRY_UNIT;
        uint32_t magic = SPB_JOURNAL_COMMIT_MAGIC;
        switch (fuzz_u8(in) % 8) {
        case 0: fill_entry(unit, unit); break;
        case 1: fill_entry(unit, fuzz_u8(in)); break;
        case 2: fill_entry(unit, SPB_JOURNAL_DONE(fuzz_u8(in))); break;
        case 3: fill_entry(unit, fuzz_u16(in)); break;
        case 4:
            memcpy(at, &magic, 4);
            memcpy(at + 4, header + SPB_HEADER_OFF_SIGNATURE, 4);
            break;
        case 5: fill_entry(unit, SPB_JOURNAL_STEP_FINISHED); break;
        case 6: break;
        default:
            for (uint32_t i = 0; i < SPB_ENTRY_UNIT; i++) at[i] = fuzz_u8(in);
        }
    }
}

/* The value of a unit that is an entry, else more than any. */
static uint32_t entry(uint32_t unit) {
    uint32_t word;
    memcpy(&word, content + unit * SPB_ENTRY_UNIT, 4);
    bool is = unit != unreadable && (word & 0xFFFF) == ~word >> 16;
    return is ? word & 0xFFFF : UINT32_MAX;
}

static void check_list(const struct spb_journal *j, uint32_t page) {
    uint32_t count = 0;
    bool ascending = true, there = false;
    for (; count < UNITS && entry(count) < SPB_JOURNAL_STEP; count++) {
        ascending &= count == 0 || entry(count - 1) < entry(count);
        there |= entry(count) == page;
    }
    FUZZ_CHECK(j->pages.count == count, "Q1: the list is the entries in front");
    reads = 0;
    bool has = spb_pages_has(&j->pages, page);
    FUZZ_CHECK(!has || there, "Q1: what is in the list is an entry");
    FUZZ_CHECK(has == there || !ascending, "Q1: an entry of a list in order is found");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input in = {data, data + size};
    struct spb_journal j, again;
    content = malloc(SPB_JOURNAL_SIZE);
    if (content == NULL) exit(1);
    header[SPB_HEADER_OFF_SIGNATURE] = 0x5A;
    unreadable = fuzz_u8(&in);          /* of more units than that, the first ones */
    if (unreadable == 255) unreadable = UNITS;
    bool other = fuzz_u8(&in) & 1;
    uint32_t page = fuzz_u16(&in) % SPB_PAGES, step = fuzz_u16(&in);
    fill(&in);
    if (other) header[SPB_HEADER_OFF_SIGNATURE] ^= 1;
    open_journal(&j);
    check_list(&j, page);
    FUZZ_CHECK(!j.finished || j.begun, "what is finished had begun");
    FUZZ_CHECK(!j.begun || j.committed, "J6: what has begun was committed");
    step = step % 8 == 7 ? SPB_JOURNAL_STEP_FINISHED : SPB_JOURNAL_DONE(step % (SPB_PAGES + 1));
    bool room = j.next <= SPB_JOURNAL_SIZE - SPB_ENTRY_UNIT;
    FUZZ_CHECK(spb_journal_append(&j, step) == SPB_OK, "flash that does as it is told is no error");
    open_journal(&again);
    if (room) {
        FUZZ_CHECK(again.begun && again.committed, "J1: the step is there");
        FUZZ_CHECK(step == SPB_JOURNAL_STEP_FINISHED ? again.finished : again.steps >= step - SPB_JOURNAL_STEP && again.steps >= j.steps,
                   "J1: that step or a newer one");
    }
    fuzz_accepted += j.committed != 0;
    free(content);
    return 0;
}
