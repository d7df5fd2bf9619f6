/* SPDX-License-Identifier: MIT */
/* flash_ecc.c - see flash_ecc.h.  Sections are those of RM0351; the other manuals say the same (chapter 3 of RM0432 and
 * RM0444, 6 of RM0438, 4 of RM0453).
 * L1  The controller is locked whenever no operation is under way.
 * L2  The cache that holds data is off during an operation and emptied after it: it may hold what stood there before
 *     (RM0351 3.3.3; errata ES0250 2.2.3 on read while write).  STM32L5 empties it when it is turned off. */
#include "flash_ecc.h"

#include <stddef.h>

#include "cortex.h"
#include "internal_flash.h"
#include "reg.h"
#include "spb_chip.h"

#define KEY1 0x45670123u /* RM0351 3.3.5, Unlocking the Flash memory */
#define KEY2 0xCDEF89ABu
#define UNIT SPB_PROGRAM_UNIT /* two words, or four */
#define IP spb_ecc_flash
/* Of a loop of seven cycles: 43 ms at 170 MHz, where an erase takes 25 ms at most (DS12288), 115 ms at 64 MHz, where it is 40
 * (DS13560). */
#define ROUNDS 0x100000u

static volatile uint32_t ecc_seen;

/* Returns the setting to restore. */
static uint32_t cache_off(void) {
    uint32_t before = reg_read(IP.cache);
    reg_write(IP.cache, before & ~IP.cache_on);
    return before;
}

static void cache_back(uint32_t before) {
    if (IP.cache_busy != 0) reg_wait(IP.cache_busy, 1, 0);
    reg_write(IP.cache, before);
}

/* Until no operation is under way, but not for ever: a unit of which somebody stored a part only keeps G0, WL and U5
 * busy, and a write to CR is a fault then (RM0444 3.7.4, 3.7.5). */
static bool rest(void) {
    uint32_t left = ROUNDS;
    while ((reg_read(IP.sr) & IP.busy) != 0 && left > 0) left--;
    return left > 0;
}

/* Errors of earlier users would block us (RM0351 3.3.6): clear them.  What they left in CR is written over.  *cache is the
 * setting to restore. */
static bool begin(uint32_t *cache) {
    *cache = cache_off();
    if (!rest()) {
        cache_back(*cache);
        return false;
    }
    reg_write(IP.clear, IP.errors | IP.done);
    if (reg_read(IP.cr) & IP.lock) {
        reg_write(IP.keyr, KEY1);
        reg_write(IP.keyr, KEY2);
    }
    return true;
}

/* The barrier: a store that still waits in a buffer has not made the controller busy yet. */
static bool wait(void) {
    __asm volatile("dsb" ::: "memory");
    return rest() && (reg_read(IP.sr) & IP.errors) == 0;
}

static void end(uint32_t cache) {
    reg_write(IP.cr, IP.lock);
    reg_write(IP.cache, (cache & ~IP.cache_on) | IP.cache_reset);
    reg_write(IP.cache, cache & ~IP.cache_on);
    cache_back(cache);
}

static enum spb_status erase(uint32_t off) {
    uint32_t cache;
    if (!begin(&cache)) return SPB_E_SECTION_ERASE_FAILURE;
    uint32_t select = IP.erase(off);
    reg_write(IP.cr, select);
    reg_write(IP.cr, select | IP.start);
    bool ok = wait();
    end(cache);
    return ok ? SPB_OK : SPB_E_SECTION_ERASE_FAILURE;
}

static enum spb_status program(uint32_t off, const uint8_t *data, uint32_t len) {
    uint32_t cache;
    if (!begin(&cache)) return SPB_E_SECTION_WRITE_FAILURE;
    bool ok = off % UNIT == 0 && len % UNIT == 0;
    reg_write(IP.cr, IP.program);
    for (uint32_t i = 0; ok && i < len; i += UNIT) {
        reg_write(SPB_FLASH_ADDRESS + off + i, spb_word(data + i));
        reg_write(SPB_FLASH_ADDRESS + off + i + 4, spb_word(data + i + 4));
        if (UNIT > 8u) {
            reg_write(SPB_FLASH_ADDRESS + off + i + 8, spb_word(data + i + 8));
            reg_write(SPB_FLASH_ADDRESS + off + i + 12, spb_word(data + i + 12));
        }
        ok = wait();
    }
    end(cache);
    return ok ? SPB_OK : SPB_E_SECTION_WRITE_FAILURE;
}

static const uint8_t *map(uint32_t off) { return (const uint8_t *)(SPB_FLASH_ADDRESS + off); }

/* The one load that may meet a word that fails its ECC.  The NMI comes before the second barrier has passed, at the load
 * or after it. */
__attribute__((naked, noinline)) static void copy(uint32_t *to __attribute__((unused)), uint32_t address __attribute__((unused)),
                                                  uint32_t len __attribute__((unused))) {
    __asm volatile(".syntax unified\n"
                   ".global spb_flash_load\n"
                   ".thumb_func\n"
                   "spb_flash_load: ldr r3, [r1]\n"
                   "stmia r0!, {r3}\n"
                   "adds r1, #4\n"
                   "subs r2, #4\n"
                   "bhi spb_flash_load\n"
                   "dsb\n"
                   ".global spb_flash_load_end\n"
                   "spb_flash_load_end: bx lr\n");
}
extern const char spb_flash_load[], spb_flash_load_end[];

/* Whether a word of the bank with this register failed its ECC since the last call. */
static bool failed(uint32_t ecc) {
    uint32_t seen = reg_read(ecc) & IP.ecc_failed;
    if (seen != 0) reg_write(ecc, seen);
    return seen != 0;
}

__attribute__((used)) void spb_flash_ecc_nmi(uint32_t *stacked_pc) {
    bool any = failed(IP.ecc[0]);
    if (IP.ecc[1] != 0) any |= failed(IP.ecc[1]);
    if (!any) return;
    ecc_seen = 1;
    uint32_t load = (uint32_t)spb_flash_load & ~1u;
    if (*stacked_pc == load) *stacked_pc += 2;
    else if (*stacked_pc - load > (uint32_t)spb_flash_load_end - load) spb_start_over(*stacked_pc);
}

/* Without the cache, so that a neighbour in the same line is not fetched along. */
static bool read(uint32_t off, uint32_t *to, uint32_t len) {
    uint32_t cache = cache_off();
    ecc_seen = 0;
    copy(to, SPB_FLASH_ADDRESS + off, len);
    cache_back(cache);
    return ecc_seen == 0;
}

const struct spb_flash spb_internal_flash = {.erase = erase, .program = program, .map = map, .read = read,
                                             .writable = spb_flash_writable};
