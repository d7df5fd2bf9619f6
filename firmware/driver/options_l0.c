/* SPDX-License-Identifier: MIT */
/* options_l0.c - option bytes of STM32L0: words, each with its complement in the upper half, erased and programmed one by
 * one.  See options.h.  RM0367 3.3.4, 3.8.
 * Write protection comes before read protection: what a cut makes of its words, all sectors protected, is put right by the
 * next boot.  The word with RDPROT has WPRMOD, too, and a cut there protects all sectors from reading (RM0367 3.8.2). */
#include "options.h"
#include "reg.h"

#define SR (FLASH_BASE + FLASH_SR_OFF)
#define PECR (FLASH_BASE + FLASH_PECR_OFF)
#define PEKEYR (FLASH_BASE + FLASH_PEKEYR_OFF)
#define OPTKEYR (FLASH_BASE + FLASH_OPTKEYR_OFF)
#define PEKEY1 0x89ABCDEFu /* RM0367 3.3.4 */
#define PEKEY2 0x02030405u
#define OPTION_KEY1 0xFBEAD9C8u
#define OPTION_KEY2 0x24252627u
#define WORDS 0x1FF80000u /* RM0367 3.8 */
#define WRITE_WORDS 3u    /* from the third on, with a bit for a sector */
#define SECTOR 4096u
#define IN_WORD 16u
#define SECTORS (SPB_BOOT_SIZE / SECTOR)
#define OURS ((1u << SECTORS) - 1u)
#define ROUNDS 0x100000u /* as in flash_l0.c */
#define ERRORS (FLASH_SR_WRPERR | FLASH_SR_PGAERR | FLASH_SR_SIZERR | FLASH_SR_NOTZEROERR | FLASH_SR_FWWERR)

_Static_assert(SPB_BOOT_SIZE % SECTOR == 0 && SECTORS < IN_WORD, "sectors of the first word");

bool spb_options_torn(void) { return (reg_read(SR) & FLASH_SR_OPTVERR) != 0; }

static bool rest(void) {
    uint32_t left = ROUNDS;
    for (; left > 0 && (reg_read(SR) & FLASH_SR_BSY) != 0; left--) {}
    return left > 0;
}

/* Nothing is programmed when the word is right. */
static bool put(uint32_t address, uint32_t half) {
    uint32_t word = half | (~half & 0xFFFFu) << IN_WORD;
    if (reg_read(address) == word) return true;
    reg_write(address, word);
    return rest() && (reg_read(SR) & ERRORS) == 0;
}

/* A word that does not fit its complement was lost by a cut, and none of its sectors is anybody's. */
static bool put_sectors(uint32_t number, uint32_t ours) {
    uint32_t address = WORDS + 4 * (2u + number), word = reg_read(address), half = word & 0xFFFFu;
    bool whole = (word >> IN_WORD ^ half) == 0xFFFFu;
    return put(address, whole ? half | ours : ours);
}

enum spb_text spb_options_protect(void) {
    uint32_t options = reg_read(FLASH_BASE + FLASH_OPTR_OFF);
    if (options & FLASH_OPTR_WPRMOD) return TEXT("option byte WPRMOD is set: clear it, it protects from reading by sectors");
    if (!rest()) return TEXT(SPB_OPTIONS_FAILED);
    reg_write(SR, ERRORS | FLASH_SR_OPTVERR | FLASH_SR_EOP);
    if (reg_read(PECR) & FLASH_PECR_PELOCK) {
        reg_write(PEKEYR, PEKEY1);
        reg_write(PEKEYR, PEKEY2);
    }
    reg_write(OPTKEYR, OPTION_KEY1);
    reg_write(OPTKEYR, OPTION_KEY2);
    reg_write(PECR, 0);
    bool ok = true;
    for (uint32_t i = 0; ok && i < WRITE_WORDS; i++) ok = put_sectors(i, i == 0 ? OURS : 0);
    uint32_t first = (options & 0xFFFFu & ~FLASH_OPTR_RDPROT) | spb_options_rdp(options & FLASH_OPTR_RDPROT);
    ok = ok && put(WORDS, first);
    if (ok) reg_write(PECR, FLASH_PECR_OBL_LAUNCH); /* a reset */
    reg_write(PECR, FLASH_PECR_PELOCK);
    return ok ? SPB_TEXT_NONE : TEXT(SPB_OPTIONS_FAILED);
}
