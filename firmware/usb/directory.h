/* SPDX-License-Identifier: MIT */
/* directory.h - the update files in the root directory of a stick, and their bytes.
 * A file counts whose name ends in .sfb or .sfbp, in letters of any size, does not begin with a dot, and is not hidden, of
 * the system, deleted, or a folder.
 * I1  A name is printable ASCII: what else is in it is a question mark.  On FAT one of more than SPB_NAME_MOST characters is
 *     its short name; on exFAT, which has no such, the file does not count.
 * I2  A directory ends after SPB_DIRECTORY_SECTORS, whatever its chain says.
 * I3  On exFAT a file counts only if the checksum over its entries is right; on FAT a long name only if it belongs to the
 *     short one. */
#ifndef SPB_DIRECTORY_H
#define SPB_DIRECTORY_H

#include "volume.h"

#define SPB_NAME_PART 13u               /* of a long name of FAT in an entry: FAT 7 */
#define SPB_NAME_PARTS 5u
#define SPB_NAME_MOST (SPB_NAME_PARTS * SPB_NAME_PART)
#define SPB_DIRECTORY_SECTORS 4096u     /* FAT 6: a directory has 65,536 entries at most; one of exFAT may have more */

struct spb_entry {
    char name[SPB_NAME_MOST + 1];       /* in front: sanitizers do not watch an array that ends a struct */
    bool flat;
    uint32_t cluster, size;             /* size: UINT32_MAX when it is larger than that */
};

struct spb_directory {
    uint32_t sector, off;               /* of the next entry; off counts from the first one */
    uint32_t parts;                     /* entries of the file that are still to come; UNNAMED: none of a name that counts */
    uint32_t sum, expected;             /* of what came so far; exFAT: what it has to be in the end */
    uint32_t len, at;                   /* exFAT: characters of the name, and those that came */
    bool skipped;                       /* exFAT: hidden, of the system, or a folder */
};

/* Begin at the first entry, of a volume that was just opened. */
void spb_directory_open(struct spb_directory *d, const struct spb_volume *v);

/* The next file; false at the end, and where the volume is in trouble. */
bool spb_directory_next(struct spb_directory *d, struct spb_volume *v, struct spb_entry *e);

#endif
