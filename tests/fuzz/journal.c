/* SPDX-License-Identifier: MIT */
/* journal.c - fuzzer: the input is what stands in the journal, after a head that says how it is to be used.
 * Head: u8 the unit that cannot be read, u8 flags (below), u16 page, u16 step.  Records as fuzz_journal.h reads them.
 * F1: nothing outside the journal and two words of SLOT1's header is touched.  J1, J3: what was appended is there, where
 * it was erased, and nothing else changed.  Q1: the list is what the entries say.  T2, T3: a page of OLD is kept where NEW
 * has none that is still to be installed, and where no other is kept.  T5: what is not marked is not on trial, and what was
 * confirmed is not on trial again. */
#include "fuzz_journal.h"
#include "trial.h"

#define UNITS FUZZ_UNITS
#define READS (8 * UNITS)           /* more than any call needs */
#define SLOT0_BASE 0x100000u        /* of the slots nothing but a signature is looked at */
#define SLOT1_BASE 0x200000u
#define SIGNATURE_OFF (SLOT1_BASE + SPB_HEADER_OFF_SIGNATURE)
#define VERSION_OFF (SLOT1_BASE + SPB_MANIFEST_OFF_VERSION)
#define VERSION 0x01020304u

enum { OTHER_HEADER = 1, NO_HEADER = 2, ACT = 4 };  /* flags: the mark is for another, or that cannot be read; then an act */
enum { APPEND, CONFIRM, FAIL, END, COMMIT, ACTS };

uint32_t fuzz_accepted;

static uint32_t signature;
static _Alignas(4) uint8_t header[SPB_HEADER_SIZE];
static uint8_t *content;            /* a block of just its size */
static bool signature_lost;
static uint32_t unreadable, reads, written;

static bool read_flash(uint32_t off, uint32_t *to, uint32_t len) {
    FUZZ_CHECK(++reads < READS, "a scan ends");
    if (off >= SLOT0_BASE) {
        FUZZ_CHECK((off == SIGNATURE_OFF || off == VERSION_OFF) && len == 4, "F1: of SLOT1 two words are read");
        *to = off == SIGNATURE_OFF ? signature : VERSION;
        return !signature_lost;
    }
    FUZZ_CHECK(off <= SPB_JOURNAL_SIZE && len <= SPB_JOURNAL_SIZE - off, "F1: reads are inside the journal");
    memcpy(to, content + off, len);
    return unreadable < off / SPB_ENTRY_UNIT || unreadable > (off + len - 1) / SPB_ENTRY_UNIT;
}

static enum spb_status program(uint32_t off, const uint8_t *data, uint32_t len) {
    FUZZ_CHECK(off <= SPB_JOURNAL_SIZE && len <= SPB_JOURNAL_SIZE - off, "F1: records are inside the journal");
    FUZZ_CHECK(off / SPB_ENTRY_UNIT != unreadable, "J3: what cannot be read is not written");
    for (uint32_t i = 0; i < len; i++) FUZZ_CHECK(content[off + i] == SPB_ERASED, "J3: what is written was erased");
    memcpy(content + off, data, len);
    written++;
    return SPB_OK;
}

static enum spb_status erase(uint32_t off) {
    FUZZ_CHECK(off == 0, "F1: the journal is erased");
    memset(content, SPB_ERASED, SPB_JOURNAL_SIZE);
    unreadable = UNITS;
    written++;
    return SPB_OK;
}

static void alive(void) {}

static const struct spb_flash memory = {.erase = erase, .program = program, .read = read_flash};
const struct spb_port spb_port = {.flash = &memory, .alive = alive};
struct spb_journal spb_last;
const struct spb_area spb_slot0 = {{{0, SLOT0_BASE, SPB_SLOT_SIZE, SPB_PAGE_SIZE}}};
const struct spb_area spb_slot1 = {{{0, SLOT1_BASE, SPB_SLOT_SIZE, SPB_PAGE_SIZE}}};
const struct spb_area spb_journal = {{{0, 0, SPB_JOURNAL_SIZE, SPB_JOURNAL_SIZE}}};

/* The one place that knows how it is opened. */
static void open_journal(struct spb_journal *j) {
    reads = 0;
    spb_journal_open(j);
    reads = 0;
}

/* What the input says, from the first unit on; the rest is erased. */
static void fill(struct fuzz_input *in) {
    memset(content, SPB_ERASED, SPB_JOURNAL_SIZE);
    for (uint32_t unit = 0; unit < UNITS && in->at < in->end; unit++) fuzz_record(in, content, unit, signature);
}

/* The value of a unit that is an entry, else more than any. */
static uint32_t entry(uint32_t unit) {
    uint32_t word;
    if (unit >= UNITS || unit == unreadable) return UINT32_MAX;
    memcpy(&word, content + unit * SPB_ENTRY_UNIT, 4);
    return (word & 0xFFFF) == (~word >> 16) ? word & 0xFFFF : UINT32_MAX;
}

static bool is_erased(uint32_t unit) {
    uint32_t left = SPB_ENTRY_UNIT;
    while (left > 0 && content[(unit + 1) * SPB_ENTRY_UNIT - left] == SPB_ERASED) left--;
    return left == 0 && unit != unreadable;
}

