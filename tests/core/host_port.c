/* SPDX-License-Identifier: MIT */
/* host_port.c - spb_port over arrays, so that core runs on the host under sanitizers and power is cut in microseconds.
 * One operation (an erase, or one program unit) can be cut before, after or torn; from then on nothing changes any
 * more and every call fails, as for a chip without power.  A torn unit is poisoned: read() says no.
 * Where slots have two parts, the second ones are in another memory, which is erased and programmed by other units and
 * cannot be read while it is programmed. */
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "install.h"

#define SIZE (2u * SPB_SLOT_SIZE + SPB_JOURNAL_SIZE + SPB_KEYS_AREA_SIZE)
#define UNIT HP_ERASE_UNIT     /* given by the test */
#define REST (SPB_SLOT_SIZE - SPB_PART_SIZE)
#define SLOT1_OFF SPB_PART_SIZE
#define JOURNAL_OFF (2u * SPB_PART_SIZE)
#define KEYS_OFF (JOURNAL_OFF + SPB_JOURNAL_SIZE)
#define REST_OFF (KEYS_OFF + SPB_KEYS_AREA_SIZE)

_Static_assert(SPB_PART_SIZE % UNIT == 0 && SPB_JOURNAL_SIZE % UNIT == 0 && SPB_KEYS_AREA_SIZE % UNIT == 0, "whole erase units");

enum { CUT_NONE, CUT_BEFORE, CUT_AFTER, CUT_TORN, CUT_TORN_CLEAN };

static _Alignas(4) uint8_t memory[SIZE];
static uint8_t poisoned[SIZE / SPB_PROGRAM_UNIT];
static _Alignas(4) uint8_t personal[SPB_PERSONAL_SIZE];
static uint32_t blocks, operations, cut_at, cut_kind, seed, erases[SIZE / UNIT];
static uint32_t fail_kind, fail_in, fail_erase;
static uint32_t misuse, dead, stuck = UINT32_MAX;
static uint32_t weak = UINT32_MAX, weak_reads;

static uint32_t random_u32(void) { return seed = seed * 1664525u + 1013904223u; }

/* Some of the bits that were to change did. */
static uint8_t torn(uint8_t from, uint8_t to) { return (uint8_t)(from ^ ((from ^ to) & (random_u32() >> 24))); }

/* What this operation may do: 0 nothing, 1 all, 2 a part. */
static int power(void) {
    if (dead) return 0;
    if (cut_kind == CUT_NONE || operations++ != cut_at) return 1;
    dead = 1;
    return cut_kind == CUT_BEFORE ? 0 : cut_kind == CUT_AFTER ? 1 : 2;
}

static enum spb_status erase_unit(uint32_t off, uint32_t size) {
    int does = power();
    if (fail_erase) return SPB_E_SECTION_ERASE_FAILURE;
    erases[off / UNIT]++;
    for (uint32_t i = off; does && i < off + size; i += SPB_PROGRAM_UNIT) {
        uint32_t unit = i / SPB_PROGRAM_UNIT;
        uint32_t luck = does == 1 ? 0 : random_u32() >> 24;
        if (luck < 128) memset(memory + i, SPB_ERASED, SPB_PROGRAM_UNIT);
        else for (uint32_t k = 0; k < SPB_PROGRAM_UNIT; k++) memory[i + k] = torn(memory[i + k], SPB_ERASED);
        poisoned[unit] = (uint8_t)(luck >= 128 && cut_kind == CUT_TORN && (luck & 1));
    }
    return dead ? SPB_E_SECTION_ERASE_FAILURE : SPB_OK;
}

static enum spb_status program_units(uint32_t off, const uint8_t *data, uint32_t len, uint32_t size) {
    for (uint32_t i = 0; i < len; i += size) {
        int does = power();
        bool fails = fail_kind != CUT_NONE && fail_in-- == 0;
        if (fails) does = fail_kind == CUT_BEFORE ? 0 : fail_kind == CUT_AFTER ? 1 : 2;
        for (uint32_t k = 0; does && k < size; k++) {
            uint8_t *cell = memory + off + i + k;
            if (*cell != SPB_ERASED || poisoned[(off + i) / SPB_PROGRAM_UNIT]) misuse++;
            *cell = does == 1 ? data[i + k] : torn(*cell, data[i + k]);
            if (off + i + k == stuck) *cell ^= 1;
        }
        if (does == 2) memset(poisoned + (off + i) / SPB_PROGRAM_UNIT, (fails ? fail_kind : cut_kind) == CUT_TORN, size / SPB_PROGRAM_UNIT);
        if (fails) return SPB_E_SECTION_WRITE_FAILURE;
    }
    return dead ? SPB_E_SECTION_WRITE_FAILURE : SPB_OK;
}

