/* SPDX-License-Identifier: MIT */
/* flash_ecc.h - flash that is programmed by double words, or by quad-words, each with its ECC, and erased by
 * pages.
 * flash_ecc.c is the driver; the file of an IP version says what its registers and bits are called.  Where areas protect its
 * pages flash_areas.c reads them. */
#ifndef SPB_FLASH_ECC_H
#define SPB_FLASH_ECC_H

#include <stdint.h>

struct spb_ecc_flash {
    uint32_t keyr, sr, cr;              /* addresses of registers that IP versions call differently */
    uint32_t clear;                     /* the one that clears the flags of SR: SR itself on most */
    uint32_t ecc[2];                    /* of the registers that note a failed ECC, one for each bank, or 0 */
    uint32_t ecc_failed;                /* the bits they do it with */
    uint32_t busy, errors, done;        /* bits of SR; done: whatever else is to be cleared */
    uint32_t program, start, lock;      /* bits of CR */
    uint32_t cache;                     /* register of the cache that holds data; FLASH_ACR where none does */
    uint32_t cache_on, cache_reset;     /* its bits, and others that have to be 0 meanwhile; 0 where there is none */
    uint32_t cache_busy;                /* register whose lowest bit says that it is being emptied, or 0 */
    uint32_t (*erase)(uint32_t off);    /* CR to erase the page at off, but for the start bit */
};

extern const struct spb_ecc_flash spb_ecc_flash;

/* Protected areas of the first bank: offsets of the registers with their first and their last unit.  Those for writing, WRP1A
 * and WRP1B, have both in one register and count pages; those for reading, PCROP, count units of which a page has 2^parts. */
struct spb_ecc_areas {
    uint8_t first[4], last[4];
    uint32_t count;
    uint32_t parts;
    uint32_t second;                    /* distance of the registers of the second bank's areas, 0 where there are none */
};

/* What options_ecc.c, of bootloaders for production, needs beside these. */
struct spb_ecc_options {
    uint32_t torn, failed;              /* bits of SR: a cut met option bytes; they were not programmed */
    uint32_t start, launch;             /* bits of CR */
    uint32_t page;                      /* the field with the first page in an area's register */
    uint32_t layout_bits, layout;       /* bits of OPTR that lay out the flash, and what they have to be */
};

extern const struct spb_ecc_options spb_ecc_options;

#define SPB_ECC_WRP FLASH_WRP1AR_OFF, FLASH_WRP1BR_OFF

extern const struct spb_ecc_areas spb_ecc_areas;

#endif
