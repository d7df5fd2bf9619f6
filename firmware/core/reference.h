/* SPDX-License-Identifier: MIT */
/* reference.h - instructions and words that name another place, as a patch may move it: Thumb branches and
 * PC-relative loads, pointers, small numbers (spec/patch-stream.md).  Source: ARMv7-M Architecture Reference Manual,
 * A7.7. */
#ifndef SPB_REFERENCE_H
#define SPB_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "spb_config.h"

enum spb_reference_kind {
    SPB_REFERENCE_BL,       /* BL, B.W */
    SPB_REFERENCE_REL,      /* word: an address in the image, as a distance from the word itself (prel31) */
    SPB_REFERENCE_CODE,     /* word: an address in the image */
    SPB_REFERENCE_DATA,     /* word: an address in RAM or external memory */
    SPB_REFERENCE_SMALL,    /* word: a small number */
    SPB_REFERENCE_LDR,      /* LDR literal, 16 bit */
    SPB_REFERENCE_BCC,      /* B<c> */
    SPB_REFERENCE_B,        /* B, 16 bit */
    SPB_REFERENCE_CBZ,      /* CBZ, CBNZ */
    SPB_REFERENCE_BCC_W,    /* B<c>.W */
    SPB_REFERENCE_LDR_W,    /* LDR.W literal, forward */
    SPB_REFERENCE_MOVW,     /* MOVW */
    SPB_REFERENCE_KINDS
};

struct spb_reference {
    uint8_t kind;           /* enum spb_reference_kind */
    uint8_t len;            /* bytes: 2 or 4 */
    uint32_t target;        /* the address or number it names */
};

/* Pointers to so many bytes behind a part are its own, too. */
#define SPB_REFERENCE_BEYOND 4096u

/* What the image is made of, as the rules need it. */
struct spb_image_range {
    uint32_t base;          /* address of its first byte */
    uint32_t size;
#if SPB_PARTS > 1
    uint32_t rest_base, rest_size;  /* the same of its second part; size 0: it has none */
#endif
};

/* Is w an address in the second part of the image, or just behind it? */
static inline bool spb_reference_rest(const struct spb_image_range *image, uint32_t w) {
#if SPB_PARTS > 1
    return image->rest_size > 0 && w - image->rest_base < image->rest_size + SPB_REFERENCE_BEYOND;
#else
    (void)image;
    (void)w;
    return false;
#endif
}

/* Is there a pointer in the word w, in the second part of an image? */
bool spb_reference_read_rest(struct spb_reference *ref, const struct spb_image_range *image, uint32_t w);

/* Is there a reference in the len (2 .. 4) bytes at b, whose first byte has the address at?  Words only where word. */
bool spb_reference_read(struct spb_reference *ref, const struct spb_image_range *image, const uint8_t *b, uint32_t len,
                        uint32_t at, bool word);

/* The same reference at address at, to target, made of its ref->len bytes, of which the first is the lowest of *word.
 * False, and *word as it was, when it cannot reach. */
bool spb_reference_write(const struct spb_reference *ref, uint32_t *word, uint32_t at, uint32_t target);

static inline bool spb_reference_word(uint32_t kind) { return kind >= SPB_REFERENCE_REL && kind <= SPB_REFERENCE_SMALL; }

/* Target and source move together when the code around them does. */
static inline bool spb_reference_local(uint32_t kind) { return kind >= SPB_REFERENCE_LDR && kind <= SPB_REFERENCE_LDR_W; }

/* Bytes of which displacements of this kind are multiples. */
static inline uint32_t spb_reference_unit(uint32_t kind) {
    return kind == SPB_REFERENCE_LDR ? 4
           : kind == SPB_REFERENCE_BL || (kind >= SPB_REFERENCE_BCC && kind <= SPB_REFERENCE_BCC_W) ? 2
                                                                                                   : 1;
}

#endif
