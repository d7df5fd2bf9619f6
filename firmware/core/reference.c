/* SPDX-License-Identifier: MIT */
#include "reference.h"

#include "bytes.h"

/* Words that are never places of an image: flags, counters, the vector table's first entries. */
#define FIRST_ADDRESS 0x401u
#define FIRST_NUMBER 0x20u
#define END_NUMBER 0x10000u
#define BEYOND 4096u            /* pointers to just behind the image are its own, too */

static uint32_t half(const uint8_t *b) { return b[0] | (uint32_t)b[1] << 8; }

static void store_half(uint8_t *b, uint32_t value) {
    b[0] = (uint8_t)value;
    b[1] = (uint8_t)(value >> 8);
}

/* The bits bits of value, above of them zeros, as a signed number. */
static uint32_t extend(uint32_t value, uint32_t bits) {
    uint32_t sign = 1u << (bits - 1);
    return (value ^ sign) - sign;
}

/* Does offset fit in bits bits, signed? */
static bool fits(uint32_t offset, uint32_t bits) { return offset + (1u << (bits - 1)) < 1u << bits; }

/* J1 and J2 of BL hold the inverse of offset bits 23 and 22, turned over once more by the sign. */
static uint32_t bl_offset(uint32_t a, uint32_t b) {
    uint32_t s = a >> 10 & 1;
    uint32_t i1 = (b >> 13 ^ s ^ 1) & 1;
    uint32_t i2 = (b >> 11 ^ s ^ 1) & 1;
    return extend(s << 24 | i1 << 23 | i2 << 22 | (a & 0x3FF) << 12 | (b & 0x7FF) << 1, 25);
}

static uint32_t bcc_w_offset(uint32_t a, uint32_t b) {
    return extend((a >> 10 & 1) << 20 | (b >> 11 & 1) << 19 | (b >> 13 & 1) << 18 | (a & 0x3F) << 12 | (b & 0x7FF) << 1,
                  21);
}

static bool found(struct spb_reference *ref, enum spb_reference_kind kind, uint32_t len, uint32_t target) {
    ref->kind = (uint8_t)kind;
    ref->len = (uint8_t)len;
    ref->target = target;
    return true;
}

static bool read_word(struct spb_reference *ref, const struct spb_image_range *image, uint32_t w) {
    uint32_t top = w >> 24;
    if (w - image->base < image->size + BEYOND && w >= FIRST_ADDRESS) return found(ref, SPB_REFERENCE_CODE, 4, w);
    if (top == 0x90 || ((top == 0x10 || top == 0x20 || top == 0x24 || top == 0x30) && (w & 0xF00000) == 0)) {
        return found(ref, SPB_REFERENCE_DATA, 4, w);
    }
    return w >= FIRST_NUMBER && w < END_NUMBER && found(ref, SPB_REFERENCE_SMALL, 4, w);
}

static bool read_32(struct spb_reference *ref, uint32_t a, uint32_t b, uint32_t pc) {
    if ((a & 0xF800) == 0xF000) {
        if ((b & 0x9000) == 0x9000) return found(ref, SPB_REFERENCE_BL, 4, pc + bl_offset(a, b));
        if ((b & 0xD000) == 0x8000 && (a & 0x380) != 0x380) {
            return found(ref, SPB_REFERENCE_BCC_W, 4, pc + bcc_w_offset(a, b));
        }
    }
    if (a == 0xF8DF) return found(ref, SPB_REFERENCE_LDR_W, 4, (pc & ~3u) + (b & 0xFFF));
    if ((a & 0xFBF0) == 0xF240 && (b & 0x8000) == 0) {
        return found(ref, SPB_REFERENCE_MOVW, 4,
                     (a & 0xF) << 12 | (a >> 10 & 1) << 11 | (b >> 12 & 7) << 8 | (b & 0xFF));
    }
    return false;
}

