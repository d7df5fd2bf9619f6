/* SPDX-License-Identifier: MIT */
/* flash_f4.c - what is special about the flash of STM32F4 (IP flash_f4): caches in its interface.  RM0090 3.5.2. */
#include <stddef.h>

#include "flash_sector.h"
#include "internal_flash.h"
#include "reg.h"
#include "spb_chip.h"

#define ACR (FLASH_BASE + FLASH_ACR_OFF)
#define CACHES (FLASH_ACR_ICEN | FLASH_ACR_DCEN)
#define RDERR 0x100u /* on parts with sectors protected from reading, RM0090 3.9.6 */

const uint32_t spb_sector_errors =
    FLASH_SR_OPERR | FLASH_SR_WRPERR | FLASH_SR_PGAERR | FLASH_SR_PGPERR | FLASH_SR_PGSERR | RDERR;

const char *spb_flash_problem(void) { return NULL; }

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
