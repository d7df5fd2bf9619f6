/* SPDX-License-Identifier: MIT */
/* flash_h7.c - flash of STM32H7 (IP flash_h7): sectors of 128 KB, words of 256 bits with their ECC, two banks with
 * registers of their own.  RM0399 and RM0433 chapter 4.
 * H1  A bank is locked whenever no operation is under way in it.
 * H2  The data cache holds nothing of what stood somewhere before it was erased or programmed (ES0392 2.1.1: a line may
 *     miss a write-through store).
 * H3  A word that fails its ECC answers a load with a bus error (4.7.7).  read() makes that load where the error
 *     changes nothing but a flag; anywhere else the fault resets the chip. */
#include <stddef.h>

#include "cache.h"
#include "internal_flash.h"
#include "ram_wait.h"
#include "reg.h"
#include "spb_chip.h"
#include "watchdog.h"

#define BANK_STEP (FLASH_BANK1_CR_OFF - FLASH_BANK0_CR_OFF)
#define KEYR (FLASH_BASE + FLASH_BANK0_KEYR_OFF)
#define CR (FLASH_BASE + FLASH_BANK0_CR_OFF)
#define SR (FLASH_BASE + FLASH_BANK0_SR_OFF)
#define CCR (FLASH_BASE + FLASH_BANK0_CCR_OFF)
#define OPTIONS (FLASH_BASE + FLASH_OPTSR_CUR_OFF)

#define KEY1 0x45670123u /* RM0399 4.5.1 */
#define KEY2 0xCDEF89ABu
#define UNIT 32u
#define AREA_UNIT 256u
#define ROUNDS 0x10000000u /* of a loop, six cycles each at 400 MHz: the 4 s of the longest operation */
#define PSIZE_64 (3u << FLASH_BANK0_CR_PSIZE_POS) /* as after a reset; any width is allowed at any supply, 4.3.10 */

#define WORKING (FLASH_BANK0_SR_BSY | FLASH_BANK0_SR_WBNE | FLASH_BANK0_SR_QW)
#define ERRORS                                                                                                  \
    (FLASH_BANK0_SR_WRPERR | FLASH_BANK0_SR_PGSERR | FLASH_BANK0_SR_STRBERR | FLASH_BANK0_SR_INCERR | FLASH_BANK0_SR_OPERR)
#define CLEAR_ALL                                                                                                  \
    (FLASH_BANK0_CCR_CLR_EOP | FLASH_BANK0_CCR_CLR_WRPERR | FLASH_BANK0_CCR_CLR_PGSERR | FLASH_BANK0_CCR_CLR_STRBERR | \
     FLASH_BANK0_CCR_CLR_INCERR | FLASH_BANK0_CCR_CLR_OPERR | FLASH_BANK0_CCR_CLR_RDPERR |                            \
     FLASH_BANK0_CCR_CLR_RDSERR | FLASH_BANK0_CCR_CLR_SNECCERR | FLASH_BANK0_CCR_CLR_DBECCERR)

/* Of the core: DDI0403 B3.2.8, B3.2.15. */
#define SCB_CCR 0xE000ED14u
#define SCB_CFSR 0xE000ED28u
#define BFHFNMIGN (1u << 8)
#define BUS_FAULTS 0xFF00u

/* Distance of the registers of the bank at off from those of the first. */
static uint32_t bank(uint32_t off) { return off < SPB_FLASH_BANK_SIZE ? 0 : BANK_STEP; }

/* Until no operation is under way, but not for ever. */
static bool rest(uint32_t b, uint32_t working) {
    for (uint32_t left = ROUNDS; left > 0 && (reg_read(SR + b) & working) != 0; left--) spb_watchdog_feed();
    return (reg_read(SR + b) & working) == 0;
}

/* What others left in SR is cleared, in CR written over: bytes of a word that was never whole, which keep WBNE up, are
 * dropped with PG (RM0399 4.9.5). */
static void begin(uint32_t b) {
    (void)rest(b, WORKING & ~FLASH_BANK0_SR_WBNE);
    if (reg_read(CR + b) & FLASH_BANK0_CR_LOCK) {
        reg_write(KEYR + b, KEY1);
        reg_write(KEYR + b, KEY2);
    }
    reg_write(CR + b, PSIZE_64);
    reg_write(CCR + b, CLEAR_ALL);
}

static bool wait(uint32_t b) {
    __asm volatile("dsb" ::: "memory");
    return rest(b, WORKING) && (reg_read(SR + b) & ERRORS) == 0;
}

static void end(uint32_t b) {
    reg_write(CR + b, PSIZE_64);
    reg_write(CR + b, PSIZE_64 | FLASH_BANK0_CR_LOCK);
}

static enum spb_status erase(uint32_t off) {
    uint32_t b = bank(off);
    uint32_t sector = off % SPB_FLASH_BANK_SIZE / SPB_SMALLEST_SECTOR;
    uint32_t select = FLASH_BANK0_CR_SER | sector << FLASH_BANK0_CR_SNB_POS | PSIZE_64;
    begin(b);
    reg_write(CR + b, select);
    if (b == 0) spb_ram_wait(CR, select | FLASH_BANK0_CR_START, SR, WORKING); /* we are in there, too */
    else reg_write(CR + b, select | FLASH_BANK0_CR_START);
    bool ok = wait(b);
    end(b);
    spb_cache_forget(SPB_FLASH_ADDRESS + off, SPB_SMALLEST_SECTOR);
    return ok ? SPB_OK : SPB_E_SECTION_ERASE_FAILURE;
}

