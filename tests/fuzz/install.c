/* SPDX-License-Identifier: MIT */
/* install.c - fuzzer: OLD in SLOT0, NEW committed in SLOT1, in memory that loses power when the input says so.  build.py
 * makes slots and journal small; the code is that of any size.
 * Head: u8 flags, u8 starts, u16 ends of OLD and NEW, u16 pages that differ, u16 seed.  Then acts of a byte: boots, cut or
 * not, a confirmation, the beginning of the next update; and with WILD in the flags, records of the journal and damage.
 * T1, T2: cut anywhere, NEW or OLD is there in the end, and it is OLD unless NEW is confirmed.  T5: what is confirmed stays.
 * A trial has as many starts as were given, whatever was cut.  In the wild: who has touched SLOT0 and does not say that it
 * failed has left one image there, not a mixture; I6: half an install is not dropped.  Every call ends. */
#include "fuzz_journal.h"
#include "install.h"

#define UNIT SPB_PROGRAM_UNIT
#define ERASE_UNIT (SPB_PAGE_SIZE / 2)
#define SLOT0_OFF SPB_SLOT_SIZE         /* not 0, as places are added up (slot.h) */
#define SLOT1_OFF (SLOT0_OFF + SPB_SLOT_SIZE)
#define JOURNAL_OFF (SLOT1_OFF + SPB_SLOT_SIZE)
#define END (JOURNAL_OFF + SPB_JOURNAL_SIZE)
#define READS 100000u                   /* more than any boot needs, as the next */
#define OPERATIONS 20000u
#define CUTS 3000u                      /* of them an install takes so many at most */
#define MOST_ACTS 24u
#define MOST_CUTS (SPB_JOURNAL_SPARE / 2)   /* a journal has room for so many torn records */

enum { TRIAL = 1, WILD = 2, SPENT = 4 };    /* flags: the rest says how many records are torn already */
enum { BOOT, CUT_BEFORE, CUT_AFTER, CUT_TORN, CUT_READABLE, CONFIRM, NEXT, RECORDS, DAMAGE, ACTS };
enum { OPEN, CONFIRMED, EITHER, LATER };

struct image {
    uint8_t bytes[SPB_SLOT_SIZE];
    uint32_t end;
};

uint32_t fuzz_accepted;

static _Alignas(4) uint8_t memory[END];
static bool unreadable[END / UNIT];
static _Alignas(4) uint8_t personal[SPB_PERSONAL_SIZE];
static struct image old, new;
static struct spb_slot_work work;
static uint32_t operations, reads, touched, cut_kind, cut_at, cuts, seed;
static uint8_t erased[UNIT];
static bool dead;
static uint32_t starts, started, state;
static bool wild, harmed;               /* something was changed by hand, in SLOT0 or the journal */
static bool later;                      /* the next update was begun */
static bool kept;                       /* OLD is: NEW wants a trial, and there is room */
static const struct image *stays;       /* what the next update finds in SLOT0 */

static uint32_t random_u32(void) { return seed = seed * 1664525u + 1013904223u; }

/* 0: no power, 1: all of the operation, 2: a part of it. */
static uint32_t power(uint32_t off) {
    FUZZ_CHECK(++operations < OPERATIONS, "an install ends");
    if (dead) return 0;
    touched += off < SLOT1_OFF;
    if (cut_kind == BOOT || operations - 1 != cut_at) return 1;
    dead = true;
    cuts++;
    return cut_kind == CUT_BEFORE ? 0 : cut_kind == CUT_AFTER ? 1 : 2;
}

/* Some of the bits that were to change have, or all of them; what is torn may be unreadable. */
static void change(uint32_t off, const uint8_t *to, uint32_t does) {
    bool torn = does == 2 && (random_u32() >> 24 & 1);
    if (does == 0) return;
    unreadable[off / UNIT] = torn && cut_kind == CUT_TORN;
    for (uint32_t i = 0; i < UNIT; i++) {
        uint32_t changed = memory[off + i] ^ to[i];
        memory[off + i] ^= (uint8_t)(torn ? changed & random_u32() >> 24 : changed);
    }
}