static enum spb_status erase(uint32_t off) {
    if (off % UNIT) misuse++;
    return erase_unit(off, UNIT);
}

static enum spb_status program(uint32_t off, const uint8_t *data, uint32_t len) {
    if (off % SPB_PROGRAM_UNIT || len % SPB_PROGRAM_UNIT) misuse++;
    return program_units(off, data, len, SPB_PROGRAM_UNIT);
}

static const uint8_t *map(uint32_t off) { return memory + off; }

static bool read(uint32_t off, uint32_t *to, uint32_t len) {
    uint32_t words = (len + 3) / 4;
    bool ok = off % 4 == 0 && len > 0 && off + 4 * words <= SIZE;
    if (!ok) abort();
    memcpy(to, memory + off, 4 * words);
    for (uint32_t unit = off / SPB_PROGRAM_UNIT; unit * SPB_PROGRAM_UNIT < off + 4 * words; unit++) ok &= !poisoned[unit];
    if (weak >= off && weak < off + 4 * words) ok &= weak_reads-- > 0;
    return ok;
}

static void no_progress(uint32_t done, uint32_t all) {
    (void)done;
    (void)all;
}
static void alive(void) {}

/* One byte that option bytes protect, or none. */
static uint32_t protected_off = UINT32_MAX;
static bool writable(uint32_t off, uint32_t len) { return protected_off - off >= len; }

static const struct spb_flash flash = {erase, program, map, read, writable};

#if SPB_PARTS == 2
/* The other memory: the second parts of SLOT0 and SLOT1, one behind the other. */
static uint32_t there(uint32_t off) { return REST_OFF + off; }

static enum spb_status rest_erase(uint32_t off) {
    if (off % HP_REST_ERASE_UNIT) misuse++;
    return erase_unit(there(off), HP_REST_ERASE_UNIT);
}

static enum spb_status rest_erase_block(uint32_t off) {
    if (SPB_BLOCK == 0 || (off & (SPB_BLOCK - 1u)) != 0 || off % REST > REST - SPB_BLOCK) misuse++;
    blocks++;
    return erase_unit(there(off), SPB_BLOCK);
}

static enum spb_status rest_program(uint32_t off, const uint8_t *data, uint32_t len) {
    if (off % HP_REST_UNIT || len % HP_REST_UNIT) misuse++;
    if (data >= memory && data < memory + SIZE) misuse++;
    return program_units(there(off), data, len, HP_REST_UNIT);
}

static const uint8_t *rest_map(uint32_t off) { return map(there(off)); }
static bool rest_read(uint32_t off, uint32_t *to, uint32_t len) { return read(there(off), to, len); }
static bool rest_writable(uint32_t off, uint32_t len) { return writable(there(off), len); }

static const struct spb_flash rest = {
    rest_erase, rest_program, rest_map, rest_read, rest_writable,
};
#define ERASE_BLOCK rest_erase_block
#define OUTSIDE &rest
#define AND_REST(off) , {1, off, REST, HP_REST_ERASE_UNIT}
#else
#define OUTSIDE NULL
#define ERASE_BLOCK NULL
#define AND_REST(off)
#endif

const struct spb_area spb_slot0 = {{{0, 0, SPB_PART_SIZE, UNIT} AND_REST(0)}};
const struct spb_area spb_slot1 = {{{0, SLOT1_OFF, SPB_PART_SIZE, UNIT} AND_REST(REST)}};
const struct spb_area spb_journal = {{{0, JOURNAL_OFF, SPB_JOURNAL_SIZE, UNIT}}};
struct spb_journal spb_last;
#if SPB_KEYS_RECORDS
const struct spb_area spb_keys_area = {{{0, KEYS_OFF, SPB_KEYS_AREA_SIZE, UNIT}}};
struct spb_keys spb_keys;
#endif
const struct spb_port spb_port = {&flash, OUTSIDE, personal, SPB_TARGET, ERASE_BLOCK, no_progress, alive};

/* For the tests. */

static void open_keys(void) {
#if SPB_KEYS_RECORDS
    static struct spb_slot_work work;
    spb_keys_open(&work);
#endif
}

/* A place as tests count: SLOT0, SLOT1, journal and keys, one behind the other, whatever memories they are in. */
static uint32_t place(uint32_t off) {
    uint32_t in = off % SPB_SLOT_SIZE, slot = off / SPB_SLOT_SIZE;
    if (slot > 1) return JOURNAL_OFF + off - 2u * SPB_SLOT_SIZE;
    return in < SPB_PART_SIZE ? slot * SPB_PART_SIZE + in : REST_OFF + slot * REST + in - SPB_PART_SIZE;
}

