/* SPDX-License-Identifier: MIT */
/* volume.c - where files are on a USB stick: any boot sector, any table of partitions, any FAT.
 * Bound: two partitions of a GPT in place of 128.  A walk is proven by induction: from any walk in any volume that was
 * opened, one step more.  V1 and V3. */
#include "stick_state.h"

/* In the place of the one that prove_one() is about, for the tables of partitions. */
static bool open_at(struct spb_volume *v, uint32_t first, uint32_t size) {
    look_at(v, first, size);
    return any_bool();
}

static void prove_one(void) {
    sectors = any_u32();
    ANY(&volume);
    if (!real_open_at(&volume, any_u32(), any_u32())) return;
    PROVE(honest(&volume), "what was opened can be walked in");
    PROVE(inside(&volume.root), "and so can its root");
}

static void prove_tables(void) {
    sectors = any_u32();
    ANY(&volume);
    bool opened = spb_volume_open(&volume) == SPB_TEXT_NONE;
    PROVE(opened == (volume.trouble == SPB_TEXT_NONE), "V3: there is a reason, or none");
    PROVE(volume.first <= sectors && volume.sectors <= sectors - volume.first, "V1: a partition is of the disk");
}

static void prove_walk(void) {
    any_volume();
    struct spb_chain c;
    ANY(&c);
    spb_chain_start(&volume, &c, any_u32(), any_bool());
    PROVE(inside(&c), "a walk begins in a cluster");
    c.left = any_u32();
    c.sector = any_u32();
    ASSUME(inside(&c));
    uint32_t before = c.left, sector = spb_chain_next(&volume, &c);
    if (sector == SPB_SECTOR_NONE && before == 0) PROVE(c.left == 0, "V2: an end stays one");
    PROVE(inside(&c), "and goes on in one");
    (void)spb_volume_sector(&volume, sector);
}

int main(void) {
    prove_one();
    prove_tables();
    prove_walk();
    return 0;
}
