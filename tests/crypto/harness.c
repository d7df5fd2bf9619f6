/* SPDX-License-Identifier: MIT */
/* harness.c - what the images of the crypto tests need beside the crypto.
 * The memory functions a freestanding compiler expects (the bootloader brings its own), and a verdict taken the way it
 * should not be, so that the fault test can show that it sees holes. */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *to, int value, size_t len);
int memcmp(const void *a, const void *b, size_t len);

/* The empty asm keeps compilers from turning a loop into a call of the function it is in. */
#define KEEP_LOOP() __asm__ volatile("")

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
    uint8_t *d = to;
    const uint8_t *s = from;
    for (size_t i = 0; i < len; i++) {
        d[i] = s[i];
        KEEP_LOOP();
    }
    return to;
}

void *memmove(void *to, const void *from, size_t len)
{
    uint8_t *d = to;
    const uint8_t *s = from;
    for (size_t i = 0; i < len; i++) {
        size_t at = d < s ? i : len - 1 - i;
        d[at] = s[at];
        KEEP_LOOP();
    }
    return to;
}

void *memset(void *to, int value, size_t len)
{
    uint8_t *d = to;
    for (size_t i = 0; i < len; i++) {
        d[i] = (uint8_t)value;
        KEEP_LOOP();
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t len)
{
    const uint8_t *x = a;
    const uint8_t *y = b;
    for (size_t i = 0; i < len; i++) {
        if (x[i] != y[i])
            return x[i] - y[i];
        KEEP_LOOP();
    }
    return 0;
}

uint32_t naive_verdict(const uint8_t a[32], const uint8_t b[32]);

uint32_t naive_verdict(const uint8_t a[32], const uint8_t b[32])
{
    return memcmp(a, b, 32) == 0 ? 0x5AC3A53C : 0x2B96D469;
}
