/* SPDX-License-Identifier: MIT */
/* p256_field.c - sums and differences modulo p, where p256_limbs_m4.c does not make them: see p256_limbs.h. */
#include "p256_limbs.h"

#if !SPB_LIMBS_M4

void spb_field_add(uint32_t r[8], const uint32_t a[8], const uint32_t b[8])
{
    uint32_t carry = spb_limbs_add(r, a, b);
    while (carry)
        carry -= spb_limbs_sub(r, r, spb_p256_prime);
}

void spb_field_sub(uint32_t r[8], const uint32_t a[8], const uint32_t b[8])
{
    uint32_t borrow = spb_limbs_sub(r, a, b);
    while (borrow)
        borrow -= spb_limbs_add(r, r, spb_p256_prime);
}

#else
typedef int spb_p256_field_elsewhere; /* ISO C wants a declaration in every file */
#endif
