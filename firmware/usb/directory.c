/* SPDX-License-Identifier: MIT */
/* Microsoft, "FAT File System Specification", 2005 (FAT), "exFAT file system specification", 2019 (exFAT). */
#include "directory.h"

#include <string.h>

#include "bytes.h"

#define ENTRY_SIZE 32u
#define UNNAMED UINT32_MAX

enum { HIDDEN = 0x02, SYSTEM = 0x04, LABEL = 0x08, FOLDER = 0x10 };
#define SKIPPED (HIDDEN | SYSTEM | LABEL | FOLDER)
enum { FAT_DELETED = 0xE5, FAT_LONG = 0x0F, FAT_LAST = 0x40, FAT_LOWER_BASE = 0x08, FAT_LOWER_TYPE = 0x10 };
enum { EXFAT_FILE = 0x85, EXFAT_STREAM = 0xC0, EXFAT_NAME = 0xC1, EXFAT_NAME_PART = 15, EXFAT_FLAT = 2 };

void spb_directory_open(struct spb_directory *d, const struct spb_volume *v) {
    memset(d, 0, sizeof *d);
    d->parts = v->exfat ? 0 : UNNAMED;
}

/* I1 */
static void put(struct spb_entry *e, uint32_t at, uint32_t letter) {
    e->name[at] = (char)(letter == 0 || (letter >= ' ' && letter <= '~') ? letter : '?');
}

/* The checksums of both file systems: FAT 7.2 in 8 bits, exFAT 6.3.3 in 16. */
static uint32_t add(uint32_t sum, uint32_t byte, uint32_t bits) {
    return ((sum >> 1 | sum << (bits - 1)) + byte) & ((1u << bits) - 1);
}

/* FAT 6.1: blanks are not of the name.  Windows notes in a reserved byte which half was typed in small letters. */
static void short_name(const uint8_t *b, struct spb_entry *e) {
    uint32_t len = 0;
    for (uint32_t i = 0; i < 11; i++) {
        uint32_t letter = b[i];
        if (i == 8) put(e, len++, '.');
        if (letter >= 'A' && letter <= 'Z' && (b[12] & (i < 8 ? FAT_LOWER_BASE : FAT_LOWER_TYPE)) != 0) letter += 0x20;
        if (letter != ' ') put(e, len++, letter);
    }
    put(e, len, 0);
}

/* FAT 7: the parts of a long name come last one first, then the entry that it is of. */
static void take_part(struct spb_directory *d, const uint8_t *b, struct spb_entry *e) {
    uint32_t part = b[0];
    if ((part & FAT_LAST) != 0) {
        part ^= FAT_LAST;
        d->parts = part;
        d->sum = b[13];
        memset(e->name, 0, sizeof e->name);
    }
    if (part != d->parts || b[13] != d->sum || part == 0 || part > SPB_NAME_PARTS) {
        d->parts = UNNAMED;
        return;
    }
    d->parts = --part;
    for (uint32_t i = 0, off = 1; i < SPB_NAME_PART; i++, off += 2) {
        if (off == 11) off = 14;
        if (off == 26) off = 28;
        uint32_t letter = spb_field_u16(b + off);
        put(e, part * SPB_NAME_PART + i, letter != 0xFFFF ? letter : 0);
    }
}

static bool take_fat(struct spb_directory *d, const struct spb_volume *v, const uint8_t *b, struct spb_entry *e) {
    uint32_t sum = 0;
    if (b[0] != FAT_DELETED && (b[11] & 0x3F) == FAT_LONG) {
        take_part(d, b, e);
        return false;
    }
    for (uint32_t i = 0; i < 11; i++) sum = add(sum, b[i], 8);
    if (d->parts != 0 || d->sum != sum) short_name(b, e);       /* I3 */
    d->parts = UNNAMED;
    e->cluster = spb_field_u16(b + 26) | (v->nibbles == 8 ? spb_field_u16(b + 20) << 16 : 0);
    e->size = spb_field_u32(b + 28);
    e->flat = false;
    return b[0] != FAT_DELETED && (b[11] & SKIPPED) == 0;
}

/* exFAT 7.4, 7.6, 7.7: a file, then its stream, then its name; the first entry says how many there are. */
static bool take_exfat(struct spb_directory *d, const uint8_t *b, struct spb_entry *e) {
    bool file = b[0] == EXFAT_FILE;
    if (file) {
        d->parts = b[1] + 1u;
        d->expected = spb_field_u16(b + 2);
        d->skipped = (b[4] & SKIPPED) != 0;
        d->sum = d->len = d->at = 0;
        memset(e, 0, sizeof *e);
    }
    if (d->parts == 0) return false;
    d->parts--;
    for (uint32_t i = 0; i < ENTRY_SIZE; i++) {
        if (!file || (i != 2 && i != 3)) d->sum = add(d->sum, b[i], 16);
    }
    if (b[0] == EXFAT_STREAM) {
        d->len = b[3] <= SPB_NAME_MOST ? b[3] : 0;
        e->flat = (b[1] & EXFAT_FLAT) != 0;
        e->cluster = spb_field_u32(b + 20);
        e->size = spb_field_u32(b + 12) == 0 ? spb_field_u32(b + 8) : UINT32_MAX;     /* those that were written */
    }
    if (b[0] == EXFAT_NAME) {
        for (uint32_t i = 0; i < EXFAT_NAME_PART && d->at < d->len; i++, d->at++) put(e, d->at, spb_field_u16(b + 2 + 2 * i));
    }
    return d->parts == 0 && d->sum == d->expected && !d->skipped;                   /* I3 */
}

/* Both letters are so in names alone: no other printable character becomes one of them. */
static bool is_update(const char *name) {
    uint32_t type = 0;      /* characters of it that came, the dot among them */
    for (const char *c = name; *c != '\0'; c++) type = *c == '.' ? 1 : (*c | 0x20) == "\0sfbp"[type] ? type + 1 : 0;
    return *name != '.' && type >= sizeof ".sfb" - 1;
}

bool spb_directory_next(struct spb_directory *d, struct spb_volume *v, struct spb_entry *e) {
    while (true) {
        if (d->off % SPB_SECTOR_SIZE == 0) {
            if (d->off == SPB_DIRECTORY_SECTORS * SPB_SECTOR_SIZE) return false;    /* I2 */
            d->sector = spb_chain_next(v, &v->root);
            if (d->sector == SPB_SECTOR_NONE) return false;
        }
        const uint8_t *b = spb_volume_sector(v, d->sector);
        if (b == NULL) return false;
        b += d->off % SPB_SECTOR_SIZE;
        d->off += ENTRY_SIZE;
        if (b[0] == 0) return false;                                                /* the last one was before */
        if ((v->exfat ? take_exfat(d, b, e) : take_fat(d, v, b, e)) && is_update(e->name)) return true;
    }
}
