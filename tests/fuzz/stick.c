/* SPDX-License-Identifier: MIT */
/* stick.c - fuzzer: the input is a disk, and when it stops to be readable.
 * Head: u32 sectors of the disk, u16 reads until one fails (0: none does), u8 what the consumer refuses, 255: the file is damaged.  Then pieces of it:
 * u32 sector, u8 off / 2, u8 len, so many bytes.  All else is zero.
 * V1: nothing is read outside of disk and partition.  V2, I2: there is an end, after a bounded number of reads.  I1: names are
 * printable.  K1: a file is begun once, two at most.  K3: the consumer gets as many bytes as were announced, or a reason. */
#include <string.h>

#include "fuzz.h"
#include "usb/directory.h"

#undef SPB_DIRECTORY_SECTORS
#define SPB_DIRECTORY_SECTORS 64u       /* in place of 4,096: the same code, and many times the inputs in a minute */

#include "usb/directory.c"
#include "usb/stick.c"
#include "usb/volume.c"

#define PIECE_HEAD 6u
#define MOST_SIZE 40000u    /* of a file: the engine has a limit, too */
#define DAMAGED 255u
#define MOST_READS 4000u    /* a directory with 256 files, whose chains are read from three sectors each time */

uint32_t fuzz_accepted;

struct spb_engine spb_device_engine;
struct spb_journal spb_last;

static void alive(void) {}
const struct spb_port spb_port = {.alive = alive};

static struct fuzz_input input;
static struct spb_stick stick;
static uint32_t sectors, reads, fails_at, announced, taken, begun, refuses;

static uint32_t word(const uint8_t *p) { return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24; }

uint32_t spb_disk_sectors(void) { return sectors; }

bool spb_disk_read(uint32_t sector, uint8_t *to) {
    const struct spb_volume *v = &stick.volume;
    FUZZ_CHECK(sector < sectors, "V1: the sector is one of the disk");
    FUZZ_CHECK(sector >= v->first && sector - v->first < v->sectors, "V1: and of what is looked at");
    FUZZ_CHECK(++reads < MOST_READS, "V2, I2: it ends");
    FUZZ_CHECK(to == bytes, "there is one place for it");
    if (reads == fails_at) return false;
    memset(to, 0, SPB_SECTOR_SIZE);
    for (const uint8_t *p = input.at; input.end - p >= (int)PIECE_HEAD;) {
        uint32_t off = 2u * p[4], len = p[5], left = (uint32_t)(input.end - p) - PIECE_HEAD;
        if (len > left) len = left;
        if (word(p) == sector) memcpy(to + off, p + PIECE_HEAD, len < SPB_SECTOR_SIZE - off ? len : SPB_SECTOR_SIZE - off);
        p += PIECE_HEAD + len;
    }
    return true;
}

static bool ends_in(const char *name, size_t len, const char *end) {
    size_t n = strlen(end);
    bool same = len > n;
    for (size_t i = 0; same && i < n; i++) same = (name[len - n + i] & ~0x20) == end[i];
    return same;
}

static void check_name(const char *name) {
    const char *end = memchr(name, '\0', SPB_NAME_MOST + 1);
    FUZZ_CHECK(end != NULL && name[0] != '.', "I1: a name has an end, and begins with no dot");
    size_t len = (size_t)(end - name);
    for (size_t i = 0; i < len; i++) FUZZ_CHECK(name[i] >= ' ' && name[i] <= '~', "I1: it is printable");
    len -= ends_in(name, len, "P");
    FUZZ_CHECK(ends_in(name, len, "SFB") && name[len - 4] == '.', "it is one of an update");
}

/* Its versions are the first bytes of the file; any other byte may refuse it. */
enum spb_status spb_manifest_shape(const uint8_t m[SPB_MANIFEST_SIZE]) { return m[SPB_MANIFEST_OFF_MAGIC] == 0x53 ? SPB_OK : SPB_E_UNSUPPORTED; }