static enum spb_status erase(uint32_t off) {
    uint32_t size = off == JOURNAL_OFF ? SPB_JOURNAL_SIZE : ERASE_UNIT;
    FUZZ_CHECK(off >= SLOT0_OFF && off % ERASE_UNIT == 0 && off <= JOURNAL_OFF, "F1: units of the areas are erased");
    uint32_t does = power(off);
    for (uint32_t i = 0; i < size; i += UNIT) change(off + i, erased, does);
    return dead ? SPB_E_SECTION_ERASE_FAILURE : SPB_OK;
}

static enum spb_status program(uint32_t off, const uint8_t *data, uint32_t len) {
    FUZZ_CHECK(off >= SLOT0_OFF && off <= END && len <= END - off, "F1: areas are programmed");
    FUZZ_CHECK(off % UNIT == 0 && len % UNIT == 0, "whole units are programmed");
    for (uint32_t i = 0; i < len; i += UNIT) {
        uint32_t does = power(off);
        FUZZ_CHECK(does == 0 || !unreadable[(off + i) / UNIT], "F2, J3: what is programmed can be read");
        FUZZ_CHECK(does == 0 || memcmp(memory + off + i, erased, UNIT) == 0, "F2, J3: and was erased");
        change(off + i, data + i, does);
    }
    return dead ? SPB_E_SECTION_WRITE_FAILURE : SPB_OK;
}

static bool read_flash(uint32_t off, uint32_t *to, uint32_t len) {
    bool ok = true;
    FUZZ_CHECK(++reads < READS, "a boot ends");
    FUZZ_CHECK(off >= SLOT0_OFF && off <= END && (len + 3) / 4 * 4 <= END - off, "F1: areas are read");
    memcpy(to, memory + off, (len + 3) / 4 * 4);
    for (uint32_t unit = off / UNIT; unit * UNIT < off + len; unit++) ok &= !unreadable[unit];
    return ok;
}

static bool writable(uint32_t off, uint32_t len) { return off >= SLOT0_OFF && len <= END - off; }
static void alive(void) {}

static void progress(uint32_t done, uint32_t all) {
    FUZZ_CHECK(wild || done <= all, "no more pages are installed than there are");
}

static const struct spb_flash flash = {.erase = erase, .program = program, .read = read_flash, .writable = writable};
const struct spb_port spb_port = {
    .flash = &flash, .personal = personal, .target = SPB_TARGET, .progress = progress, .alive = alive};
struct spb_journal spb_last;
const struct spb_area spb_slot0 = {{{0, SLOT0_OFF, SPB_SLOT_SIZE, ERASE_UNIT}}};
const struct spb_area spb_slot1 = {{{0, SLOT1_OFF, SPB_SLOT_SIZE, ERASE_UNIT}}};
const struct spb_area spb_journal = {{{0, JOURNAL_OFF, SPB_JOURNAL_SIZE, SPB_JOURNAL_SIZE}}};

/* In the place of a curve: a hash is signed by itself, twice.  Nobody makes up a header here. */
enum spb_p256_verdict spb_p256_verify(const uint32_t key[SPB_P256_POINTS][16], const uint8_t hash[32],
                                      const uint8_t signature[64], struct spb_p256_work *p) {
    (void)key;
    (void)p;
    bool good = memcmp(hash, signature, 32) == 0 && memcmp(hash, signature + 32, 32) == 0;
    return good ? SPB_P256_GOOD : (enum spb_p256_verdict)0;
}

