/* SPDX-License-Identifier: MIT */
/* flash_sector.c - flash of STM32F4 and STM32F7 (IP flash_f4, flash_f7): sectors of three sizes, no ECC.  RM0090 and
 * RM0410 chapter 3.
 * S1  The controller is locked whenever no operation is under way.
 * S2  No cache holds what stood somewhere before it was erased or programmed (RM0090 3.6.3; errata ES0206 on read while
 *     write; erratum 1259864 of the Cortex-M7 on write-through stores).
 * S3  Words are written in the width that the supply allows (RM0090 3.6.2, RM0410 3.3.5).
 * Without ECC a half programmed word reads as something, so that everything can be read; hashes and complements of
 * core find out what it is. */
#include "flash_sector.h"

#include "internal_flash.h"
#include "ram_wait.h"
#include "reg.h"
#include "spb_chip.h"
#include "watchdog.h"

#define KEYR (FLASH_BASE + FLASH_KEYR_OFF)
#define SR (FLASH_BASE + FLASH_SR_OFF)
#define CR (FLASH_BASE + FLASH_CR_OFF)

#define KEY1 0x45670123u /* RM0090 3.6.1 */
#define KEY2 0xCDEF89ABu
#define ROUNDS 0x10000000u /* of a loop, six cycles each at 216 MHz: nearly twice the 4 s of the longest operation */

/* RM0090 table 7: x32 from 2.7 V, x16 from 2.1 V, x8 below. */
#define PSIZE (SPB_VDD_MV >= 2700u ? 2u : SPB_VDD_MV >= 2100u ? 1u : 0u)
#define WIDTH (1u << PSIZE)

/* Each bank: four small sectors, one four times as large, then such of eight times. */
#define SMALL SPB_SMALLEST_SECTOR
#define BANK_2_FIRST 16u /* SNB of sector 12, the first of bank 2: RM0090 3.9.7 */

static uint32_t sector(uint32_t off) {
    uint32_t in_bank = off % SPB_FLASH_BANK_SIZE;
    uint32_t first = off < SPB_FLASH_BANK_SIZE ? 0 : BANK_2_FIRST;
    if (in_bank < 4 * SMALL) return first + in_bank / SMALL;
    return first + 4 + in_bank / (8 * SMALL);
}

/* Until no operation is under way, somebody else's included, but not for ever. */
static void rest(void) {
    for (uint32_t left = ROUNDS; left > 0 && (reg_read(SR) & FLASH_SR_BSY) != 0; left--) spb_watchdog_feed();
}

/* What others left in SR is cleared, in CR written over. */
static uint32_t begin(void) {
    uint32_t before = spb_sector_begin();
    rest();
    reg_write(SR, spb_sector_errors | FLASH_SR_EOP);
    if (reg_read(CR) & FLASH_CR_LOCK) {
        reg_write(KEYR, KEY1);
        reg_write(KEYR, KEY2);
    }
    return before;
}

/* The barrier: a store that still waits in a buffer has not made the controller busy yet (RM0410 3.3.7). */
static bool wait(void) {
    __asm volatile("dsb" ::: "memory");
    rest();
    return (reg_read(SR) & (spb_sector_errors | FLASH_SR_BSY)) == 0;
}

static void end(uint32_t before, uint32_t off, uint32_t len) {
    reg_write(CR, FLASH_CR_LOCK);
    spb_sector_end(before, SPB_FLASH_ADDRESS + off, len);
}

static enum spb_status erase(uint32_t off) {
    uint32_t before = begin();
    uint32_t select = FLASH_CR_SER | sector(off) << FLASH_CR_SNB_POS | PSIZE << FLASH_CR_PSIZE_POS;
    reg_write(CR, select);
    if (off < SPB_FLASH_BANK_SIZE) spb_ram_wait(CR, select | FLASH_CR_STRT, SR, FLASH_SR_BSY); /* we are in there, too */
    else reg_write(CR, select | FLASH_CR_STRT);
    bool ok = wait();
    end(before, off, 8 * SMALL); /* the largest there is: to forget more than was erased does no harm */
    return ok ? SPB_OK : SPB_E_SECTION_ERASE_FAILURE;
}

static void store(uint32_t address, const uint8_t *data) {
    if (WIDTH == 1) *(volatile uint8_t *)address = data[0];
    else if (WIDTH == 2) *(volatile uint16_t *)address = (uint16_t)(data[0] | data[1] << 8);
    else reg_write(address, spb_word(data));
}

static enum spb_status program(uint32_t off, const uint8_t *data, uint32_t len) {
    uint32_t before = begin();
    bool ok = (off | len) % WIDTH == 0;
    reg_write(CR, FLASH_CR_PG | PSIZE << FLASH_CR_PSIZE_POS);
    for (uint32_t i = 0; ok && i < len; i += WIDTH) {
        store(SPB_FLASH_ADDRESS + off + i, data + i);
        ok = wait();
    }
    end(before, off, len);
    return ok ? SPB_OK : SPB_E_SECTION_WRITE_FAILURE;
}

uint32_t spb_flash_protection(void) {
    return spb_flash_rdp_level((reg_read(FLASH_BASE + FLASH_OPTCR_OFF) & FLASH_OPTCR_RDP) >> FLASH_OPTCR_RDP_POS);
}

/* A bit for each sector, the one of bank 2 in a register of their own (RM0090 3.9.10, 3.9.11). */
bool spb_flash_protected(uint32_t off) {
    uint32_t number = sector(off) % BANK_2_FIRST;
    uint32_t bits = reg_read(FLASH_BASE + (off < SPB_FLASH_BANK_SIZE ? FLASH_OPTCR_OFF : FLASH_OPTCR1_OFF));
    return spb_sector_protected(number, (bits >> FLASH_OPTCR_nWRP_POS >> number & 1) == 0);
}

bool spb_flash_starts_watchdog(void) { return (reg_read(FLASH_BASE + FLASH_OPTCR_OFF) & FLASH_OPTCR_IWDG_SW) == 0; }

/* Then nothing stops the core while words are programmed at a supply that does not carry it any more. */
enum spb_text spb_flash_warning(void) {
    bool off = (reg_read(FLASH_BASE + FLASH_OPTCR_OFF) & FLASH_OPTCR_BOR_LEV) == FLASH_OPTCR_BOR_LEV;
    return off ? TEXT("option bytes: brown-out reset is off") : SPB_TEXT_NONE;
}

static const uint8_t *map(uint32_t off) { return (const uint8_t *)(SPB_FLASH_ADDRESS + off); }

static bool read(uint32_t off, uint32_t *to, uint32_t len) {
    spb_flash_copy(to, off, len);
    return true;
}

/* No ECC, no NMI of ours. */
__attribute__((used)) void spb_flash_ecc_nmi(uint32_t *stacked_pc) { (void)stacked_pc; }

const struct spb_flash spb_internal_flash = {
    .erase = erase,
    .program = program,
    .map = map,
    .read = read,
    .writable = spb_flash_writable,
};
