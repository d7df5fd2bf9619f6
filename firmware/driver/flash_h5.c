/* SPDX-License-Identifier: MIT */
/* flash_h5.c - non-secure registers of IP flash_h5: STM32H5 with TZEN = 0xC3, off (RM0481 chapter 7).
 * Sectors of 8 KB in two banks, quad-words.  WBNE stands from the first word of one to its fourth.  Flags are cleared in
 * a register of their own.  Nothing refuses a second program of a quad-word: it spoils the ECC, so we never do (J3).
 * BKSEL is the physical bank, whatever SWAP_BANK makes of the addresses.
 * PRODUCT_STATE stands where others have read protection; it is shown and never written: some states cannot be left again.
 * The instruction cache is that of STM32L5: decision 0026. */
#include "flash_ecc.h"
#include "internal_flash.h"
#include "reg.h"
#include "spb_chip.h"

#define OPTSR (FLASH_BASE + FLASH_OPTSR_CUR_OFF)
#define OPTSR2 (FLASH_BASE + FLASH_OPTSR2_CUR_OFF)
#define WRP_SECTORS 4u /* that a bit protects */

/* Values of option bytes: RM0481, FLASH_OPTSR and FLASH_OPTSR2. */
#define TZEN_NONE 0xC3u
#define STATE_OPEN 0xEDu
#define STATE_PROVISIONING 0x17u
#define STATE_CLOSED 0x72u
#define STATE_LOCKED 0x5Cu

#define REVISION_A 0x1000u
#define REVISION_Z 0x1001u

_Static_assert(SPB_FLASH_BANK_SIZE < SPB_FLASH_SIZE, "two banks: all parts have them");

static uint32_t select_sector(uint32_t off) {
    uint32_t bank = off < SPB_FLASH_BANK_SIZE ? 0 : FLASH_NSCR_BKSEL;
    return FLASH_NSCR_SER | off % SPB_FLASH_BANK_SIZE / SPB_SLOT0_UNIT << FLASH_NSCR_SNB_POS | bank;
}

const struct spb_ecc_flash spb_ecc_flash = {
    .keyr = FLASH_BASE + FLASH_NSKEYR_OFF,
    .sr = FLASH_BASE + FLASH_NSSR_OFF,
    .clear = FLASH_BASE + FLASH_NSCCR_OFF,
    .cr = FLASH_BASE + FLASH_NSCR_OFF,
    .ecc = {FLASH_BASE + FLASH_ECCDETR_OFF},
    .ecc_failed = FLASH_ECCDETR_ECCD,
    .busy = FLASH_NSSR_BSY | FLASH_NSSR_WBNE | FLASH_NSSR_DBNE,
    .errors = FLASH_NSSR_WRPERR | FLASH_NSSR_PGSERR | FLASH_NSSR_STRBERR | FLASH_NSSR_INCERR,
    .done = FLASH_NSSR_EOP | FLASH_NSSR_OBKERR | FLASH_NSSR_OBKWERR | FLASH_NSSR_OPTCHANGEERR,
    .program = FLASH_NSCR_PG,
    .start = FLASH_NSCR_STRT,
    .lock = FLASH_NSCR_LOCK,
    .cache = ICACHE_BASE + ICACHE_CR_OFF,
    .cache_on = ICACHE_CR_EN,
    .cache_busy = ICACHE_BASE + ICACHE_SR_OFF,
    .erase = select_sector,
};

bool spb_flash_protected(uint32_t off) {
    uint32_t wrp = off < SPB_FLASH_BANK_SIZE ? FLASH_WRP1R_CUR_OFF : FLASH_WRP2R_CUR_OFF;
    uint32_t bit = off % SPB_FLASH_BANK_SIZE / (SPB_SLOT0_UNIT * WRP_SECTORS);
    return (reg_read(FLASH_BASE + wrp) >> bit & 1u) == 0;
}

bool spb_flash_starts_watchdog(void) { return (reg_read(OPTSR) & FLASH_OPTSR_CUR_IWDG_SW) == 0; }

static uint32_t product_state(void) {
    return (reg_read(OPTSR) & FLASH_OPTSR_CUR_PRODUCT_STATE) >> FLASH_OPTSR_CUR_PRODUCT_STATE_POS;
}

uint32_t spb_flash_protection(void) {
    uint32_t state = product_state();
    return state == STATE_OPEN ? 0 : state == STATE_LOCKED ? 2 : 1;
}

/* In words what the level of the banner stands for. */
enum spb_text spb_flash_warning(void) {
    switch (product_state()) {
    case STATE_OPEN: return SPB_TEXT_NONE;
    case STATE_PROVISIONING: return TEXT("option byte PRODUCT_STATE: PROVISIONING");
    case STATE_CLOSED: return TEXT("option byte PRODUCT_STATE: CLOSED");
    case STATE_LOCKED: return TEXT("option byte PRODUCT_STATE: LOCKED, for good");
    default: return TEXT("option byte PRODUCT_STATE: neither OPEN nor CLOSED");
    }
}

/* High-cycle data takes up to the last eight sectors of a bank out of the map. */
#define EDATA_SIZE (8u * SPB_SLOT0_UNIT)
#define REACHES(name, end) (SPB_##name##_OFF < (end) && SPB_##name##_OFF + SPB_##name##_SIZE_ > (end) - EDATA_SIZE)
#define SPB_SLOT0_SIZE_ SPB_SLOT_SIZE
#define SPB_SLOT1_SIZE_ SPB_SLOT_SIZE
#define SPB_JOURNAL_SIZE_ SPB_JOURNAL_SIZE
#define OURS(end) (REACHES(SLOT0, end) || REACHES(SLOT1, end) || REACHES(JOURNAL, end))

static bool data_in_our_way(void) {
    return (OURS(SPB_FLASH_BANK_SIZE) && (reg_read(FLASH_BASE + FLASH_EDATA1R_CUR_OFF) & FLASH_EDATA1R_CUR_EDATA1_EN) != 0) ||
           (OURS(SPB_FLASH_SIZE) && (reg_read(FLASH_BASE + FLASH_EDATA2R_CUR_OFF) & FLASH_EDATA2R_CUR_EDATA2_EN) != 0);
}

enum spb_text spb_flash_problem(void) {
    uint32_t trust_zone = (reg_read(OPTSR2) & FLASH_OPTSR2_CUR_TZEN) >> FLASH_OPTSR2_CUR_TZEN_POS;
    if (trust_zone != TZEN_NONE) return TEXT("option byte TZEN is set: this bootloader is for TZEN = 0");
    if (reg_read(OPTSR) & FLASH_OPTSR_CUR_SWAP_BANK) return TEXT("option byte SWAP_BANK is set: clear it");
    if (data_in_our_way()) return TEXT("option bytes EDATA take flash that the board file has slots in: clear them");
    if ((reg_read(FLASH_BASE + FLASH_NSBOOTR_CUR_OFF) & FLASH_NSBOOTR_CUR_NSBOOTADD) != SPB_FLASH_ADDRESS) {
        return TEXT("option bytes NSBOOTADD are not the start of the flash: set them to 0x08000000");
    }
    uint32_t revision = reg_read(DBGMCU_BASE + DBGMCU_IDCODE_OFF) >> DBGMCU_IDCODE_REV_ID_POS;
    if (revision == REVISION_A || revision == REVISION_Z) {
        return TEXT("chip of revision A or Z, which may read its flash wrongly (ES0565 2.2.9, 2.2.18): use X or later");
    }
    return SPB_TEXT_NONE;
}
