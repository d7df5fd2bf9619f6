/* SPDX-License-Identifier: MIT */
/* stick_state.h - a disk of any bytes, other ones each time that a sector is read, and a volume on it in any state from which
 * walks may go on.  V1: what is read is of the disk and of what is looked at. */
#ifndef STICK_STATE_H
#define STICK_STATE_H

#include "proof.h"

#include "usb/volume.c"

static struct spb_volume volume;
static uint32_t sectors;

uint32_t spb_disk_sectors(void) { return sectors; }

bool spb_disk_read(uint32_t sector, uint8_t *to) {
    PROVE(sector < sectors, "V1: the sector is one of the disk");
    PROVE(sector >= volume.first && sector - volume.first < volume.sectors, "V1: and of what is looked at");
    PROVE(to == bytes && WRITABLE(to, SPB_SECTOR_SIZE), "V1: there is room for it");
    __CPROVER_havoc_slice(to, SPB_SECTOR_SIZE);
    return any_bool();
}

/* What open leaves, beside its bytes: volume.c of the proofs shows that it does. */
static bool honest(const struct spb_volume *v) {
    return v->first <= sectors && v->sectors <= sectors - v->first && v->cluster_log2 <= CLUSTER_LOG2_MOST &&
           v->clusters <= CLUSTERS_MOST && (v->nibbles == 3 || v->nibbles == 4 || v->nibbles == 8) &&
           v->fat < v->data && (v->clusters + 2) * v->nibbles / (2 * SPB_SECTOR_SIZE) < v->data - v->fat &&
           v->clusters <= (UINT32_MAX - v->data) >> v->cluster_log2;
}

/* Of a walk: what is left of the cluster is in it. */
static bool inside(const struct spb_chain *c) { return c->sector <= UINT32_MAX - c->left; }

static void any_volume(void) {
    sectors = any_u32();
    ANY(&volume);
    volume.exfat = any_bool();
    ASSUME(honest(&volume));
}

#endif