static enum spb_status program(uint32_t off, const uint8_t *data, uint32_t len) {
    uint32_t b = bank(off);
    bool ok = off % UNIT == 0 && len % UNIT == 0;
    begin(b);
    reg_write(CR + b, PSIZE_64 | FLASH_BANK0_CR_PG);
    for (uint32_t i = 0; ok && i < len; i += 4) {
        reg_write(SPB_FLASH_ADDRESS + off + i, spb_word(data + i));
        if ((i + 4) % UNIT == 0) ok = wait(b);
    }
    end(b);
    spb_cache_forget(SPB_FLASH_ADDRESS + off, len);
    return ok ? SPB_OK : SPB_E_SECTION_WRITE_FAILURE;
}

static const uint8_t *map(uint32_t off) { return (const uint8_t *)(SPB_FLASH_ADDRESS + off); }

/* Loads at priority -1, where BFHFNMIGN makes a bus error a flag in CFSR (DDI0403 B3.2.8).  The flags of the flash do
 * not decide: a speculative load of a neighbour sets them, too. */
static bool read(uint32_t off, uint32_t *to, uint32_t len) {
    uint32_t ccr = reg_read(SCB_CCR);
    __asm volatile("cpsid f" ::: "memory");
    reg_write(SCB_CCR, ccr | BFHFNMIGN);
    reg_write(SCB_CFSR, BUS_FAULTS);
    __asm volatile("dsb\n isb" ::: "memory");
    spb_flash_copy(to, off, len);
    __asm volatile("dsb\n isb" ::: "memory");
    uint32_t faults = reg_read(SCB_CFSR) & BUS_FAULTS;
    reg_write(SCB_CFSR, BUS_FAULTS);
    reg_write(SCB_CCR, ccr);
    __asm volatile("cpsie f" ::: "memory");
    if (faults == 0) return true;
    reg_write(CCR, FLASH_BANK0_CCR_CLR_DBECCERR);
    reg_write(CCR + BANK_STEP, FLASH_BANK0_CCR_CLR_DBECCERR);
    return false;
}

/* Swapped, an address belongs to the other bank's registers. */
enum spb_text spb_flash_problem(void) {
    uint32_t swapped = reg_read(OPTIONS) & FLASH_OPTSR_CUR_SWAP_BANK_OPT;
    return swapped != 0 ? TEXT("the banks are swapped: change the option bytes") : SPB_TEXT_NONE;
}

uint32_t spb_flash_protection(void) {
    return spb_flash_rdp_level((reg_read(OPTIONS) & FLASH_OPTSR_CUR_RDP) >> FLASH_OPTSR_CUR_RDP_POS);
}

/* Whether the sector that starts at off of its bank has a byte of the area in this register, with its first and its last 256
 * bytes.  One that ends before it begins has none; with both the same it is the whole bank (RM0399 4.5.5). */
static bool in_area(uint32_t area, uint32_t off) {
    uint32_t first = area & FLASH_BANK0_PRAR_CUR_PROT_AREA_START;
    uint32_t last = (area & FLASH_BANK0_PRAR_CUR_PROT_AREA_END) >> FLASH_BANK0_PRAR_CUR_PROT_AREA_END_POS;
    if (first == last) return true;
    return first < last && first * AREA_UNIT < off + SPB_SMALLEST_SECTOR && off < (last + 1) * AREA_UNIT;
}

/* A bit for each sector of the bank, 0 protects it (RM0399, FLASH_WPSN_CUR1R); an area protected from reading; and with the
 * option SECURITY one for secure code alone (4.5.5, 4.5.6). */
bool spb_flash_protected(uint32_t off) {
    uint32_t b = bank(off), in_bank = off % SPB_FLASH_BANK_SIZE;
    uint32_t sectors = reg_read(FLASH_BASE + FLASH_BANK0_WPSN_CURR_OFF + b);
    bool secure = (reg_read(OPTIONS) & FLASH_OPTSR_CUR_SECURITY) != 0;
    return (sectors >> in_bank / SPB_SMALLEST_SECTOR & 1) == 0 ||
           in_area(reg_read(FLASH_BASE + FLASH_BANK0_PRAR_CUR_OFF + b), in_bank) ||
           (secure && in_area(reg_read(FLASH_BASE + FLASH_BANK0_SCAR_CUR_OFF + b), in_bank));
}

bool spb_flash_starts_watchdog(void) { return (reg_read(OPTIONS) & FLASH_OPTSR_CUR_IWDG1_HW) == 0; }

/* The Cortex-M4 runs what it finds in bank 2, beside us (RM0399 2.6). */
enum spb_text spb_flash_warning(void) {
    bool both = SPB_SECOND_CORE && (reg_read(OPTIONS) & FLASH_OPTSR_CUR_BOOT_CM4) != 0;
    return both ? TEXT("option bit BCM4 is set: the Cortex-M4 starts, too; clear it") : SPB_TEXT_NONE;
}

/* An error of ECC is no NMI here. */
__attribute__((used)) void spb_flash_ecc_nmi(uint32_t *stacked_pc) { (void)stacked_pc; }

const struct spb_flash spb_internal_flash = {
    .erase = erase,
    .program = program,
    .map = map,
    .read = read,
};
