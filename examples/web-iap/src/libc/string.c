/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>

/* Without this the compiler finds that the loops below are memcpy and memset, and calls them. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

#define WORD sizeof(uint32_t)

typedef uint32_t __attribute__((may_alias)) word;

static int aligned(const void *one, const void *other) { return (((uintptr_t)one | (uintptr_t)other) & (WORD - 1u)) == 0; }

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    uint8_t *at = to;
    const uint8_t *source = from;
    if (aligned(at, source)) {
        for (; size >= WORD; size -= WORD, at += WORD, source += WORD) *(word *)(void *)at = *(const word *)(const void *)source;
    }
    while (size-- != 0) *at++ = *source++;
    return to;
}

void *memmove(void *to, const void *from, size_t size) {
    uint8_t *at = to;
    const uint8_t *source = from;
    if ((uintptr_t)at <= (uintptr_t)source) {
        while (size-- != 0) *at++ = *source++;
        return to;
    }
    while (size-- != 0) at[size] = source[size];
    return to;
}

void *memset(void *to, int byte, size_t size) {
    uint8_t *at = to;
    while (size-- != 0) *at++ = (uint8_t)byte;
    return to;
}

int memcmp(const void *one, const void *other, size_t size) {
    const uint8_t *left = one, *right = other;
    for (; size != 0; size--, left++, right++) {
        if (*left != *right) return *left - *right;
    }
    return 0;
}

size_t strlen(const char *text) {
    size_t size = 0;
    while (text[size] != '\0') size++;
    return size;
}

int strcmp(const char *one, const char *other) { return strncmp(one, other, SIZE_MAX); }

int strncmp(const char *one, const char *other, size_t size) {
    for (; size != 0; size--, one++, other++) {
        if (*one != *other || *one == '\0') return (uint8_t)*one - (uint8_t)*other;
    }
    return 0;
}
