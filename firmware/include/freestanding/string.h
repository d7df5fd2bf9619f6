/* SPDX-License-Identifier: MIT */
/* string.h - the part of the standard header that a freestanding compiler relies on anyway (boot/memory.c). */
#ifndef SPB_STRING_H
#define SPB_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *to, int value, size_t len);
int memcmp(const void *a, const void *b, size_t len);

#endif
