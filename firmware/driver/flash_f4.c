/* SPDX-License-Identifier: MIT */
/* flash_f4.c - what is special about the flash of STM32F4 (IP flash_f4): caches in its interface.  RM0090 3.5.2. */
#include <stdbool.h>
#include <stddef.h>

#include "cache.h"
#include "flash_sector.h"
#include "internal_flash.h"
#include "reg.h"
#include "spb_chip.h"

#define ACR (FLASH_BASE + FLASH_ACR_OFF)
#define OPTCR (FLASH_BASE + FLASH_OPTCR_OFF)
#define DEVICE_F42X 0x419u
#define DEVICE_F46X 0x434u
#define CACHES (FLASH_ACR_ICEN | FLASH_ACR_DCEN)
#define RDERR 0x100u /* on parts with sectors protected from reading, RM0090 3.9.6 */

const uint32_t spb_sector_errors =
    FLASH_SR_OPERR | FLASH_SR_WRPERR | FLASH_SR_PGAERR | FLASH_SR_PGPERR | FLASH_SR_PGSERR | RDERR;

/* With SPRMOD, reserved and 0 on parts without, the bits protect from reading as well, and where they are 1 (RM0090 3.7.5). */
bool spb_sector_protected(uint32_t number, bool locked) {
    (void)number;
    return locked != ((reg_read(OPTCR) & FLASH_OPTCR_SPRMOD) != 0);
}

/* 1 MB of STM32F42x to F47x can be one bank or two; the facts have one (RM0090 and RM0386 3.4). */
enum spb_text spb_flash_problem(void) {
    bool selectable = SPB_FLASH_SIZE == 0x100000u && (SPB_DEVICE_ID == DEVICE_F42X || SPB_DEVICE_ID == DEVICE_F46X);
    return selectable && (reg_read(OPTCR) & FLASH_OPTCR_DB1M) != 0 ? TEXT(SPB_WRONG_BANKS) : SPB_TEXT_NONE;
}

uint32_t spb_sector_begin(void) {
    uint32_t acr = reg_read(ACR);
    reg_write(ACR, acr & ~CACHES);
    return acr;
}

/* They can be emptied only while they are off (3.9.1). */
void spb_sector_end(uint32_t before, uint32_t address, uint32_t len) {
    (void)address;
    (void)len;
    reg_write(ACR, (before & ~CACHES) | FLASH_ACR_ICRST | FLASH_ACR_DCRST);
    reg_write(ACR, before & ~CACHES);
    reg_write(ACR, before);
}

/* The caches of the flash interface hold nothing of RAM. */
void spb_cache_publish(uint32_t address, uint32_t len) {
    (void)address;
    (void)len;
    __asm volatile("dsb\n isb" ::: "memory");
}
