/* SPDX-License-Identifier: MIT */
/* p256.h - checks ECDSA signatures on the curve NIST P-256 (FIPS 186-5), SHA-256 hashes.
 *
 * The public key comes prepared: a table of points made on the host (src/spboot/formats/comb.py), which also checks
 * that the key is on the curve.  The table is trusted as the key itself is; nothing here re-checks it.
 * Everything handled here is public, so run time varies with the data.  What is as large as a small stack lies in a
 * struct of the caller's, zeroed first, so that nothing of an earlier check is met there.
 *
 * P1  GOOD is returned if and only if 0 < r < n, 0 < w < n, hash mod n is not 0 and x(u1 G + u2 Q) mod n = r,
 *     where s = 2^256 / w mod n, u1 = hash / s mod n, u2 = r / s mod n: if and only if (r, s) is a signature.  s and w
 *     stand for each other, one to one; high and low s are both accepted (docs/decisions/0027).  For a hash of 0, which
 *     no manifest has, anybody can make a signature: a fault must not lead there.
 * P2  Every other pair of scalars works: sums that meet a point twice or its opposite, and infinity included.
 * P3  One skipped instruction between the end of the arithmetic and the return does not turn a BAD signature GOOD.
 *     Callers compare with GOOD, never with BAD: after a fault the value may be neither.
 * P4  Nor does one before that make digits of u1 or u2 with which a signature made for the fault passes: that
 *     u1 r = u2 hash is part of the verdict, and such digits are as hard to find as a signature. */
#ifndef SPB_P256_H
#define SPB_P256_H

#include <stdint.h>

#define SPB_P256_TEETH 4
#define SPB_P256_POINTS 8 /* 2^(teeth - 1) */

enum spb_p256_verdict {
    SPB_P256_GOOD = 0x5AC3A53C,
    SPB_P256_BAD = 0x2B96D469,
};

/* Numbers of one verification. */
struct spb_p256_work {
    uint32_t field[8][8];       /* the sum of points, and what is calculated on the way */
    uint32_t u1[8], u2[8];      /* scalars as 256 digits of +1 (bit set) and -1 (bit clear) */
    uint32_t r[8];
};

/* `signature` is r then w = 2^256 / s mod n, big-endian.  `key` is a comb table: affine points, x then y, Montgomery form, below p. */
enum spb_p256_verdict spb_p256_verify(const uint32_t key[SPB_P256_POINTS][16], const uint8_t hash[32],
                                      const uint8_t signature[64], struct spb_p256_work *work);

#endif