static void sign(struct image *image, uint32_t version, bool trial) {
    _Alignas(4) uint8_t header[SPB_HEADER_SIZE] = {0};
    header[SPB_MANIFEST_OFF_MAGIC] = SPB_MANIFEST_MAGIC & 0xFF;
    header[SPB_MANIFEST_OFF_MAGIC + 1] = SPB_MANIFEST_MAGIC >> 8;
    header[SPB_MANIFEST_OFF_FORMAT] = SPB_FORMAT;
    header[SPB_MANIFEST_OFF_KIND] = trial ? SPB_MANIFEST_KIND_TRIAL : 0;
    spb_put_word(header + SPB_MANIFEST_OFF_TARGET, SPB_TARGET);
    spb_put_word(header + SPB_MANIFEST_OFF_VERSION, version);
    spb_put_word(header + SPB_MANIFEST_OFF_IMAGE_SIZE, image->end - SPB_VECTOR_SIZE);
    spb_put_word(header + SPB_MANIFEST_OFF_PAYLOAD_SIZE, 1);
    spb_put_word(header + SPB_MANIFEST_OFF_SIGNATURE_COUNT, SPB_MANIFEST_SIGNATURE_COUNT);
    spb_sha256(image->bytes + SPB_VECTOR_SIZE, image->end - SPB_VECTOR_SIZE, header + SPB_MANIFEST_OFF_IMAGE_HASH);
    spb_sha256(header, SPB_HEADER_OFF_SIGNATURE, header + SPB_HEADER_OFF_SIGNATURE);
    memcpy(header + SPB_HEADER_OFF_SIGNATURE + 32, header + SPB_HEADER_OFF_SIGNATURE, 32);
    memset(image->bytes, SPB_ERASED, SPB_VECTOR_SIZE);
    memcpy(image->bytes, header, sizeof header);
}

static uint32_t end_of(uint32_t choice) { return SPB_VECTOR_SIZE + 8 + choice % (SPB_SLOT_SIZE - SPB_VECTOR_SIZE - 7); }

/* SLOT0 is full of bytes, whatever of it is OLD; whole pages behind it may be unreadable where NEW has other ones. */
static struct spb_pages make_images(struct fuzz_input *in, bool trial) {
    struct spb_pages pages = {0};
    old.end = end_of(fuzz_u16(in));
    new.end = end_of(fuzz_u16(in));
    uint32_t differ = fuzz_u16(in) | 1;
    seed = fuzz_u16(in);
    for (uint32_t i = 0; i < END; i += 4) spb_put_word(memory + i, random_u32());
    memset(memory + JOURNAL_OFF, SPB_ERASED, SPB_JOURNAL_SIZE);
    memset(unreadable, 0, sizeof unreadable);
    memcpy(old.bytes, memory + SLOT0_OFF, SPB_SLOT_SIZE);
    memcpy(new.bytes, memory + SLOT0_OFF, SPB_SLOT_SIZE);
    for (uint32_t off = 0; off < SPB_SLOT_SIZE; off += UNIT) {
        uint32_t page = spb_page_of(off);
        bool other = differ >> page & 1, torn = random_u32() >> 24 < 20, behind = spb_page_start(page) >= old.end;
        if (other) memcpy(new.bytes + off, memory + SLOT1_OFF + off, UNIT);
        unreadable[(SLOT0_OFF + off) / UNIT] = torn && behind && (other || off >= new.end);
        unreadable[(SLOT1_OFF + off) / UNIT] = torn && !other;
    }
    sign(&old, 1, false);
    sign(&new, 2, trial);
    memcpy(memory + SLOT0_OFF, old.bytes, SPB_VECTOR_SIZE);
    memcpy(memory + SLOT1_OFF, new.bytes, SPB_VECTOR_SIZE);
    for (uint32_t page = 0; page < SPB_PAGES && spb_page_start(page) < new.end; page++) {
        if (differ >> page & 1) FUZZ_CHECK(spb_pages_add(&pages, page) == SPB_OK, "a page is listed");
    }
    return pages;
}

