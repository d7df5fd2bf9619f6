/* SPDX-License-Identifier: MIT */
#include "reference.h"

#include "bytes.h"

/* Words that are never places of an image: flags, counters, the vector table's first entries. */
#define FIRST_ADDRESS 0x401u
#define FIRST_NUMBER 0x20u
#define END_NUMBER 0x10000u
#define BACKWARDS 0x7Fu          /* in bits 31..24 of a distance of 31 bits, up to 16 MB back */

/* An instruction is looked at with its first half-word in bits 31..16, the second, if any, below. */
struct form {
    uint32_t mask, match;
    uint16_t except;            /* not when all of these bits of the first half-word are set; 0: none */
    uint8_t first;              /* of its pieces; they end where the next form's begin */
    uint8_t sign;               /* bit of the offset that is its sign; 0: none */
};

enum { LDR, BCC, B, CBZ, BL, BCC_W, LDR_W, MOVW, FORMS };  /* from BL on: 32 bits, beginning with 0xF */

static const struct form forms[FORMS + 1] = {
    [LDR] = {0xF8000000, 0x48000000, 0, 0, 0},
    [BCC] = {0xF0000000, 0xD0000000, 0x0E00, 1, 8},
    [B] = {0xF8000000, 0xE0000000, 0, 2, 11},
    [CBZ] = {0xF5000000, 0xB1000000, 0, 3, 0},
    [BL] = {0xF8009000, 0xF0009000, 0, 5, 24},
    [BCC_W] = {0xF800D000, 0xF0008000, 0x0380, 10, 20},
    [LDR_W] = {0xFFFF0000, 0xF8DF0000, 0, 15, 0},
    [MOVW] = {0xFBF08000, 0xF2400000, 0, 16, 0},
    [FORMS] = {0, 0, 0, 20, 0},
};

/* The most significant hexadecimal digits of all matches: most half-words are refused at once. */
#define FIRST_DIGITS (1u << 0x4 | 1u << 0xB | 1u << 0xD | 1u << 0xE | 1u << 0xF)

/* Bits of an instruction that are bits of its offset. */
struct piece {
    uint8_t from, width, to;
};

static const struct piece pieces[] = {
    {16, 8, 2},                                                         /* LDR */
    {16, 8, 1},                                                         /* BCC */
    {16, 11, 1},                                                        /* B */
    {19, 5, 1},  {25, 1, 6},                                            /* CBZ */
    {0, 11, 1},  {16, 10, 12}, {11, 1, 22}, {13, 1, 23}, {26, 1, 24},   /* BL */
    {0, 11, 1},  {16, 6, 12},  {13, 1, 18}, {11, 1, 19}, {26, 1, 20},   /* BCC_W */
    {0, 12, 0},                                                         /* LDR_W */
    {0, 8, 0},   {12, 3, 8},   {26, 1, 11}, {16, 4, 12},                /* MOVW */
};

static const uint8_t kinds[FORMS] = {
    SPB_REFERENCE_LDR, SPB_REFERENCE_BCC,   SPB_REFERENCE_B,     SPB_REFERENCE_CBZ,
    SPB_REFERENCE_BL,  SPB_REFERENCE_BCC_W, SPB_REFERENCE_LDR_W, SPB_REFERENCE_MOVW,
};

/* J1 and J2 of BL are bits 23 and 22 of the offset, inverted when it is not negative. */
static uint32_t turned(uint32_t form, uint32_t offset) {
    return form == BL && (offset >> 24 & 1) == 0 ? offset ^ 0xC00000 : offset;
}

static uint32_t gather(uint32_t form, uint32_t v) {
    uint32_t offset = 0;
    for (uint32_t i = forms[form].first; i < forms[form + 1].first; i++) {
        offset |= (v >> pieces[i].from & ((1u << pieces[i].width) - 1)) << pieces[i].to;
    }
    uint32_t sign = 1u << forms[form].sign;
    return forms[form].sign != 0 ? (turned(form, offset) ^ sign) - sign : offset;
}

