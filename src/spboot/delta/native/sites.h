/* SPDX-License-Identifier: MIT */
/* sites.h - the references of an image, read once: a parse asks for each of them again and again. */
#ifndef SPB_SITES_H
#define SPB_SITES_H

#include "bytes.h"
#include "operation.h"
#include "reference.h"

struct spb_sites {
    const uint8_t *bytes;
    uint32_t base;          /* address of the first */
    uint8_t *kinds;         /* per half-word, 1 + kind or 0: bits 3..0 of an instruction there, 7..4 of a word */
    uint32_t *targets;      /* per half-word: of the instruction */
};

static inline struct spb_image_range spb_sites_image(const struct spb_pair *pair) {
    return (struct spb_image_range){.base = pair->base, .size = pair->old_code, .rest_base = pair->rest_base,
                                    .rest_size = pair->old_len > pair->rest ? pair->old_len - pair->rest : 0};
}

/* False: out of memory.  Free it in any case. */
bool spb_sites_init(struct spb_sites *sites, const struct spb_pair *pair, const uint8_t *bytes, uint32_t len);
void spb_sites_free(struct spb_sites *sites);

/* 1 + kind of the instruction at off, which is even; 0: none that refers. */
static inline uint32_t spb_sites_instruction(const struct spb_sites *sites, uint32_t off) {
    return sites->kinds[off / 2] & 15u;
}

/* What a word of that kind, at address at, names. */
static inline uint32_t spb_sites_word_target(uint32_t kind, uint32_t w, uint32_t at) {
    return kind == SPB_REFERENCE_REL ? at + (w | 1u << 31) : w;
}

/* What spb_reference_read() finds in the len (2 .. 4) bytes at off, which is even. */
static inline bool spb_sites_read(const struct spb_sites *sites, uint32_t off, uint32_t len, bool word,
                                  struct spb_reference *ref) {
    uint32_t kinds = sites->kinds[off / 2];
    if (kinds == 0) return false;
    if (word && len == 4 && kinds >> 4 != 0) {
        uint32_t w = spb_load_u32(sites->bytes + off), kind = (kinds >> 4) - 1;
        *ref = (struct spb_reference){(uint8_t)kind, 4, spb_sites_word_target(kind, w, sites->base + off)};
        return true;
    }
    if ((kinds & 15) == 0) return false;
    uint32_t kind = (kinds & 15) - 1;
    uint8_t size = kind >= SPB_REFERENCE_LDR && kind <= SPB_REFERENCE_CBZ ? 2 : 4;
    *ref = (struct spb_reference){(uint8_t)kind, size, sites->targets[off / 2]};
    return size <= len;
}

#endif