static bool is_there(const struct image *image) {
    const uint8_t *there = memory + SLOT0_OFF, *want = image->bytes;
    bool same = memcmp(there, want, SPB_HEADER_SIZE) == 0 &&        /* what is between header and image is nobody's */
                memcmp(there + SPB_VECTOR_SIZE, want + SPB_VECTOR_SIZE, image->end - SPB_VECTOR_SIZE) == 0;
    for (uint32_t off = 0; same && off < image->end; off += UNIT) {
        same = !unreadable[(SLOT0_OFF + off) / UNIT] || (off >= SPB_HEADER_SIZE && off < SPB_VECTOR_SIZE);
    }
    return same;
}

static void power_on(uint32_t kind, uint32_t at) {
    dead = false;
    operations = reads = touched = 0;
    cut_kind = kind;
    cut_at = at;
}

static void check_result(enum spb_install_result result) {
    bool is_old = is_there(&old), is_new = is_there(&new);
    bool quiet = result == SPB_INSTALL_NOTHING || result == SPB_INSTALL_REFUSED;
    FUZZ_CHECK(!quiet || touched == 0, "who says that nothing was done has left SLOT0 alone");
    FUZZ_CHECK(touched == 0 || result == SPB_INSTALL_FAILED || is_old || is_new, "what was done has left one image");
    harmed |= wild && cuts > MOST_CUTS;     /* a full journal has forgotten where it was (journal.h) */
    FUZZ_CHECK(harmed || result != SPB_INSTALL_REFUSED || is_old || is_new, "I6: half an install is not given up");
    if (wild) return;
    FUZZ_CHECK(is_old || is_new, "T1, T2: after a boot there is an image");
    FUZZ_CHECK(result != SPB_INSTALL_FAILED && (later || result != SPB_INSTALL_REFUSED), "what is good is installed");
    if (stays != NULL) FUZZ_CHECK(is_there(stays), "T5: the next update begins with what there is");
    started += result == SPB_INSTALL_TRIAL;
    bool open = state == OPEN || state == EITHER, done = result == SPB_INSTALL_DONE && !later;
    FUZZ_CHECK(result != SPB_INSTALL_TRIAL || (is_new && kept && state != LATER), "what is on trial is NEW");
    FUZZ_CHECK(result != SPB_INSTALL_REVERTED || (is_old && kept && open), "T5: what is confirmed stays");
    FUZZ_CHECK(!done || (is_new && (!kept || cuts > MOST_CUTS)), "what is for good is NEW");
    FUZZ_CHECK(started <= starts, "a trial has as many starts as it was given");
}

/* True when power lasted. */
static bool boot(uint32_t kind, uint32_t at, enum spb_install_result *result) {
    power_on(kind, at);
    *result = spb_install(&work, starts);
    if (!dead) check_result(*result);
    return !dead;
}

/* By the application, that is NEW or OLD. */
static void confirm(uint32_t kind, uint32_t at) {
    bool runs = spb_trial_runs(&spb_last);
    power_on(kind, at);
    enum spb_status status = spb_trial_confirm();
    FUZZ_CHECK(dead || status == SPB_OK, "flash that does as it is told is no error");
    if (runs) state = dead ? EITHER : CONFIRMED;
}

/* As the engine begins one, after a boot; the loader does so while there is a trial, too. */
static void next_update(uint32_t kind, uint32_t at) {
    const struct image *there = is_there(&new) ? &new : &old;
    harmed |= !is_there(there);         /* of a failed install only the next update helps */
    later = true;
    if (spb_trial_runs(&spb_last)) {
        state = EITHER;
    } else {
        state = LATER;
        stays = there;
    }
    power_on(kind, at);
    if (spb_area_erase(&spb_slot1, 0, spb_page_start(1)) == SPB_OK) (void)!spb_journal_erase();
}

