/* SPDX-License-Identifier: MIT */
#include "fragments.h"

#define ERASED 0xFFFFFFFFu
#define UNIT 8u

/* head, data up to whole units, check: the check is written last, as flash is written upwards. */
struct record {
    uint32_t session;
    uint16_t index, len;
    uint8_t data[FRAGMENT_SIZE_MAX];
    uint32_t check[2];          /* beyond a shorter fragment it stands right behind the data */
};

#define HEAD 8u
#define CHECK 8u

static union {
    struct record record;
    uint32_t words[sizeof(struct record) / 4];
} buffer;

static uint32_t padded(uint32_t len) { return (len + UNIT - 1u) / UNIT * UNIT; }

static uint32_t stride(const struct fragments *f) { return HEAD + padded(f->file.size) + CHECK; }

/* CRC-32 of Ethernet: against cuts and bad cells.  Against people there is the signature. */
static uint32_t crc(const uint8_t *data, uint32_t len) {
    uint32_t sum = ERASED;
    while (len--) {
        sum ^= *data++;
        for (int bit = 0; bit < 8; bit++) sum = sum >> 1 ^ (0xEDB88320u & (0u - (sum & 1u)));
    }
    return ~sum;
}

static uint32_t length_of(const struct fragments *f, uint16_t index) {
    return index + 1u < f->count ? f->file.size : f->file.length - (uint32_t)(f->count - 1u) * f->file.size;
}

/* The record at off is in the buffer, and counts. */
static bool load(const struct fragments *f, uint32_t off) {
    const struct record *found = &buffer.record;
    uint32_t at = (HEAD + padded(f->file.size)) / 4u;
    if (!f->store->read(off, buffer.words, stride(f))) return false;
    return found->session == f->file.session && found->index < f->count && found->len == length_of(f, found->index) &&
           buffer.words[at + 1u] == ~buffer.words[at] && buffer.words[at] == crc((const uint8_t *)buffer.words, at * 4u);
}

static bool is_free(const struct fragments *f, uint32_t off) {
    if (!f->store->read(off, buffer.words, stride(f))) return false;
    for (uint32_t i = 0; i < stride(f) / 4u; i++) {
        if (buffer.words[i] != ERASED) return false;
    }
    return true;
}

static void forget(struct fragments *f) {
    f->have = 0;
    f->free = 0;
    for (uint32_t i = 0; i < FRAGMENTS_MAX; i++) f->record[i] = 0;
}

/* What was written last is behind all that counts: what a cut left there may read as free. */
static void scan(struct fragments *f) {
    forget(f);
    for (uint32_t off = 0; off + stride(f) <= f->store->size; off += stride(f)) {
        bool counts = load(f, off);
        uint16_t index = buffer.record.index;
        if (counts && f->record[index] == 0) {
            f->record[index] = (uint16_t)(off / stride(f) + 1u);
            f->have++;
        }
        if (counts || !is_free(f, off)) f->free = off + stride(f);
    }
}

bool fragments_drop(struct fragments *f) {
    forget(f);
    return f->store->erase();
}

bool fragments_open(struct fragments *f, const struct fragments_store *store, const struct fragments_file *file) {
    f->store = store;
    f->file = *file;
    f->count = 0;
    forget(f);
    if (file->size == 0 || file->size > FRAGMENT_SIZE_MAX || file->length == 0) return false;
    if (file->length > (uint32_t)FRAGMENTS_MAX * file->size) return false;
    uint32_t count = (file->length + file->size - 1u) / file->size;
    if (count > store->size / stride(f)) return false;
    f->count = (uint16_t)count;
    scan(f);
    return f->have != 0 || f->free == 0 || fragments_drop(f);
}

/* Into the next record that takes it: one that does not, as a cut left something in it, is passed over. */
static bool keep(struct fragments *f, uint16_t index) {
    while (stride(f) <= f->store->size - f->free) {
        uint32_t off = f->free;
        f->free += stride(f);
        if (f->store->write(off, buffer.words, stride(f))) {
            f->record[index] = (uint16_t)(off / stride(f) + 1u);
            f->have++;
            return true;
        }
    }
    return false;
}

enum fragments_answer fragments_take(struct fragments *f, uint16_t index, const uint8_t *data, uint32_t len) {
    uint32_t at = (HEAD + padded(f->file.size)) / 4u;
    if (index >= f->count || len != length_of(f, index)) return FRAGMENT_WRONG;
    if (f->record[index] != 0) return FRAGMENT_AGAIN;
    for (uint32_t i = 0; i < at + 2u; i++) buffer.words[i] = 0;
    buffer.record.session = f->file.session;
    buffer.record.index = index;
    buffer.record.len = (uint16_t)len;
    for (uint32_t i = 0; i < len; i++) buffer.record.data[i] = data[i];
    buffer.words[at] = crc((const uint8_t *)buffer.words, at * 4u);
    buffer.words[at + 1u] = ~buffer.words[at];
    return keep(f, index) ? FRAGMENT_TAKEN : FRAGMENT_NO_ROOM;
}

uint16_t fragments_missing(const struct fragments *f, uint16_t from) {
    while (from < f->count && f->record[from] != 0) from++;
    return from < f->count ? from : f->count;
}

bool fragments_feed(const struct fragments *f, SE_PATCH_Status *status) {
    const SE_PATCH_StartInfo info = {
        .type = SE_PATCH_ImageType_APP,
        .rebootDelay = SE_PATCH_RebootDelay_COMMAND,
        .totalLength = f->file.length,
    };
    SE_PATCH_InitStatus(status);
    if (f->count == 0 || f->have != f->count) return false;
    (void)SE_PATCH_Abort(status);                       /* whatever was under way */
    if (SE_PATCH_Init(status, &info) != SE_SUCCESS) return false;
    for (uint16_t index = 0; index < f->count; index++) {
        if (!load(f, (f->record[index] - 1u) * stride(f)) || buffer.record.index != index) return false;
        if (SE_PATCH_Data(status, buffer.record.data, buffer.record.len) != SE_SUCCESS) return false;
    }
    (void)SE_PATCH_Poll(status);
    return status->stage == SE_PATCH_Stage_VERIFIED;
}
