/* SPDX-License-Identifier: MIT */
/* volume.h - the file system of a stick: FAT12, FAT16, FAT32 or exFAT, in the first partition that has one, or without
 * partitions.  Where it is, and the sectors of its files one after the other; what is in them is directory.h's.
 * V1  No sector is read outside of the disk, none of a file outside of its partition.
 * V2  Walks end: each sector taken is one of a cluster there is, and who walks counts them (directory.h I2, stick.h K3).
 * V3  Why something could not be read is kept in `trouble`, which is a sentence, until the volume is opened again. */
#ifndef SPB_VOLUME_H
#define SPB_VOLUME_H

#include "disk.h"
#include "text.h"

#define SPB_SECTOR_NONE UINT32_MAX
#define SPB_VOLUME_DAMAGED TEXT("the file system is damaged: copy the files anew")

/* A walk along the sectors of a file or a directory. */
struct spb_chain {
    uint32_t cluster;           /* the one that the walk is in; 0: none */
    uint32_t sector, left;      /* of it: the next one, and how many there are still */
    bool flat;                  /* clusters follow each other; the FAT does not say so (exFAT) */
};

struct spb_volume {
    bool exfat;
    uint32_t first, sectors;    /* the partition; sectors below count from its start */
    uint32_t fat, data;         /* the first FAT; cluster 2 */
    uint32_t clusters;          /* those there are: numbers from 2 on */
    uint32_t cluster_log2;      /* sectors of each */
    uint32_t nibbles;           /* of an entry of the FAT: 3, 4 or 8 */
    uint32_t loaded;            /* the number of the sector that was read last */
    enum spb_text trouble;
    struct spb_chain root;      /* the walk along the root directory */
};

/* Find the file system; SPB_TEXT_NONE, or why there is none. */
enum spb_text spb_volume_open(struct spb_volume *v);

/* The sector with this number; NULL, and trouble, when it cannot be read or there is none.  Good until the next call of any of these functions. */
const uint8_t *spb_volume_sector(struct spb_volume *v, uint32_t sector);

/* A walk that begins with this cluster. */
void spb_chain_start(const struct spb_volume *v, struct spb_chain *c, uint32_t cluster, bool flat);

/* The number of the next sector; SPB_SECTOR_NONE where the chain ends. */
uint32_t spb_chain_next(struct spb_volume *v, struct spb_chain *c);

#endif
