/* SPDX-License-Identifier: MIT */
/* Microsoft, "FAT File System Specification", 2005 (FAT), "exFAT file system specification", 2019 (exFAT), UEFI 2.10 5.3 (GPT). */
#include "volume.h"

#include <string.h>

#include "bytes.h"

#define FAT12_BELOW 4085u           /* FAT 3.5: the number of clusters says which FAT it is, and nothing else */
#define FAT16_BELOW 65525u
#define CLUSTERS_MOST 0x0FFFFFF5u   /* an entry of FAT32 has 28 bits; exFAT could have more, of 512 bytes each */
#define CLUSTER_LOG2_MOST 16u       /* 32 MB: exFAT 3.1.15 */

#define MBR_ENTRIES 446u
#define MBR_ENTRY 16u
#define MBR_GPT 0xEEu
#define MBR_TYPES 0x58D2u           /* a bit each: 01 04 06 0B 0C 0E, which are FAT, and 07, which is exFAT or NTFS */
#define GPT_ENTRIES_MOST 128u
#define GPT_BASIC_DATA 0xEBD0A0A2u  /* how the type of such a partition begins; no other type begins so */

#define UNREADABLE TEXT("cannot be read: plug it in again")

/* The sector that was read last, of the only volume there is at a time. */
static uint8_t bytes[SPB_SECTOR_SIZE] __attribute__((section(".bootram"), aligned(4)));

const uint8_t *spb_volume_sector(struct spb_volume *v, uint32_t sector) {
    if (sector >= v->sectors) {         /* V1 */
        if (v->trouble == SPB_TEXT_NONE) v->trouble = SPB_VOLUME_DAMAGED;   /* after UNREADABLE a disk has no sectors */
        return NULL;
    }
    if (sector != v->loaded) {
        v->loaded = SPB_SECTOR_NONE;
        if (!spb_disk_read(v->first + sector, bytes)) {
            v->trouble = UNREADABLE;
            return NULL;
        }
        v->loaded = sector;
    }
    return bytes;
}

/* Not inlined, as open_mbr(): in what is large already values would be in registers that take longer instructions. */
__attribute__((noinline)) static void enter(const struct spb_volume *v, struct spb_chain *c, uint32_t cluster) {
    c->cluster = c->left = 0;
    if (cluster < 2 || cluster - 2 >= v->clusters) return;
    c->cluster = cluster;
    c->left = 1u << v->cluster_log2;
    c->sector = v->data + ((cluster - 2) << v->cluster_log2);
}

void spb_chain_start(const struct spb_volume *v, struct spb_chain *c, uint32_t cluster, bool flat) {
    c->flat = flat;
    enter(v, c, cluster);
}

/* What the FAT says behind a cluster there is; 0 when it cannot be read.  An entry of FAT12 may lie in two sectors. */
static uint32_t follow(struct spb_volume *v, uint32_t cluster) {
    uint32_t nibble = cluster * v->nibbles, value = 0;
    for (uint32_t i = (v->nibbles + 1) / 2; i > 0; i--) {
        uint32_t at = nibble / 2 + i - 1;
        const uint8_t *fat = spb_volume_sector(v, v->fat + at / SPB_SECTOR_SIZE);
        if (fat == NULL) return 0;
        value = value << 8 | fat[at % SPB_SECTOR_SIZE];
    }
    if (nibble % 2 != 0) value >>= 4;
    return value & (v->nibbles == 3 ? 0xFFFu : 0x0FFFFFFFu);
}

uint32_t spb_chain_next(struct spb_volume *v, struct spb_chain *c) {
    if (c->left == 0 && c->cluster != 0) enter(v, c, c->flat ? c->cluster + 1 : follow(v, c->cluster));
    if (c->left == 0) return SPB_SECTOR_NONE;   /* it has ended, or is no chain */
    c->left--;
    return c->sector++;
}

/* FAT 3.1 to 3.3.  No file system has a quarter of its sectors in one FAT: from here on no sum overflows. */
static bool open_fat(struct spb_volume *v, const uint8_t *b) {
    uint32_t spc = b[13], reserved = spb_field_u16(b + 14), fats = b[16], root = spb_field_u16(b + 17);
    uint32_t all = spb_field_u16(b + 19), size = spb_field_u16(b + 22);
    if (all == 0) all = spb_field_u32(b + 32);
    if (size == 0) size = spb_field_u32(b + 36);
    if (spb_field_u16(b + 11) != SPB_SECTOR_SIZE || spc == 0 || (spc & (spc - 1)) != 0 || reserved == 0) return false;
    if (fats < 1 || fats > 2 || size == 0 || size > all / 4) return false;
    uint32_t before = fats * size, root_sectors = (root * 32 + SPB_SECTOR_SIZE - 1) / SPB_SECTOR_SIZE;
    if (reserved + root_sectors > all - before) return false;
    before += reserved;
    v->fat = reserved;
    v->data = before + root_sectors;
    v->cluster_log2 = 0;
    while (spc >> v->cluster_log2 != 1) v->cluster_log2++;
    v->clusters = (all - v->data) >> v->cluster_log2;
    if (v->clusters > CLUSTERS_MOST) return false;
    v->nibbles = v->clusters < FAT12_BELOW ? 3 : v->clusters < FAT16_BELOW ? 4 : 8;
    v->root = (struct spb_chain){.sector = before, .left = root_sectors};
    return true;
}

