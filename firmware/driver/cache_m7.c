/* SPDX-License-Identifier: MIT */
/* cache_m7.c - caches of a Cortex-M7.  DDI0403 (Armv7-M) B2.2.7 and B3.2; PM0253 4.8.
 * K1  A cache is emptied before it is turned on: after a power-on it holds anything.
 * K2  What the data cache still has to write is written when it is turned off.
 * K3  Code that was written to RAM is in RAM, and nothing older in the instruction cache, before it runs. */
#include "cache.h"

#include "reg.h"

#define CCR 0xE000ED14u
#define CCSIDR 0xE000ED80u
#define CSSELR 0xE000ED84u
#define ICIALLU 0xE000EF50u
#define DCIMVAC 0xE000EF5Cu
#define DCCMVAC 0xE000EF68u
#define DCCMVAU 0xE000EF64u
#define DCISW 0xE000EF60u
#define DCCIMVAC 0xE000EF70u
#define DCCISW 0xE000EF74u

#define DC (1u << 16)
#define IC (1u << 17)
#define LINE 32u
#define WAY_POS 30u /* four ways */
#define SET_POS 5u

static void barrier(void) { __asm volatile("dsb\n isb" ::: "memory"); }

/* Both caches off; every set and way to `operation`, and nothing left of instructions.  In registers only: between the
 * turning off and the last line written, what the stack holds may still be in the cache (K2). */
static void turn_off(uint32_t operation) {
    reg_write(CSSELR, 0);
    barrier();
    uint32_t last_set = (reg_read(CCSIDR) >> 13 & 0x7FFFu) << SET_POS;
    uint32_t ccr = reg_read(CCR) & ~(DC | IC);
    uint32_t way;
    __asm volatile(".syntax unified\n"
                   "str %[ccr], [%[ccr_at]]\n"
                   "dsb\n"
                   "1: mov %[way], %[set]\n"
                   "2: str %[way], [%[operation]]\n"
                   "adds %[way], %[way], %[step]\n"
                   "bcc 2b\n"
                   "subs %[set], %[set], #32\n"
                   "bpl 1b\n"
                   "dsb\n"
                   "isb\n"
                   : [set] "+r"(last_set), [way] "=&r"(way)
                   : [ccr] "r"(ccr), [ccr_at] "r"(CCR), [operation] "r"(operation), [step] "r"(1u << WAY_POS)
                   : "memory", "cc");
    reg_write(ICIALLU, 0);
    barrier();
}

void spb_cache_start(void) {
    turn_off(DCISW);
    reg_set(CCR, DC | IC);
    barrier();
}

void spb_cache_stop(void) { turn_off(DCCISW); }

/* Every line of the len bytes at address to `operation`. */
static void lines(uint32_t operation, uint32_t address, uint32_t len) {
    uint32_t end = address + len;
    barrier();
    for (uint32_t line = address & ~(LINE - 1); line < end; line += LINE) reg_write(operation, line);
    barrier();
}

void spb_cache_clean(uint32_t address, uint32_t len) { lines(DCCMVAC, address, len); }

void spb_cache_forget(uint32_t address, uint32_t len) { lines(DCIMVAC, address, len); }

/* K3 */
void spb_cache_publish(uint32_t address, uint32_t len) {
    lines(DCCMVAU, address, len);
    reg_write(ICIALLU, 0);
    barrier();
}

/* Cleaned as well, though there is nothing to clean: to drop a line alone may need the right to write there. */
void spb_cache_drop(uint32_t address, uint32_t len) {
    lines(DCCIMVAC, address, len);
    reg_write(ICIALLU, 0);
    barrier();
}