static bool is_marked(uint32_t unit) {
    uint32_t mark[2];
    if (unit >= UNITS || unit == unreadable || signature_lost) return false;
    memcpy(mark, content + unit * SPB_ENTRY_UNIT, sizeof mark);
    return mark[0] == SPB_JOURNAL_COMMIT_MAGIC && mark[1] == signature;
}

/* True when the list has pages that there are, in ascending order. */
static bool check_list(const struct spb_journal *j, uint32_t page) {
    uint32_t count = 0, there = UINT32_MAX;
    bool good = true;
    for (; entry(count) < SPB_JOURNAL_STEP; count++) {
        good &= entry(count) < SPB_PAGES && (count == 0 || entry(count - 1) < entry(count));
        if (entry(count) == page) there = count;
    }
    FUZZ_CHECK(j->pages.count == count && j->pages.saved == 0, "Q1: the list is the entries in front");
    uint32_t rank = spb_pages_rank(&j->pages, page);
    FUZZ_CHECK(rank == SPB_PAGES_NONE || entry(count - 1 - rank) == page, "Q1: what is in the list is an entry");
    FUZZ_CHECK(!good || rank == (there == UINT32_MAX ? SPB_PAGES_NONE : count - 1 - there),
               "Q1: an entry of a list in order is found");
    return good;
}

/* Where the page of a rank is kept is said in other words here: the highest pages that the list does not have, one for
 * each page of the first batch; then the pages of the list, from the highest on. */
static void check_home(uint32_t count, uint32_t rank, bool good) {
    reads = 0;
    uint32_t home = spb_trial_home(count, 0, rank), at = count, page = SPB_PAGES;
    bool lost = rank < SPB_JOURNAL_BATCH && entry(count - 1) >= SPB_PAGES;
    FUZZ_CHECK(!lost || home >= SPB_PAGES, "what is not read is no place");
    const struct spb_pages list = {.count = count};
    if (!good || !spb_trial_fits(&list)) return;
    FUZZ_CHECK(home < SPB_PAGES, "a page of SLOT1 is where a page is kept");
    if (rank >= SPB_JOURNAL_BATCH) {
        FUZZ_CHECK(home == entry(count - 1 - (rank - SPB_JOURNAL_BATCH)), "T3: the batch before has left its place");
        return;
    }
    for (uint32_t left = rank + 1; left > 0;) {
        page--;
        if (at > 0 && entry(at - 1) == page) at--;
        else left--;
    }
    FUZZ_CHECK(home == page, "T2: no page of NEW is there, and no other that is kept");
}

static void check_states(const struct spb_journal *j) {
    bool committed = spb_journal_committed(j), finished = spb_journal_finished(j);
    uint32_t last[4] = {0}, next = j->pages.count * SPB_ENTRY_UNIT + SPB_UNITS(SPB_JOURNAL_MARK_SIZE);
    for (uint32_t unit = next / SPB_ENTRY_UNIT; unit < UNITS; unit++) {
        if (!is_erased(unit)) next = (unit + 1) * SPB_ENTRY_UNIT;
        uint32_t step = entry(unit), *of_kind = last + (step >> 13 & 3);
        if (step <= 0xFFFF && step >= SPB_JOURNAL_STEP && step > *of_kind) *of_kind = step;
    }
    FUZZ_CHECK(memcmp(j->last, last, sizeof last) == 0, "J1: of each kind the highest step counts, and nothing else");
    FUZZ_CHECK(j->next == next, "J3: behind the last record it is erased");
    FUZZ_CHECK((j->marked != 0) == is_marked(j->pages.count), "the mark is that of the header in SLOT1");
    FUZZ_CHECK(!finished || j->begun, "what is finished had begun");
    FUZZ_CHECK(!j->begun || committed, "J6: what has begun was committed");
    bool runs = spb_trial_runs(j);
    FUZZ_CHECK(!runs || (j->marked && !finished), "T5: what is on trial has a mark and no end");
    FUZZ_CHECK(!runs || spb_journal_trial(j) || j->pages.count == 0, "and has begun as one");
    FUZZ_CHECK(!runs || (spb_journal_saved(j) >= j->pages.count && spb_journal_installed(j) >= j->pages.count),
               "what is on trial is installed, and OLD is kept");
}

static void check_same(const struct spb_journal *is, const struct spb_journal *was) {
    FUZZ_CHECK(is->pages.count == was->pages.count && is->marked == was->marked && is->next == was->next,
               "J1: list and mark are as they were");
    FUZZ_CHECK(memcmp(is->last, was->last, sizeof is->last) == 0, "J1: each step is there, and no other");
    check_states(is);
}