static uint32_t scatter(uint32_t form, uint32_t v, uint32_t offset) {
    offset = turned(form, offset);
    for (uint32_t i = forms[form].first; i < forms[form + 1].first; i++) {
        uint32_t mask = (1u << pieces[i].width) - 1;
        v = (v & ~(mask << pieces[i].from)) | (offset >> pieces[i].to & mask) << pieces[i].from;
    }
    return v;
}

/* What the offset of an instruction at address at counts from. */
static uint32_t origin(uint32_t form, uint32_t at) {
    if (form == MOVW) return 0;
    return form == LDR || form == LDR_W ? (at + 4) & ~3u : at + 4;
}

static bool found(struct spb_reference *ref, uint32_t kind, uint32_t len, uint32_t target) {
    ref->kind = (uint8_t)kind;
    ref->len = (uint8_t)len;
    ref->target = target;
    return true;
}

static bool in_image(const struct spb_image_range *image, uint32_t target) {
    return (target - image->base < image->size + SPB_REFERENCE_BEYOND && target >= FIRST_ADDRESS) ||
           spb_reference_rest(image, target);
}

static bool read_pointer(struct spb_reference *ref, const struct spb_image_range *image, uint32_t w, uint32_t at) {
    uint32_t top = w >> 24;
    bool relative = top == BACKWARDS;
    uint32_t target = relative ? at + (w | 1u << 31) : w;
    if (in_image(image, target)) return found(ref, relative ? SPB_REFERENCE_REL : SPB_REFERENCE_CODE, 4, target);
    if (top == 0x90 || ((top == 0x10 || top == 0x20 || top == 0x24 || top == 0x30) && (w & 0xF00000) == 0)) {
        return found(ref, SPB_REFERENCE_DATA, 4, w);
    }
    return false;
}

bool spb_reference_read_rest(struct spb_reference *ref, const struct spb_image_range *image, uint32_t w) {
    return w >> 24 != BACKWARDS && read_pointer(ref, image, w, 0);
}

static bool read_word(struct spb_reference *ref, const struct spb_image_range *image, uint32_t w, uint32_t at) {
    if (read_pointer(ref, image, w, at)) return true;
    return w >= FIRST_NUMBER && w < END_NUMBER && found(ref, SPB_REFERENCE_SMALL, 4, w);
}

bool spb_reference_read(struct spb_reference *ref, const struct spb_image_range *image, const uint8_t *b, uint32_t len,
                        uint32_t at, bool word) {
    if (len == 4 && word && read_word(ref, image, spb_load_u32(b), at)) return true;
    uint32_t v = spb_load_u16(b) << 16 | (len == 4 ? spb_load_u16(b + 2) : 0);
    if ((FIRST_DIGITS >> (v >> 28) & 1) == 0) return false;
    bool wide = v >> 28 == 0xF;
    if (wide && len < 4) return false;
    for (uint32_t form = wide ? BL : LDR; form < (wide ? FORMS : BL); form++) {
        uint32_t except = forms[form].except;
        if ((v & forms[form].mask) != forms[form].match) continue;
        if (except != 0 && (v >> 16 & except) == except) continue;
        return found(ref, kinds[form], wide ? 4 : 2, origin(form, at) + gather(form, v));
    }
    return false;
}

bool spb_reference_write(const struct spb_reference *ref, uint32_t *word, uint32_t at, uint32_t target) {
    if (ref->kind == SPB_REFERENCE_SMALL && target >= END_NUMBER) return false;
    if (spb_reference_word(ref->kind)) {
        *word = ref->kind == SPB_REFERENCE_REL ? (target - at) & ~(1u << 31) : target;
        return true;
    }
    uint32_t form = 0;
    while (kinds[form] != ref->kind) form++;
    uint32_t offset = target - origin(form, at);
    uint32_t v = scatter(form, *word << 16 | *word >> 16, offset);
    if (gather(form, v) != offset) return false;
    *word = v << 16 | v >> 16;
    return true;
}