void hp_write(uint32_t off, const uint8_t *data, uint32_t len) {
    for (uint32_t i = 0; i < len; i++) memory[place(off + i)] = data[i];
}

void hp_read(uint32_t off, uint8_t *data, uint32_t len) {
    for (uint32_t i = 0; i < len; i++) data[i] = memory[place(off + i)];
}

uint8_t *hp_personal(void) { return personal; }
uint32_t hp_size(void) { return SIZE; }
uint32_t hp_misuse(void) { return misuse; }
uint32_t hp_operations(void) { return operations; }
uint32_t hp_blocks(void) { return blocks; }
uint32_t hp_erases(uint32_t page) { return erases[page]; }

void hp_blank(void) {
    memset(memory, SPB_ERASED, SIZE);
    memset(poisoned, 0, sizeof poisoned);
}

void hp_save(uint8_t *to) {
    memcpy(to, memory, SIZE);
    memcpy(to + SIZE, poisoned, sizeof poisoned);
}

void hp_restore(const uint8_t *from) {
    memcpy(memory, from, SIZE);
    memcpy(poisoned, from + SIZE, sizeof poisoned);
    spb_journal_open(&spb_last);
    open_keys();
}

uint32_t hp_engine_size(void) { return sizeof(struct spb_engine); }
uint32_t hp_save_size(void) { return SIZE + sizeof poisoned; }

void hp_power_on(uint32_t kind, uint32_t at, uint32_t new_seed) {
    cut_kind = kind;
    cut_at = at;
    seed = new_seed;
    operations = blocks = 0;
    dead = 0;
    memset(erases, 0, sizeof erases);
    spb_journal_open(&spb_last);            /* as a boot does, in its install */
    open_keys();
}

/* Count operations without a cut. */
void hp_count(void) { hp_power_on(CUT_BEFORE, UINT32_MAX, 1); }

static struct spb_engine engine;

void hp_engine_reset(void) { memset(&engine, 0, sizeof engine); }
int hp_start(uint32_t total, int active) { return spb_engine_start(&engine, total, active != 0); }
int hp_commit(void) { return spb_engine_commit(&engine); }
int hp_abort(void) { return spb_engine_abort(&engine); }
int hp_stage(void) { return (int)engine.stage; }
int hp_changed(uint32_t page) { return spb_pages_rank(&engine.candidate.pages, page) != SPB_PAGES_NONE; }

/* From a fresh heap block, so that the address sanitizer sees every read outside. */
int hp_data(const uint8_t *data, uint32_t len) {
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, data, len);
    int status = spb_engine_data(&engine, copy, len);
    free(copy);
    return status;
}

int hp_install(uint32_t starts) { return (int)spb_install(&engine.work.slot, starts); }
int hp_trial_confirm(void) { return spb_trial_confirm(); }

/* Version in SLOT0 when header and image are good, else 0. */
uint32_t hp_installed(void) {
    struct spb_slot_work work;
    if (!spb_slot_header(&spb_slot0, 0, &work) || spb_slot_trust(&work) != SPB_GOOD) return 0;
    return spb_slot_match(&work, NULL, 0) == SPB_GOOD ? SPB_MANIFEST_U32(work.header, VERSION) : 0;
}

/* A patch stream on its own. */
struct sink {
    uint8_t *data;
    uint32_t len, room;
};

static struct sink *filled;     /* not around the decoder, which is a heap block of just its size */

static enum spb_status sink_put(struct spb_delta *d, uint8_t byte) {
    struct sink *s = filled;
    (void)d;
    if (s->len == s->room) abort();
    s->data[s->len++] = byte;
    return SPB_OK;
}

static uint8_t sink_get(struct spb_delta *d, uint32_t off) {
    const struct sink *s = filled;
    (void)d;
    if (off >= s->len) abort();
    return s->data[off];
}

/* A part of them at a time, and none now and then. */
static uint32_t sink_same(struct spb_delta *d, uint32_t most) {
    struct sink *s = filled;
    uint32_t take = most == 0 ? 0 : (most * 7 + 3) % (most + 1);
    if (most == 0 || most > s->room - s->len || d->np != s->len) abort();
    memcpy(s->data + s->len, d->old[0] + s->len, take);
    s->len += take;
    return take;
}

/* Copies in exact heap blocks, for the address sanitizer; the stream in runs of `piece` new bytes, or of up to 63 by
 * chance when that is 0.  *put: bytes of NEW that came. */