static void append(struct spb_journal *j, uint32_t step) {
    struct spb_journal before = *j, again;
    bool room = j->next <= SPB_JOURNAL_SIZE - SPB_ENTRY_UNIT;
    reads = 0;
    FUZZ_CHECK(spb_journal_append(j, step) == SPB_OK, "flash that does as it is told is no error");
    open_journal(&again);
    uint32_t kind = step >> 13 & 3;
    FUZZ_CHECK(j->last[kind] == (step > before.last[kind] ? step : before.last[kind]), "J1: that step or a newer one");
    if (room || step < SPB_JOURNAL_STEP_TRIED) check_same(&again, room ? j : &before);
    else FUZZ_CHECK(!spb_journal_committed(&again), "no end is lost and the rest kept");
    FUZZ_CHECK(!spb_journal_finished(&before) || spb_journal_finished(&again) || !spb_journal_committed(&again),
               "what is finished stays so");
}

/* What an application asks is not read from flash. */
static void check_told(void) {
    struct spb_journal j;
    open_journal(&j);
    FUZZ_CHECK(memcmp(j.last, spb_last.last, sizeof j.last) == 0, "of each kind the step is told that is there");
    FUZZ_CHECK((j.marked != 0) == (spb_last.marked != 0), "so is the mark");
    FUZZ_CHECK(!j.marked || j.version == spb_last.version, "and the version");
}

static void confirm(void) {
    struct spb_journal j;
    open_journal(&spb_last);
    bool ran = spb_trial_runs(&spb_last);
    written = 0;
    FUZZ_CHECK(spb_trial_confirm() == SPB_OK, "flash that does as it is told is no error");
    FUZZ_CHECK((written != 0) == ran, "what is not on trial is not told");
    open_journal(&j);
    FUZZ_CHECK(!spb_trial_runs(&j), "T5: what was confirmed is not on trial");
    FUZZ_CHECK(!ran || spb_journal_finished(&j) || !spb_journal_committed(&j), "T5: nor is it installed again");
    check_told();
}

/* As the engine begins: erased, then a list. */
static struct spb_pages list(uint32_t count) {
    struct spb_pages pages = {0};
    FUZZ_CHECK(spb_journal_erase() == SPB_OK, "flash that does as it is told is no error");
    for (uint32_t page = 0; page < count; page++) {
        FUZZ_CHECK(spb_pages_add(&pages, page) == SPB_OK, "there is room for all");
    }
    return pages;
}

static void fail(uint32_t count, enum spb_status why) {
    struct spb_pages pages = list(count);
    struct spb_journal j;
    spb_journal_fail(&pages, why);
    open_journal(&j);
    FUZZ_CHECK(j.last[SPB_JOURNAL_OF_FAILURE] == SPB_JOURNAL_STEP_FAILED + why, "why it ended is there");
    FUZZ_CHECK(!spb_journal_committed(&j) && j.pages.count == count, "what failed is not committed");
    check_told();
}

/* And what the application that did so is told before the reset. */
static void commit(uint32_t count) {
    struct spb_pages pages = list(count);
    struct spb_journal j;
    spb_put_word(header + SPB_HEADER_OFF_SIGNATURE, signature);
    spb_put_word(header + SPB_MANIFEST_OFF_VERSION, VERSION);
    FUZZ_CHECK(spb_journal_commit(header, &pages) == SPB_OK, "there is room for the mark");
    open_journal(&j);
    FUZZ_CHECK((j.marked || signature_lost) && j.pages.count == count && !j.begun, "what was committed is");
    if (signature_lost) return;
    check_told();
}

/* Where a batch is saved, there is room for the end of its trial. */
static void end(struct spb_journal *j, uint32_t step) {
    bool had_room = spb_journal_has_room(j);
    const uint32_t steps[] = {SPB_JOURNAL_STEP_SAVED, SPB_JOURNAL_STEP_INSTALLED, SPB_JOURNAL_STEP_TRIED,
                              SPB_JOURNAL_STEP_FINISHED};
    for (uint32_t i = 0; i < 4; i++) {
        append(j, steps[i] + (i < 3 ? step % 0x100 : 0));
        open_journal(j);
    }
    FUZZ_CHECK(!had_room || spb_journal_finished(j), "there was room for two steps, a start and an end");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input in = {data, data + size};
    struct spb_journal j;
    content = malloc(SPB_JOURNAL_SIZE);
    if (content == NULL) exit(1);
    unreadable = fuzz_u8(&in);          /* of more units than that, the first ones */
    if (unreadable == 255) unreadable = UNITS;
    uint32_t flags = fuzz_u8(&in), page = fuzz_u16(&in) % SPB_PAGES, step = fuzz_u16(&in);
    signature = 0x5A;
    fill(&in);
    if (flags & OTHER_HEADER) signature ^= 1;
    signature_lost = (flags & NO_HEADER) != 0;
    open_journal(&j);
    fuzz_accepted += spb_journal_committed(&j);
    check_states(&j);
    bool good = check_list(&j, page);
    if (j.pages.count > 0) check_home(j.pages.count, page % j.pages.count, good);
    switch (flags / ACT % ACTS) {
    case APPEND: append(&j, SPB_JOURNAL_STEP + step % SPB_JOURNAL_STEP); break;
    case CONFIRM: confirm(); break;
    case FAIL: fail(page, (enum spb_status)(step % SPB_STATUS_COUNT)); break;
    case END: end(&j, step); break;
    default: commit(1 + page);
    }
    free(content);
    return 0;
}
