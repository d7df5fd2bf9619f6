/* SPDX-License-Identifier: MIT */
/* reference.h - instructions and words that name another place, as a patch may move it: Thumb branches and
 * PC-relative loads, pointers, small numbers (spec/patch-stream.md).  Source: ARMv7-M Architecture Reference Manual,
 * A7.7. */
#ifndef SPB_REFERENCE_H
#define SPB_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

enum spb_reference_kind {
    SPB_REFERENCE_BL,       /* BL, B.W */
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

/* What the image is made of, as the rules need it. */
struct spb_image_range {
    uint32_t base;          /* address of its first byte */
    uint32_t size;
};

/* Is there a reference in the len (2 .. 4) bytes at b, whose first byte has the address at?  Words only where word. */
bool spb_reference_read(struct spb_reference *ref, const struct spb_image_range *image, const uint8_t *b, uint32_t len,
                        uint32_t at, bool word);

/* The same reference at address at, to target, made of its ref->len bytes, of which the first is the lowest of *word.
 * False, and *word as it was, when it cannot reach. */
bool spb_reference_write(const struct spb_reference *ref, uint32_t *word, uint32_t at, uint32_t target);

/* Target and source move together when the code around them does. */
static inline bool spb_reference_local(uint32_t kind) { return kind >= SPB_REFERENCE_LDR && kind <= SPB_REFERENCE_LDR_W; }

/* Bytes of which displacements of this kind are multiples. */
static inline uint32_t spb_reference_unit(uint32_t kind) {
    return kind == SPB_REFERENCE_LDR ? 4
           : kind == SPB_REFERENCE_BL || (kind >= SPB_REFERENCE_BCC && kind <= SPB_REFERENCE_BCC_W) ? 2
                                                                                                   : 1;
}

#endif
