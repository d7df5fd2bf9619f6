/* SPDX-License-Identifier: MIT */
/* directory.c - what is in the entries of a directory, of FAT and of exFAT: any 32 bytes.
 * Bound: none, by induction: from any state, in any volume that was opened, one entry more.
 * I1: a name has an end and is printable. */
#include "stick_state.h"

#include "usb/directory.c"

static struct spb_directory directory;
static struct spb_entry entry;

int main(void) {
    any_volume();
    ANY(&directory);
    ANY(&entry);
    directory.skipped = any_bool();
    volume.root.flat = any_bool();
    entry.flat = any_bool();
    entry.name[SPB_NAME_MOST] = '\0';
    uint32_t at = any_below(SPB_NAME_MOST);
    ASSUME(entry.name[at] == '\0' || (entry.name[at] >= ' ' && entry.name[at] <= '~'));
    ASSUME(inside(&volume.root) && directory.sum < 1u << 16 && directory.len <= SPB_NAME_MOST);
    /* The last entry that there may be: what was before is any state. */
    directory.off = SPB_DIRECTORY_SECTORS * SPB_SECTOR_SIZE - ENTRY_SIZE;
    bool found = spb_directory_next(&directory, &volume, &entry);
    PROVE(directory.sum < 1u << 16, "sums have no more bits than that");
    PROVE(directory.len <= SPB_NAME_MOST, "no name is longer than its place");
    PROVE(entry.name[SPB_NAME_MOST] == '\0', "I1: a name has an end");
    PROVE(entry.name[at] == '\0' || (entry.name[at] >= ' ' && entry.name[at] <= '~'), "I1: it is printable");
    if (found) PROVE(entry.name[0] != '.' && entry.name[0] != '\0', "it does not begin with a dot");
    return 0;
}
