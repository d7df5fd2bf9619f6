/* SPDX-License-Identifier: MIT */
/* bytes.h - little-endian numbers in byte arrays. */
#ifndef SPB_BYTES_H
#define SPB_BYTES_H

#include <stdint.h>

typedef uint32_t __attribute__((may_alias)) spb_word_of_bytes;

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are read as they stand");

static inline uint32_t spb_lower(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* At a multiple of four: one instruction on every core. */
static inline uint32_t spb_word(const volatile uint8_t *p) {
    return *(const volatile spb_word_of_bytes *)(const volatile void *)p;
}

static inline void spb_put_word(uint8_t *p, uint32_t v) { *(spb_word_of_bytes *)(void *)p = v; }

/* At any alignment, as the others below. */
static inline uint32_t spb_load_u16(const uint8_t *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8; }

static inline uint32_t spb_load_u32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

struct spb_half_field {
    uint16_t value;
} __attribute__((packed, may_alias));
struct spb_field {
    uint32_t value;
} __attribute__((packed, may_alias));

/* The same in line, for those who have many of them: one instruction on Cortex-M3 and above. */
static inline __attribute__((always_inline)) uint32_t spb_field_u16(const uint8_t *p) {
    return ((const struct spb_half_field *)(const void *)p)->value;
}
static inline __attribute__((always_inline)) uint32_t spb_field_u32(const uint8_t *p) {
    return ((const struct spb_field *)(const void *)p)->value;
}

static inline void spb_store_u32(uint8_t *p, uint32_t v) {
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

#endif
