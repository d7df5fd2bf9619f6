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
#include "reg.h"
#include "spb_chip.h"
#include "watchdog.h"

#define BANK_STEP (FLASH_BANK1_CR_OFF - FLASH_BANK0_CR_OFF)
#define KEYR (FLASH_BASE + FLASH_BANK0_KEYR_OFF)
#define CR (FLASH_BASE + FLASH_BANK0_CR_OFF)
#define SR (FLASH_BASE + FLASH_BANK0_SR_OFF)
#define CCR (FLASH_BASE + FLASH_BANK0_CCR_OFF)

#define KEY1 0x45670123u /* RM0399 4.5.1 */
#define KEY2 0xCDEF89ABu
#define UNIT 32u
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

static void begin(uint32_t b) {
    while (reg_read(SR + b) & WORKING) {}
    reg_write(CCR + b, CLEAR_ALL);
    if (reg_read(CR + b) & FLASH_BANK0_CR_LOCK) {
        reg_write(KEYR + b, KEY1);
        reg_write(KEYR + b, KEY2);
    }
}

static bool wait(uint32_t b) {
    __asm volatile("dsb" ::: "memory");
    while (reg_read(SR + b) & WORKING) spb_watchdog_feed();
    return (reg_read(SR + b) & ERRORS) == 0;
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
    reg_write(CR + b, select | FLASH_BANK0_CR_START);
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
        reg_write(SPB_FLASH_ADDRESS + off + i, spb_load_u32(data + i));
        if ((i + 4) % UNIT == 0) ok = wait(b);
    }
    end(b);
    spb_cache_forget(SPB_FLASH_ADDRESS + off, len);
    return ok ? SPB_OK : SPB_E_SECTION_WRITE_FAILURE;
}

static const uint8_t *map(uint32_t off) { return (const uint8_t *)(SPB_FLASH_ADDRESS + off); }

/* Loads at priority -1, where BFHFNMIGN makes a bus error a flag in CFSR (DDI0403 B3.2.8).  The flags of the flash do
 * not decide: a speculative load of a neighbour sets them, too. */
static bool read(uint32_t off, uint32_t *to, uint32_t words) {
    uint32_t ccr = reg_read(SCB_CCR);
    __asm volatile("cpsid f" ::: "memory");
    reg_write(SCB_CCR, ccr | BFHFNMIGN);
    reg_write(SCB_CFSR, BUS_FAULTS);
    __asm volatile("dsb\n isb" ::: "memory");
    spb_flash_copy(to, off, words);
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
    uint32_t swapped = reg_read(FLASH_BASE + FLASH_OPTSR_CUR_OFF) & FLASH_OPTSR_CUR_SWAP_BANK_OPT;
    return swapped != 0 ? TEXT("option bytes: the banks are swapped; change them") : SPB_TEXT_NONE;
}

uint32_t spb_flash_protection(void) {
    return spb_flash_rdp_level((reg_read(FLASH_BASE + FLASH_OPTSR_CUR_OFF) & FLASH_OPTSR_CUR_RDP) >> FLASH_OPTSR_CUR_RDP_POS);
}

/* A bit for each sector of the bank, 0 protects it (RM0399, FLASH_WPSN_CUR1R). */
bool spb_flash_write_protected(void) {
    uint32_t sectors = (1u << (SPB_BOOT_SIZE + SPB_SMALLEST_SECTOR - 1u) / SPB_SMALLEST_SECTOR) - 1u;
    return (reg_read(FLASH_BASE + FLASH_BANK0_WPSN_CURR_OFF) & sectors) == 0;
}

/* An error of ECC is no NMI here. */
__attribute__((used)) void spb_flash_ecc_nmi(uint32_t *stacked_pc) { (void)stacked_pc; }

const struct spb_flash spb_internal_flash = {
    .erase = erase,
    .program = program,
    .map = map,
    .read = read,
};
