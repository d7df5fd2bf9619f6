/* SPDX-License-Identifier: MIT */
/* proof.h - what the harnesses of CBMC share.  To CBMC a function whose name begins with nondet_ gives any value of its type; ANY()
 * fills an object with any bytes.  A harness states the values it allows by ASSUME, and its bound in its first comment. */
#ifndef PROOF_H
#define PROOF_H

#include <stdbool.h>
#include <stdint.h>

uint32_t nondet_u32(void);
bool nondet_bool(void);
#define any_u32 nondet_u32
#define any_bool nondet_bool

#define ASSUME(is) __CPROVER_assume(is)
#define PROVE(is, what) __CPROVER_assert(is, what)
#define ANY(object) __CPROVER_havoc_object(object)

/* len bytes from p on are inside one object. */
#define READABLE(p, len) __CPROVER_r_ok(p, len)
#define WRITABLE(p, len) __CPROVER_rw_ok(p, len)

/* 0 .. limit - 1 */
static inline uint32_t any_below(uint32_t limit) {
    uint32_t value = any_u32();
    ASSUME(value < limit);
    return value;
}

#endif