/* The list stays in order: no cut makes another one. */
static void change_records(struct fuzz_input *in) {
    uint8_t *content = memory + JOURNAL_OFF;
    uint32_t from = fuzz_u8(in) % FUZZ_UNITS, count = fuzz_u8(in), before = 0;
    harmed = true;
    memset(content + from * SPB_ENTRY_UNIT, SPB_ERASED, SPB_JOURNAL_SIZE - from * SPB_ENTRY_UNIT);
    for (uint32_t unit = from; unit < FUZZ_UNITS && unit - from < count; unit++) {
        fuzz_record(in, content, unit, spb_load_u32(new.bytes + SPB_HEADER_OFF_SIGNATURE));
    }
    for (uint32_t off = 0; off < SPB_JOURNAL_SIZE; off += SPB_ENTRY_UNIT) {
        power_on(BOOT, 0);
        uint32_t page = spb_entry_read(off);
        if (page >= SPB_JOURNAL_STEP) return;
        if (off > 0 && page <= before) memset(content + off, 0, SPB_ENTRY_UNIT);
        before = page;
    }
}

static void damage(struct fuzz_input *in) {
    uint32_t off = SLOT0_OFF + fuzz_u16(in) % (END - SLOT0_OFF), how = fuzz_u8(in);
    harmed |= off < SLOT1_OFF || off >= JOURNAL_OFF;
    memory[off] ^= (uint8_t)(how >> 1);
    unreadable[off / UNIT] = how & 1;
}

static void settle(void) {
    enum spb_install_result result = SPB_INSTALL_FAILED;
    for (uint32_t i = 0; i < starts + 3 && result != SPB_INSTALL_NOTHING; i++) (void)boot(BOOT, 0, &result);
    fuzz_accepted += !wild || is_there(&old) || is_there(&new);
    if (wild) return;
    FUZZ_CHECK(result == SPB_INSTALL_NOTHING, "there comes an end");
    if (state == CONFIRMED || !kept) FUZZ_CHECK(stays != NULL || is_there(&new), "T1, T5: NEW is there");
    if (state == OPEN && kept && cuts <= MOST_CUTS) FUZZ_CHECK(is_there(&old), "T2: OLD is there again");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input in = {data, data + size};
    enum spb_install_result result;
    uint32_t flags = fuzz_u8(&in);
    bool up = false;
    starts = 1 + fuzz_u8(&in) % 3;
    started = cuts = 0;
    state = OPEN;
    stays = NULL;
    wild = harmed = later = false;
    memset(erased, SPB_ERASED, UNIT);
    power_on(BOOT, 0);
    struct spb_pages pages = make_images(&in, (flags & TRIAL) != 0);
    kept = (flags & TRIAL) != 0 && spb_trial_fits(&pages);
    FUZZ_CHECK(spb_journal_commit(new.bytes, &pages) == SPB_OK, "NEW is committed");
    while (cuts < flags / SPENT && pages.count + 2 + cuts < FUZZ_UNITS) {
        memset(memory + JOURNAL_OFF + (pages.count + 1 + cuts++) * SPB_ENTRY_UNIT, 0, SPB_ENTRY_UNIT);
    }
    for (uint32_t n = 0; n < MOST_ACTS && in.at < in.end; n++) {
        uint32_t act = fuzz_u8(&in) % ACTS;
        if (act >= RECORDS) {
            if ((flags & WILD) == 0) continue;
            wild = true;
            up = false;
            if (act == RECORDS) change_records(&in);
            else damage(&in);
        } else if (act < CONFIRM) {
            up = boot(act, act == BOOT ? 0 : fuzz_u16(&in) % CUTS, &result);
        } else if (up) {
            uint32_t kind = fuzz_u8(&in) % CONFIRM, at = kind == BOOT ? 0 : fuzz_u8(&in) % 4;
            if (act == CONFIRM) confirm(kind, at);
            else next_update(kind, at);
            up = !dead;
        }
    }
    settle();
    return 0;
}
