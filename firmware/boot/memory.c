/* SPDX-License-Identifier: MIT */
/* memory.c - the four functions a compiler may call at any time (C11 7.24), small before fast. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LIBCALL __attribute__((used, noinline))

/* From the end: one register counts and indexes. */
LIBCALL void *memcpy(void *restrict to, const void *restrict from, size_t len) {
    uint8_t *t = to;
    const uint8_t *f = from;
    while (len--) t[len] = f[len];
    return to;
}

LIBCALL void *memmove(void *to, const void *from, size_t len) {
    uint8_t *t = to;
    const uint8_t *f = from;
    if (t > f) return memcpy(to, from, len);
    for (size_t i = 0; i < len; i++) t[i] = f[i];
    return to;
}

LIBCALL void *memset(void *to, int value, size_t len) {
    uint8_t *t = to;
    while (len--) t[len] = (uint8_t)value;
    return to;
}

LIBCALL int memcmp(const void *a, const void *b, size_t len) {
    const uint8_t *x = a;
    const uint8_t *y = b;
    for (; len > 0 && *x == *y; len--, x++, y++) {}
    return len == 0 ? 0 : *x - *y;
}

/* The run-time ABI's names for the same (IHI0043 4.3.4), which a compiler may use instead; nobody asks for their results. */
#define SAME_AS(name) __attribute__((alias(name), used))

SAME_AS("memcpy") void *__aeabi_memcpy(void *restrict to, const void *restrict from, size_t len);
SAME_AS("memcpy") void *__aeabi_memcpy4(void *restrict to, const void *restrict from, size_t len);

void *__aeabi_memclr(void *to, size_t len);
LIBCALL void *__aeabi_memclr(void *to, size_t len) { return memset(to, 0, len); }
SAME_AS("__aeabi_memclr") void *__aeabi_memclr4(void *to, size_t len);