uint32_t spb_engine_floor(struct spb_engine *e, bool active) {
    e->active = active;
    return 1;
}

enum spb_status spb_engine_foresee(struct spb_engine *e, const uint8_t manifest[SPB_MANIFEST_SIZE], uint32_t floor) {
    memcpy(e->header, manifest, SPB_MANIFEST_SIZE);
    check_name(stick.file.name);
    if (spb_manifest_shape(e->header) != SPB_OK) return SPB_E_UNSUPPORTED;
    if (SPB_MANIFEST_U32(e->header, PAYLOAD_SIZE) > MOST_SIZE) return SPB_E_IMAGE_TOO_LARGE;
    return SPB_MANIFEST_U32(e->header, VERSION) < floor ? SPB_E_IMAGE_VERSION_FAILURE : SPB_OK;
}

void spb_console_put_line(enum spb_text format, ...) { FUZZ_CHECK(format != SPB_TEXT_NONE, "something is said"); }

void spb_show_light(bool on) { (void)on; }

uint32_t spb_line_ms(void) { return 0; }

/* A file that is looked through: chunks of a sector, all good or all damaged. */
void spb_payload_init(struct spb_payload *p, uint32_t size) { p->left = size; }

uint32_t spb_payload_take(struct spb_payload *p, const uint8_t *data, uint32_t len) {
    FUZZ_CHECK(data >= bytes && data + len <= bytes + SPB_SECTOR_SIZE, "K4: what was read");
    FUZZ_CHECK(len <= p->left, "K4: no more than the payload has");
    p->left -= len;
    return len;
}

bool spb_payload_pass(struct spb_payload *p) { return p->left > 0 || refuses != DAMAGED; }

enum spb_status spb_source_begin(uint32_t size) {
    check_name(stick.best.name);
    begun++;
    announced = size;
    taken = 0;
    return size % 64 != 63 ? SPB_OK : SPB_E_FLASH_ERROR;
}

enum spb_status spb_source_data(const uint8_t *data, uint32_t len) {
    FUZZ_CHECK(data == bytes && len > 0 && len <= SPB_SECTOR_SIZE, "K3: what was read");
    FUZZ_CHECK(len <= announced - taken, "K3: no more than announced");
    taken += len;
    return refuses != 0 && taken / SPB_SECTOR_SIZE >= refuses ? SPB_E_INVALID_PATCH_TAG : SPB_OK;
}

uint32_t spb_source_wanted(void) { return announced - taken; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint32_t first[SPB_STICK_TRIES];
    input = (struct fuzz_input){data, data + size};
    memset(&stick, 0, sizeof stick);
    reads = begun = 0;
    sectors = fuzz_u16(&input);
    sectors |= fuzz_u16(&input) << 16;
    fails_at = fuzz_u16(&input);
    refuses = fuzz_u8(&input);
    for (uint32_t turn = 0; turn < SPB_STICK_TRIES + 1; turn++) {
        uint32_t before = begun;
        reads = 0;
        enum spb_source_end end = spb_stick_receive(&stick, true);
        if (end == SPB_SOURCE_NONE) break;
        FUZZ_CHECK(turn < SPB_STICK_TRIES && begun - before <= 1, "K1: at most two are begun");
        FUZZ_CHECK(begun > before || spb_source_has_reason(end), "K4: all that begins was looked through");
        FUZZ_CHECK(begun == before || refuses != DAMAGED, "K4: a damaged file does not begin");
        first[turn] = stick.best.cluster;
        FUZZ_CHECK(turn == 0 || first[0] != first[1], "K1: none of them twice");
        if (end == SPB_SOURCE_DONE) FUZZ_CHECK(taken == announced, "K3: done is all of it");
        if (spb_source_has_reason(end) && begun > before) FUZZ_CHECK(taken < announced, "K3: a reason is for what is missing");
        fuzz_accepted += turn == 0 && end == SPB_SOURCE_DONE;
    }
    return 0;
}
