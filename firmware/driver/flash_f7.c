/* SPDX-License-Identifier: MIT */
/* flash_f7.c - what is special about the flash of STM32F7 (IP flash_f7): the accelerator of its ITCM side, the cache of
 * the core, and two banks by option byte.  RM0410 and RM0385 chapter 3. */
#include <stddef.h>

#include "cache.h"
#include "flash_sector.h"
#include "internal_flash.h"
#include "reg.h"
#include "spb_chip.h"

#define ACR (FLASH_BASE + FLASH_ACR_OFF)
#define OPTCR (FLASH_BASE + FLASH_OPTCR_OFF)
#define DEVICE_F72X 0x452u /* STM32F72x and F73x */
#define DEVICE_F76X 0x451u /* STM32F76x and F77x alone have nDBANK, RM0410 3.7.6 */

const uint32_t spb_sector_errors =
    FLASH_SR_OPERR | FLASH_SR_WRPERR | FLASH_SR_PGAERR | FLASH_SR_PGPERR | FLASH_SR_ERSERR | FLASH_SR_RDERR;

/* STM32F72x and F73x protect sectors from reading as well, each by a bit that is 1 (RM0431, FLASH_OPTCR2). */
bool spb_sector_protected(uint32_t number, bool locked) {
    if (SPB_DEVICE_ID != DEVICE_F72X) return locked;
    return locked || (reg_read(FLASH_BASE + FLASH_OPTCR2_OFF) >> number & 1) != 0;
}

/* The facts are those of one bank. */
enum spb_text spb_flash_problem(void) {
    if (SPB_DEVICE_ID != DEVICE_F76X || (reg_read(OPTCR) & FLASH_OPTCR_nDBANK) != 0) return SPB_TEXT_NONE;
    return TEXT(SPB_WRONG_BANKS);
}

uint32_t spb_sector_begin(void) {
    uint32_t acr = reg_read(ACR);
    reg_write(ACR, acr & ~FLASH_ACR_ARTEN);
    return acr;
}

/* The accelerator can be emptied only while it is off (RM0410 3.7.1). */
void spb_sector_end(uint32_t before, uint32_t address, uint32_t len) {
    reg_write(ACR, (before & ~FLASH_ACR_ARTEN) | FLASH_ACR_ARTRST);
    reg_write(ACR, before & ~FLASH_ACR_ARTEN);
    reg_write(ACR, before);
    spb_cache_forget(address, len);
}