/* exFAT 3.1. */
static bool open_exfat(struct spb_volume *v, const uint8_t *b) {
    uint32_t log2 = b[109];
    v->fat = spb_field_u32(b + 80);
    v->data = spb_field_u32(b + 88);
    v->clusters = spb_field_u32(b + 92);
    if (b[108] != 9 || log2 > CLUSTER_LOG2_MOST || v->clusters > CLUSTERS_MOST) return false;
    if (v->data > v->sectors || v->clusters > (v->sectors - v->data) >> log2) return false;
    v->cluster_log2 = log2;
    v->nibbles = 8;
    return true;
}

/* From here on sectors count from `first`.  What reaches beyond the disk ends with it. */
static void look_at(struct spb_volume *v, uint32_t first, uint32_t sectors) {
    uint32_t all = spb_disk_sectors();
    v->first = spb_lower(first, all);
    v->sectors = spb_lower(sectors, all - v->first);
    v->loaded = SPB_SECTOR_NONE;
}

static bool open_at(struct spb_volume *v, uint32_t first, uint32_t sectors) {
    look_at(v, first, sectors);
    const uint8_t *b = spb_volume_sector(v, 0);
    if (b == NULL || spb_field_u16(b + 510) != 0xAA55) return false;
    v->exfat = memcmp(b + 3, "EXFAT   ", 8) == 0;
    if (!(v->exfat ? open_exfat(v, b) : open_fat(v, b))) return false;
    if (v->nibbles == 8) spb_chain_start(v, &v->root, spb_field_u32(b + (v->exfat ? 96 : 44)), false);
    uint32_t entries = (v->clusters + 2) * v->nibbles / (2 * SPB_SECTOR_SIZE);
    return v->fat < v->data && entries < v->data - v->fat;      /* the FAT has one for each, in front of what it is about */
}

/* A sector of the disk, whatever was looked at before. */
static const uint8_t *of_disk(struct spb_volume *v, uint32_t sector) {
    look_at(v, 0, UINT32_MAX);
    return spb_volume_sector(v, sector);
}

/* UEFI 5.3.2 and 5.3.3.  Checksums are not asked: what is believed wrongly is looked at, and is no file system. */
static bool open_gpt(struct spb_volume *v) {
    const uint8_t *b = of_disk(v, 1);
    if (b == NULL || memcmp(b, "EFI PART", 8) != 0) return false;
    uint32_t at = spb_field_u32(b + 72), count = spb_lower(spb_field_u32(b + 80), GPT_ENTRIES_MOST), size = spb_field_u32(b + 84);
    if (size != 128 || spb_field_u32(b + 76) != 0 || at > UINT32_MAX - GPT_ENTRIES_MOST) return false;
    for (uint32_t i = 0; i < count; i++) {
        b = of_disk(v, at + i / 4);
        if (b == NULL) return false;
        b += i % 4 * 128;
        uint32_t first = spb_field_u32(b + 32), last = spb_field_u32(b + 40);
        if (spb_field_u32(b) != GPT_BASIC_DATA || (spb_field_u32(b + 36) | spb_field_u32(b + 44)) != 0 || first == 0 || last < first) continue;
        if (open_at(v, first, last - first + 1)) return true;
    }
    return false;
}

__attribute__((noinline)) static bool open_mbr(struct spb_volume *v) {
    for (uint32_t at = MBR_ENTRIES; at < MBR_ENTRIES + 4 * MBR_ENTRY; at += MBR_ENTRY) {
        const uint8_t *b = of_disk(v, 0);
        if (b == NULL || spb_field_u16(b + 510) != 0xAA55) return false;
        b += at;
        if (b[4] == MBR_GPT) return open_gpt(v);
        if (b[4] < 16 && (MBR_TYPES >> b[4] & 1) != 0 && open_at(v, spb_field_u32(b + 8), spb_field_u32(b + 12))) return true;
    }
    return false;
}

enum spb_text spb_volume_open(struct spb_volume *v) {
    v->trouble = spb_disk_sectors() > 0 ? SPB_TEXT_NONE : UNREADABLE;
    if (open_at(v, 0, UINT32_MAX) || open_mbr(v)) return v->trouble = SPB_TEXT_NONE;
    if (v->trouble != UNREADABLE) v->trouble = TEXT("neither FAT32 nor exFAT: format it as one of them");
    return v->trouble;
}
