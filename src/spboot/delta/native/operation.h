/* SPDX-License-Identifier: MIT */
/* operation.h - how a piece of NEW is made.  A sequence of operations makes all of it. */
#ifndef SPB_OPERATION_H
#define SPB_OPERATION_H

#include <stddef.h>
#include <stdint.h>

enum spb_operation_kind { SPB_OPERATION_LITERAL, SPB_OPERATION_OLD, SPB_OPERATION_NEW, SPB_OPERATION_STORED };

struct spb_operation {
    uint32_t kind;      /* enum spb_operation_kind: literals, a copy from OLD or NEW, or all of NEW as it is */
    uint32_t len;       /* bytes of NEW, at least 1 */
    uint32_t source;    /* where the copy begins; 0 for what is no copy */
};

struct spb_operations {
    struct spb_operation *list;
    size_t count;
};

/* The pair to work on. */
struct spb_pair {
    const uint8_t *old_bytes, *new_bytes;
    uint32_t old_len, new_len;
    uint32_t base;      /* address of the first byte of both */
};

#endif