int hp_decode(const uint8_t *old, uint32_t old_len, const uint8_t *stream, uint32_t len, uint8_t *new, uint32_t new_len,
              uint32_t piece, uint32_t *put) {
    struct sink sink = {new, 0, new_len};
    static const struct spb_delta_new out = {sink_put, sink_get, sink_same};
    struct spb_delta *d = malloc(sizeof *d);
    uint8_t *base = malloc(old_len ? old_len : 1);
    uint32_t taken = 0, read = 0;
    enum spb_status status = SPB_OK;
    memcpy(base, old, old_len);
    filled = &sink;
    const struct spb_delta_image from = {{{base, old_len}}}, to = {{{NULL, new_len}}};
    spb_delta_init(d, &out, &from, &to);
    do {
        uint32_t used;
        uint32_t more = piece != 0 ? piece : random_u32() >> 16 & 63;
        read = len - read > more ? read + more : len;
        uint8_t *in = malloc(read - taken ? read - taken : 1);
        memcpy(in, stream + taken, read - taken);
        status = spb_delta_run(d, in, read - taken, read == len, &used);
        free(in);
        taken += used;
        if (status == SPB_OK && read < len && read - taken > SPB_DELTA_STEP_SIZE) abort();
    } while (status == SPB_OK && read < len);
    if (status == SPB_OK && d->np != new_len) status = SPB_E_PARSER_ERROR;
    *put = sink.len;
    free(base);
    free(d);
    return status;
}

/* The journal on its own; the header is whatever SLOT1 begins with. */
static struct spb_journal journal;

int hp_journal_erase(void) { return spb_journal_erase(); }
int hp_journal_commit(void) {
    static const uint32_t changed[] = {1, 3, 4, 6};
    struct spb_pages pages = {0};
    for (uint32_t i = 0; i < 4; i++) {
        if (spb_pages_add(&pages, changed[i]) != SPB_OK) return -1;
    }
    return spb_journal_commit(memory + SLOT1_OFF, &pages);
}
int hp_journal_append(uint32_t step) { return spb_journal_append(&journal, step); }

/* Steps, or -1 without a commit, or -2 when finished. */
int hp_journal_open(void) {
    spb_journal_open(&journal);
    if (!spb_journal_committed(&journal)) return -1;
    return spb_journal_finished(&journal) ? -2 : (int)spb_journal_installed(&journal);
}

/* The program operation `at` from now on reports an error, and does what a cut of this kind does; so does an erase. */
void hp_fail(uint32_t at, uint32_t kind, uint32_t erases_fail) {
    fail_kind = kind;
    fail_in = at;
    fail_erase = erases_fail;
}

void hp_protect(uint32_t off) { protected_off = off; }

/* Units of a range that cannot be read; a byte that is stored with its lowest bit wrong. */
void hp_poison(uint32_t off, uint32_t len) {
    for (uint32_t i = 0; i < len; i += SPB_PROGRAM_UNIT) poisoned[place(off + i) / SPB_PROGRAM_UNIT] = 1;
}
void hp_stuck(uint32_t off) { stuck = off; }

/* The byte at off can be read so many times, and then once not. */
void hp_weak(uint32_t off, uint32_t reads) {
    weak = off == UINT32_MAX ? off : place(off);
    weak_reads = reads;
}

/* What an area grants: 1 map, 2 read, 4 program. */
int hp_area(uint32_t off, uint32_t len) {
    static const uint8_t data[8] = {0};
    static uint32_t copy[SPB_SLOT_SIZE / 4];  /* so that nothing breaks if it is read */
    hp_blank();
    int programs = len <= sizeof data || len > SPB_SLOT_SIZE ? spb_area_program(&spb_slot0, off, data, len) == SPB_OK
                                                             : spb_area_erase(&spb_slot0, off, SPB_PAGE_SIZE) == SPB_OK;
    return (spb_area_map(&spb_slot0, off, len) != NULL) | spb_area_read(&spb_slot0, off, copy, len) << 1 |
           programs << 2;
}

/* The header in SLOT0 is one whose image may run. */
int hp_trusted(void) {
    static struct spb_slot_work work;
    return spb_slot_header(&spb_slot0, 0, &work) && spb_slot_trust(&work) == SPB_GOOD;
}

/* Index of the key, and 0x10000 when a header in SLOT0 counts though an older key signed it. */
uint32_t hp_key(void) {
#if SPB_KEYS_RECORDS
    return spb_keys_index() + (spb_keys_pinned(memory) == SPB_GOOD ? 0x10000u : 0u);
#else
    return 0;
#endif
}
