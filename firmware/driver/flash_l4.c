/* SPDX-License-Identifier: MIT */
/* flash_l4.c - flash of STM32L4 (IP flash_l4): pages, double words, two banks, ECC.  RM0351 chapter 3.
 * L1  The controller is locked whenever no operation is under way.
 * L2  The data cache is off during an operation and emptied after it: it may hold what stood there before
 *     (RM0351 3.3.3; errata ES0250 2.2.3 on read while write). */
#include "internal_flash.h"
#include "cortex.h"
#include "reg.h"
#include "spb_chip.h"

#define ACR (FLASH_BASE + FLASH_ACR_OFF)
#define KEYR (FLASH_BASE + FLASH_KEYR_OFF)
#define SR (FLASH_BASE + FLASH_SR_OFF)
#define CR (FLASH_BASE + FLASH_CR_OFF)
#define ECCR (FLASH_BASE + FLASH_ECCR_OFF)

#define KEY1 0x45670123u /* RM0351 3.3.5, Unlocking the Flash memory */
#define KEY2 0xCDEF89ABu
#define UNIT 8u

#define ERRORS                                                                                                  \
    (FLASH_SR_OPERR | FLASH_SR_PROGERR | FLASH_SR_WRPERR | FLASH_SR_PGAERR | FLASH_SR_SIZERR | FLASH_SR_PGSERR | \
     FLASH_SR_MISERR | FLASH_SR_FASTERR)

static volatile uint32_t ecc_seen;

/* Errors of earlier users would block us (RM0351 3.3.6): clear them.  Returns the cache setting to restore. */
static uint32_t begin(void) {
    uint32_t acr = reg_read(ACR);
    while (reg_read(SR) & FLASH_SR_BSY) {}
    reg_write(SR, ERRORS | FLASH_SR_EOP);
    reg_write(ACR, acr & ~FLASH_ACR_DCEN);
    if (reg_read(CR) & FLASH_CR_LOCK) {
        reg_write(KEYR, KEY1);
        reg_write(KEYR, KEY2);
    }
    return acr;
}

static bool wait(void) {
    while (reg_read(SR) & FLASH_SR_BSY) {}
    return (reg_read(SR) & ERRORS) == 0;
}

static void end(uint32_t acr) {
    reg_write(CR, FLASH_CR_LOCK);
    reg_write(ACR, (acr & ~FLASH_ACR_DCEN) | FLASH_ACR_DCRST);
    reg_write(ACR, acr & ~FLASH_ACR_DCEN);
    reg_write(ACR, acr);
}

static enum spb_status erase(uint32_t off) {
    uint32_t acr = begin();
    uint32_t page = off % SPB_FLASH_BANK_SIZE / SPB_ERASE_UNIT;
    uint32_t select = FLASH_CR_PER | page << FLASH_CR_PNB_POS | (off < SPB_FLASH_BANK_SIZE ? 0 : FLASH_CR_BKER);
    reg_write(CR, select);
    reg_write(CR, select | FLASH_CR_START);
    bool ok = wait();
    end(acr);
    return ok ? SPB_OK : SPB_E_SECTION_ERASE_FAILURE;
}

static uint32_t word(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static enum spb_status program(uint32_t off, const uint8_t *data, uint32_t len) {
    uint32_t acr = begin();
    bool ok = off % UNIT == 0 && len % UNIT == 0;
    reg_write(CR, FLASH_CR_PG);
    for (uint32_t i = 0; ok && i < len; i += UNIT) {
        reg_write(SPB_FLASH_ADDRESS + off + i, word(data + i));
        reg_write(SPB_FLASH_ADDRESS + off + i + 4, word(data + i + 4));
        ok = wait();
    }
    end(acr);
    return ok ? SPB_OK : SPB_E_SECTION_WRITE_FAILURE;
}

static const uint8_t *map(uint32_t off) { return (const uint8_t *)(SPB_FLASH_ADDRESS + off); }

/* The one load that may meet a torn double word: spb_flash_ecc_nmi() knows its address.  The barrier keeps the NMI of
 * a core that completes the load first inside this function. */
__attribute__((naked, noinline)) static uint32_t peek(uint32_t address __attribute__((unused))) {
    __asm volatile(".syntax unified\n"
                   ".global spb_flash_peek_load\n"
                   ".thumb_func\n"
                   "spb_flash_peek_load: ldr r0, [r0]\n"
                   "dsb\n"
                   ".global spb_flash_peek_end\n"
                   "spb_flash_peek_end: bx lr\n");
}
extern const char spb_flash_peek_load[], spb_flash_peek_end[];

__attribute__((used)) void spb_flash_ecc_nmi(uint32_t *stacked_pc) {
    if ((reg_read(ECCR) & FLASH_ECCR_ECCD) == 0) return;
    reg_write(ECCR, FLASH_ECCR_ECCD);
    ecc_seen = 1;
    uint32_t load = (uint32_t)spb_flash_peek_load & ~1u;
    if (*stacked_pc == load) *stacked_pc += 2;
    else if (*stacked_pc - load > (uint32_t)spb_flash_peek_end - load) spb_cortex_reset(); /* what was read is garbage */
}

/* Without the data cache, so that a neighbour in the same line is not fetched along. */
static bool readable(uint32_t off, uint32_t len) {
    uint32_t acr = reg_read(ACR);
    uint32_t start = off / UNIT * UNIT;
    bool ok = true;
    reg_write(ACR, acr & ~FLASH_ACR_DCEN);
    for (uint32_t at = start; at < off + len && ok; at += UNIT) {
        ecc_seen = 0;
        (void)peek(SPB_FLASH_ADDRESS + at);
        ok = ecc_seen == 0;
    }
    reg_write(ACR, acr);
    return ok;
}

const struct spb_flash spb_internal_flash = {
    .size = SPB_FLASH_SIZE,
    .erase_unit = SPB_ERASE_UNIT,
    .program_unit = UNIT,
    .erase = erase,
    .program = program,
    .map = map,
    .readable = readable,
};