static bool read_16(struct spb_reference *ref, uint32_t a, uint32_t pc) {
    if ((a & 0xF800) == 0x4800) return found(ref, SPB_REFERENCE_LDR, 2, (pc & ~3u) + (a & 0xFF) * 4);
    if ((a & 0xF000) == 0xD000 && (a & 0xE00) != 0xE00) {
        return found(ref, SPB_REFERENCE_BCC, 2, pc + extend((a & 0xFF) << 1, 9));
    }
    if ((a & 0xF800) == 0xE000) return found(ref, SPB_REFERENCE_B, 2, pc + extend((a & 0x7FF) << 1, 12));
    if ((a & 0xF500) == 0xB100) return found(ref, SPB_REFERENCE_CBZ, 2, pc + ((a >> 9 & 1) << 6 | (a >> 3 & 31) << 1));
    return false;
}

bool spb_reference_read(struct spb_reference *ref, const struct spb_image_range *image, const uint8_t *b, uint32_t len,
                        uint32_t at, bool word) {
    if (len == 4 && word && read_word(ref, image, spb_load_u32(b))) return true;
    if (len == 4 && read_32(ref, half(b), half(b + 2), at + 4)) return true;
    return read_16(ref, half(b), at + 4);
}

static bool write_32(const struct spb_reference *ref, uint8_t *bytes, uint32_t pc, uint32_t target) {
    uint32_t a = half(bytes);
    uint32_t b = half(bytes + 2);
    uint32_t offset = target - pc;
    switch (ref->kind) {
    case SPB_REFERENCE_BL: {
        uint32_t s = offset >> 31;
        if (!fits(offset, 25) || offset % 2 != 0) return false;
        a = 0xF000 | s << 10 | (offset >> 12 & 0x3FF);
        b = (b & 0xD000) | ((offset >> 23 ^ s ^ 1) & 1) << 13 | ((offset >> 22 ^ s ^ 1) & 1) << 11 | (offset >> 1 & 0x7FF);
        break;
    }
    case SPB_REFERENCE_BCC_W:
        if (!fits(offset, 21) || offset % 2 != 0) return false;
        a = (a & 0xFBC0) | offset >> 31 << 10 | (offset >> 12 & 0x3F);
        b = (b & 0xD000) | (offset >> 18 & 1) << 13 | (offset >> 19 & 1) << 11 | (offset >> 1 & 0x7FF);
        break;
    case SPB_REFERENCE_LDR_W:
        offset = target - (pc & ~3u);
        if (offset > 0xFFF) return false;
        b = (b & 0xF000) | offset;
        break;
    default: /* SPB_REFERENCE_MOVW */
        if (target > 0xFFFF) return false;
        a = (a & 0xFBF0) | target >> 12 | (target >> 11 & 1) << 10;
        b = (b & 0x8F00) | (target >> 8 & 7) << 12 | (target & 0xFF);
    }
    store_half(bytes, a);
    store_half(bytes + 2, b);
    return true;
}

static bool write_16(const struct spb_reference *ref, uint8_t *bytes, uint32_t pc, uint32_t target) {
    uint32_t a = half(bytes);
    uint32_t offset = target - pc;
    if (ref->kind == SPB_REFERENCE_LDR) {
        offset = target - (pc & ~3u);
        if (offset > 1020 || offset % 4 != 0) return false;
        a = (a & 0xFF00) | offset >> 2;
    } else if (offset % 2 != 0) {
        return false;
    } else if (ref->kind == SPB_REFERENCE_BCC) {
        if (!fits(offset, 9)) return false;
        a = (a & 0xFF00) | (offset >> 1 & 0xFF);
    } else if (ref->kind == SPB_REFERENCE_B) {
        if (!fits(offset, 12)) return false;
        a = (a & 0xF800) | (offset >> 1 & 0x7FF);
    } else { /* SPB_REFERENCE_CBZ */
        if (offset > 126) return false;
        a = (a & 0xFD07) | offset >> 6 << 9 | (offset >> 1 & 31) << 3;
    }
    store_half(bytes, a);
    return true;
}

bool spb_reference_write(const struct spb_reference *ref, uint8_t *b, uint32_t at, uint32_t target) {
    if (ref->len == 2) return write_16(ref, b, at + 4, target);
    if (ref->kind == SPB_REFERENCE_BL || ref->kind > SPB_REFERENCE_SMALL) return write_32(ref, b, at + 4, target);
    if (ref->kind == SPB_REFERENCE_SMALL && target >= END_NUMBER) return false;
    spb_store_u32(b, target);
    return true;
}
