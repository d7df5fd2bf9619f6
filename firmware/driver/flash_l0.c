/* SPDX-License-Identifier: MIT */
/* flash_l0.c - flash of STM32L0 (IP flash_l0): pages of 128 bytes, words, erased to zero.  RM0367, RM0377 chapter 3.
 * One error bit of a word is corrected, more go unnoticed (RM0367 3.3.2): every unit can be read.
 * L3  A half-page is programmed by code in RAM with interrupts off: a fetch from flash would abort it (RM0367 3.3.4,
 *     FWWERR). */
#include "internal_flash.h"
#include "reg.h"
#include "spb_chip.h"

#define PECR (FLASH_BASE + FLASH_PECR_OFF)
#define PEKEYR (FLASH_BASE + FLASH_PEKEYR_OFF)
#define PRGKEYR (FLASH_BASE + FLASH_PRGKEYR_OFF)
#define SR (FLASH_BASE + FLASH_SR_OFF)

#define PEKEY1 0x89ABCDEFu /* RM0367 3.3.4, Unlocking */
#define PEKEY2 0x02030405u
#define PRGKEY1 0x8C9DAEBFu
#define PRGKEY2 0x13141516u
#define HALF_PAGE 64u
#define ROUNDS 0x100000u /* of a loop, seven cycles each at 32 MHz: many times the 4 ms of the longest operation */
#define UNIT 4u
#define SECTOR 4096u /* of write protection, RM0367 3.3.1 */

#define ERRORS                                                                                                    \
    (FLASH_SR_WRPERR | FLASH_SR_PGAERR | FLASH_SR_SIZERR | FLASH_SR_OPTVERR | FLASH_SR_RDERR | FLASH_SR_NOTZEROERR | \
     FLASH_SR_FWWERR)

/* Until no operation is under way, somebody else's included, but not for ever. */
static void rest(void) {
    for (uint32_t left = ROUNDS; left > 0 && (reg_read(SR) & FLASH_SR_BSY) != 0; left--) {}
}

/* What others left in SR is cleared, and in PECR: a word is programmed with what stands there. */
static void begin(void) {
    rest();
    reg_write(SR, ERRORS | FLASH_SR_EOP);
    if (reg_read(PECR) & FLASH_PECR_PELOCK) {
        reg_write(PEKEYR, PEKEY1);
        reg_write(PEKEYR, PEKEY2);
    }
    if (reg_read(PECR) & FLASH_PECR_PRGLOCK) {
        reg_write(PRGKEYR, PRGKEY1);
        reg_write(PRGKEYR, PRGKEY2);
    }
    reg_write(PECR, 0);
}

static bool wait(void) {
    rest();
    return (reg_read(SR) & (ERRORS | FLASH_SR_BSY)) == 0;
}

/* Setting PELOCK sets PRGLOCK, too. */
static void end(void) {
    reg_write(PECR, 0);
    reg_write(PECR, FLASH_PECR_PELOCK);
}

static enum spb_status erase(uint32_t off) {
    begin();
    reg_write(PECR, FLASH_PECR_ERASE | FLASH_PECR_PROG);
    reg_write(SPB_FLASH_ADDRESS + off, 0);
    bool ok = wait();
    end();
    return ok ? SPB_OK : SPB_E_SECTION_ERASE_FAILURE;
}

/* Sixteen words to the half-page at r0 from r1, then wait for BSY (bit 0) of the register at r2.  Runs where it is
 * copied to. */
__attribute__((naked, noinline, used)) static void burst(void) {
    __asm volatile(".syntax unified\n"
                   ".balign 4\n"
                   ".global spb_flash_burst_start\n"
                   "spb_flash_burst_start:\n"
                   "push {r4, lr}\n"
                   "movs r3, #16\n"
                   "1: ldmia r1!, {r4}\n"
                   "stmia r0!, {r4}\n"
                   "subs r3, r3, #1\n"
                   "bne 1b\n"
                   "2: ldr r3, [r2]\n"
                   "lsrs r3, r3, #1\n"
                   "bcs 2b\n"
                   "pop {r4, pc}\n"
                   ".balign 4\n"
                   ".global spb_flash_burst_end\n"
                   "spb_flash_burst_end:\n");
}
extern const uint32_t spb_flash_burst_start[], spb_flash_burst_end[];
#define BURST_WORDS 5u

/* L3 */
static bool program_half_page(uint32_t address, const uint8_t *data) {
    uint32_t code[BURST_WORDS], words[HALF_PAGE / 4], primask;
    for (uint32_t i = 0; i < BURST_WORDS; i++) code[i] = ((volatile const uint32_t *)spb_flash_burst_start)[i];
    for (uint32_t i = 0; i < HALF_PAGE / 4; i++) words[i] = spb_word(data + 4 * i);
    void (*run)(uint32_t to, const uint32_t *from, uint32_t busy);
    run = (void (*)(uint32_t, const uint32_t *, uint32_t))((uint32_t)code | 1);
    reg_write(PECR, FLASH_PECR_PROG | FLASH_PECR_FPRG);
    __asm volatile("mrs %0, primask\n cpsid i" : "=r"(primask)::"memory");
    run(address, words, SR);
    __asm volatile("msr primask, %0" ::"r"(primask) : "memory");
    reg_write(PECR, 0);
    return wait();
}

static enum spb_status program(uint32_t off, const uint8_t *data, uint32_t len) {
    begin();
    bool ok = off % UNIT == 0 && len % UNIT == 0;
    for (uint32_t i = 0; ok && i < len;) {
        uint32_t address = SPB_FLASH_ADDRESS + off + i;
        if (address % HALF_PAGE == 0 && len - i >= HALF_PAGE) {
            ok = program_half_page(address, data + i);
            i += HALF_PAGE;
        } else {
            reg_write(address, spb_word(data + i));
            ok = wait();
            i += UNIT;
        }
    }
    end();
    return ok ? SPB_OK : SPB_E_SECTION_WRITE_FAILURE;
}

static const uint8_t *map(uint32_t off) { return (const uint8_t *)(SPB_FLASH_ADDRESS + off); }

static bool read(uint32_t off, uint32_t *to, uint32_t len) {
    spb_flash_copy(to, off, len);
    return true;
}

__attribute__((used)) void spb_flash_ecc_nmi(uint32_t *stacked_pc) { (void)stacked_pc; }

const struct spb_flash spb_internal_flash = {.erase = erase, .program = program, .map = map, .read = read,
                                             .writable = spb_flash_writable};

enum spb_text spb_flash_problem(void) { return SPB_TEXT_NONE; }

uint32_t spb_flash_protection(void) {
    return spb_flash_rdp_level(reg_read(FLASH_BASE + FLASH_OPTR_OFF) & FLASH_OPTR_RDPROT);
}

bool spb_flash_starts_watchdog(void) { return (reg_read(FLASH_BASE + FLASH_OPTR_OFF) & FLASH_OPTR_WDG_SW) == 0; }

enum spb_text spb_flash_warning(void) { return SPB_TEXT_NONE; }

/* A bit for each sector; with WPRMOD it is one that is 0 that protects, from reading as well (RM0367, FLASH_OPTR). */
bool spb_flash_protected(uint32_t off) {
    uint32_t sector = off / SECTOR;
    uint32_t bits = reg_read(FLASH_BASE + (sector < 32 ? FLASH_WRPROT_OFF : FLASH_WRPROT2_OFF));
    bool turned = (reg_read(FLASH_BASE + FLASH_OPTR_OFF) & FLASH_OPTR_WPRMOD) != 0;
    return (bits >> sector % 32 & 1) != turned;
}
