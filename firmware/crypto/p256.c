/* SPDX-License-Identifier: MIT */
/* p256.c - ECDSA P-256 verification with a signed comb of four teeth (Lim and Lee, CRYPTO '94), see p256.h.
 *
 * Numbers modulo p.  Coordinates are in Montgomery form (v stands for v / 2^256) and lazily reduced: any value in
 * [0, 2^256) may stand for its residue.  Why nothing overflows, as 2^256 - p < 2^224:
 *   multiply  the product is below 2^512 - 2^256 and the reduction adds less than 2^256 p to it, so the quotient by
 *             2^256 is below 2^256 + p: one carry bit at most, and one subtraction of p brings it below 2^256.
 *   add       the sum is below 2^257.  Each subtraction of p while there is a carry takes it down to below
 *             2^256 + 2^224, then below 2^225: two at most.
 *   subtract  the difference is above -2^256.  Each addition of p while it is negative takes it up to above -2^224,
 *             then to above 0: two at most.
 * Before a value is tested or compared, `reduce_once` makes it the smallest one: 2^256 < 2p.
 *
 * Points are Jacobian, (x / z^2, y / z^3).
 * Z1  z is eight zero words (infinity) or not divisible by p, so infinity is tested without reducing.  It holds as
 *     z changes only to a product of values not divisible by p (z, H, 2y: the group has odd order, no y is 0), to a
 *     product with an all-zero factor, to one, or to zero words.
 *
 * Numbers modulo n are fully reduced, except the hash, which may be any 256-bit value. */
#include "p256.h"
#include "tested.h"

#include "p256_limbs.h"
#include "spb_p256_generator.h" /* comb table of G: made by spboot.formats.comb, never typed */

#define COLUMNS 64              /* of the comb: digits in a row, 4 * 64 = 256 */
#define HALF_VERDICT 0x50415041u /* some of the bits in which GOOD and BAD differ */

const uint32_t spb_p256_prime[8] = {0xffffffff, 0xffffffff, 0xffffffff, 0, 0, 0, 1, 0xffffffff};

static const uint32_t order[8] = {0xfc632551, 0xf3b9cac2, 0xa7179e84, 0xbce6faad,
                                  0xffffffff, 0xffffffff, 0,          0xffffffff};

/* 1 / n mod 2^256 */
static const uint32_t order_inverse[8] = {0x11ff43b1, 0x332e3755, 0x828b2d1b, 0xb736bbf7,
                                          0x3a773909, 0xaf018813, 0x5629d7e3, 0x9f2f99cc};

/* ---- 256-bit integers: loops end with their test, as compilers that optimise for size leave it where it is ---- */

static void copy(uint32_t *r, const uint32_t *a, int words)
{
    do
        *r++ = *a++;
    while (--words);
}

static int is_zero(const uint32_t a[8])
{
    uint32_t any = 0;
    int i = 8;
    do
        any |= *a++;
    while (--i);
    return any == 0;
}

static int is_at_least(const uint32_t a[8], const uint32_t b[8])
{
    uint32_t ignored[8];
    return !spb_limbs_sub(ignored, a, b);
}

static int is_equal(const uint32_t a[8], const uint32_t b[8])
{
    uint32_t difference[8];
    spb_limbs_sub(difference, a, b);
    return is_zero(difference);
}

static void reduce_once(uint32_t a[8], const uint32_t modulus[8])
{
    if (is_at_least(a, modulus))
        spb_limbs_sub(a, a, modulus);
}

/* a = (top:a) / 2 */
static void shift_right(uint32_t a[8], uint32_t top)
{
    for (int i = 7; i >= 0; i--) {
        uint32_t word = a[i];
        a[i] = word >> 1 | top << 31;
        top = word & 1;
    }
}

static void load_big_endian(uint32_t r[8], const uint8_t bytes[32])
{
    const struct word {
        uint32_t at_any_alignment;
    } __attribute__((packed, may_alias)) *word = (const struct word *)(bytes + 32);
    int i = 8;
    do
        *r++ = __builtin_bswap32((--word)->at_any_alignment);
    while (--i);
}

/* ---- modulo p ---- */

/* Formulas are lists of steps, which take a third of the flash that calls take. */
enum { X, Y, Z, QX, QY, A, B, T }; /* fields of struct spb_p256_work: the point (X, Y, Z), the one added to it, three more */
enum { MUL, ADD, SUB, END };

#define STEP(operation, r, a, b) (operation) << 4 | (r), (a) << 4 | (b)

static void field_run(uint32_t field[8][8], const uint8_t *step)
{
    typedef void operation(uint32_t r[8], const uint32_t a[8], const uint32_t b[8]);
    static operation *const operations[] = {[MUL] = spb_field_mul, [ADD] = spb_field_add, [SUB] = spb_field_sub};
    operation *const *at = operations;
    __asm__("" : "+r"(at)); /* or its address is made in the loop */
    do
        at[step[0] >> 4](field[step[0] & 15], field[step[1] >> 4], field[step[1] & 15]);
    while (*(step += 2) != END << 4);
}

/* ---- modulo n ---- */

/* r = a * b / 2^256 mod n, for b < n and any a.
 * With q = (low half of a b) / n mod 2^256, a b and q n have the same low half, and the high halves, both below n,
 * differ by the result. */
static void scalar_mul(uint32_t r[8], const uint32_t a[8], const uint32_t b[8])
{
    uint32_t t[16], q[16];
    spb_limbs_mul(t, a, b);
    spb_limbs_mul(q, t, order_inverse);
    copy(r, t + 8, 8);
    spb_limbs_mul(t, q, order);
    if (spb_limbs_sub(r, r, t + 8))
        spb_limbs_add(r, r, order);
}

/* ---- points ---- */

/* The "dbl-2001-b" formula for a = -3, with 2y for y where that saves a doubling. */
static void point_double(uint32_t field[8][8])
{
    static const uint8_t steps[] = {
        STEP(MUL, T, Z, Z),
        STEP(SUB, A, X, T),
        STEP(ADD, T, X, T),
        STEP(MUL, T, A, T),
        STEP(ADD, A, T, T),
        STEP(ADD, A, A, T), /* alpha = 3 (x - z^2) (x + z^2) */
        STEP(ADD, T, Y, Y),
        STEP(MUL, Z, Z, T), /* z' = 2 y z */
        STEP(MUL, Y, Y, T),
        STEP(ADD, T, Y, Y), /* 4 y^2 */
        STEP(MUL, B, X, T), /* beta = 4 x y^2 */
        STEP(MUL, X, A, A),
        STEP(SUB, X, X, B),
        STEP(SUB, X, X, B), /* x' = alpha^2 - 2 beta */
        STEP(SUB, B, B, X),
        STEP(MUL, B, A, B),
        STEP(MUL, T, Y, T), /* 8 y^4 */
        STEP(SUB, Y, B, T), /* y' = alpha (beta - x') - 8 y^4 */
        STEP(END, 0, 0, 0),
    };
    field_run(field, steps);
}

/* Adds q, or its negative; q = (x, y) is affine and not infinity. */
static void point_add(uint32_t field[8][8], const uint32_t q[16], uint32_t negative)
{
    static const uint8_t differences[] = {
        STEP(MUL, A, Z, Z),
        STEP(MUL, B, A, Z),
        STEP(MUL, A, A, QX),
        STEP(MUL, B, B, QY),
        STEP(SUB, A, A, X), /* H = qx z^2 - x */
        STEP(SUB, B, B, Y), /* R = qy z^3 - y */
        STEP(END, 0, 0, 0),
    };
    static const uint8_t sum[] = {
        STEP(MUL, Z, Z, A), /* z' = z H */
        STEP(MUL, T, A, A),
        STEP(MUL, A, A, T), /* H^3 */
        STEP(MUL, T, T, X), /* x H^2 */
        STEP(MUL, X, B, B),
        STEP(SUB, X, X, A),
        STEP(SUB, X, X, T),
        STEP(SUB, X, X, T), /* x' = R^2 - H^3 - 2 x H^2 */
        STEP(SUB, T, T, X),
        STEP(MUL, T, T, B),
        STEP(MUL, A, A, Y),
        STEP(SUB, Y, T, A), /* y' = R (x H^2 - x') - y H^3 */
        STEP(END, 0, 0, 0),
    };
    copy(field[QX], q, 16);
    if (negative)
        spb_limbs_sub(field[QY], spb_p256_prime, field[QY]);
    if (is_zero(field[Z])) {
        copy(field[X], field[QX], 16);
        spb_limbs_sub(field[Z], field[Z], spb_p256_prime); /* 1 in Montgomery form: 2^256 mod p */
        return;
    }
    field_run(field, differences);
    reduce_once(field[A], spb_p256_prime);
    if (!is_zero(field[A])) {
        field_run(field, sum);
        return;
    }
    reduce_once(field[B], spb_p256_prime);
    if (is_zero(field[B]))
        point_double(field); /* p = q */
    else
        spb_limbs_sub(field[Z], field[Z], field[Z]); /* p = -q: infinity */
}

/* ---- the comb ---- */

/* An odd v, -2^256 < v < 2^256, is the sum of digits d_i 2^i, d_i = +1 or -1, for i = 0 .. 255: bit i of
 * (v - 1) / 2 + 2^255 tells which.  u is one if it is odd, and u - n, which stands for it, if it is even. */
static void recode(uint32_t digits[8], const uint32_t u[8])
{
    uint32_t odd = u[0] & 1;
    copy(digits, u, 8);
    if (!odd)
        spb_limbs_sub(digits, digits, order);
    shift_right(digits, odd);
}

/* Adds the four digits of one column.  Entry k of the table is the sum over the teeth j of +-2^(64 j) times the point,
 * + for the last tooth and where bit j of k is set: half of all sums, the others are their negatives. */
static void add_column(uint32_t field[8][8], const uint32_t digits[8], const uint32_t table[SPB_P256_POINTS][16],
                       uint32_t column)
{
    uint32_t k = 0, tooth = SPB_P256_TEETH;
    do {
        tooth--;
        k = k << 1 | (digits[tooth * (COLUMNS / 32) + column / 32] >> (column % 32) & 1);
    } while (tooth);
    uint32_t minus = k < SPB_P256_POINTS;
    if (minus)
        k = ~k;
    point_add(field, table[k % SPB_P256_POINTS], minus);
}

/* ---- the verdict ---- */

/* What is compared, and the complement of what it is compared with, next to each other: x of the sum and the x that the
 * signature asks for, modulo p; u1 r and u2 hash, modulo n.  The second says that the digits are those of one signature:
 * a fault that makes them of something else lets anybody choose r and s to go with it.  A wrong address, or memory that
 * was never written, does not make either fit. */
struct claim {
    uint32_t found[16];
    uint32_t asked_inverted[16];
};

/* All ones if the claim holds, otherwise zero.  Volatile, so that two calls stay two computations. */
static uint32_t claim_mask(const volatile struct claim *claim)
{
    uint32_t difference = 0;
    for (int i = 0; i < 16; i++)
        difference |= ~(claim->found[i] ^ claim->asked_inverted[i]);
    return ((difference | (0 - difference)) >> 31) - 1;
}

/* Each of two comparisons turns its half of BAD into GOOD: no single step decides (P3). */
static uint32_t claim_verdict(const struct claim *claim)
{
    uint32_t verdict = SPB_P256_BAD;
    verdict ^= claim_mask(claim) & HALF_VERDICT;
    verdict ^= claim_mask(claim) & (SPB_P256_GOOD ^ SPB_P256_BAD ^ HALF_VERDICT);
    return verdict;
}

/* r = a b / 2^256 mod p, the smallest such value. */
static void field_mul_reduced(uint32_t r[8], const uint32_t a[8], const uint32_t b[8])
{
    spb_field_mul(r, a, b);
    reduce_once(r, spb_p256_prime);
}

/* r = a u / 2^256 mod n; u becomes what the digits stand for. */
static void scalar_mul_digits(uint32_t r[8], const uint32_t a[8], const uint32_t digits[8], uint32_t u[8])
{
    uint32_t positive = spb_limbs_add(u, digits, digits);
    u[0] |= 1;
    if (!positive)
        spb_limbs_add(u, u, order);
    scalar_mul(r, a, u);
}

/* Whether the sum has the x that is r modulo n, and its scalars are those of hash and r.  x = X / z^2, so X is compared
 * with r z^2: no division.
 * Not inlined, so that its frame is not on the stack under the comb, where the stack is deepest. */
__attribute__((noinline)) static uint32_t point_verdict(struct spb_p256_work *w, const uint8_t hash[32])
{
    static const uint32_t one[8] = {1}; /* in flash, where no fault changes it */
    struct claim claim;
    uint32_t(*field)[8] = w->field, *asked = field[A], *r = w->r; /* 16 words: B, too */
    if (is_zero(field[Z]))
        return SPB_P256_BAD;
    load_big_endian(asked, hash);
    scalar_mul_digits(asked + 8, asked, w->u2, field[T]);
    scalar_mul_digits(claim.found + 8, r, w->u1, field[T]);
    spb_field_mul(field[Z], field[Z], field[Z]);
    field_mul_reduced(claim.found, field[X], one); /* X out of Montgomery form, */
    field_mul_reduced(asked, r, field[Z]);         /* as this product is, of a factor that is and one that is not */
    if (!is_equal(asked, claim.found)) {
        /* r + n is the only other x that is r modulo n, if it is below p. */
        if (!spb_limbs_add(r, r, order) && !is_at_least(r, spb_p256_prime))
            field_mul_reduced(asked, r, field[Z]);
    }
    /* Nothing above chose the verdict.  `found` is made last, and anew, so that no fault put there what was asked. */
    for (int i = 0; i < 16; i++)
        claim.asked_inverted[i] = ~asked[i];
    field_mul_reduced(claim.found, field[X], one);
    /* The first would fit r = 0, which was refused, the second a hash of 0: factors were lost. */
    if (is_zero(claim.found) || is_zero(claim.found + 8))
        return SPB_P256_BAD;
    return claim_verdict(&claim);
}

static int is_scalar(const uint32_t a[8])
{
    return !is_zero(a) && !is_at_least(a, order);
}

/* Volatile, so that no compiler makes it a call of memset, which this room does not have. */
static void clear(struct spb_p256_work *w)
{
    volatile uint32_t *p = (uint32_t *)w;
    do
        *p++ = 0;
    while (p != (uint32_t *)(w + 1));
}

SPB_TESTED enum spb_p256_verdict spb_p256_verify(const uint32_t key[SPB_P256_POINTS][16], const uint8_t hash[32],
                                      const uint8_t signature[64], struct spb_p256_work *w)
{
    uint32_t *u = w->field[A], *inverse = w->field[B]; /* 2^256 / s, as it comes */
    clear(w); /* with the sum at infinity */
    load_big_endian(w->r, signature);
    load_big_endian(inverse, signature + 32);
    if (!is_scalar(w->r) || !is_scalar(inverse))
        return SPB_P256_BAD;
    load_big_endian(u, hash);
    scalar_mul(u, u, inverse);
    recode(w->u1, u); /* hash / s */
    scalar_mul(u, w->r, inverse);
    recode(w->u2, u); /* r / s */
    int column;
    for (column = COLUMNS - 1; column >= 0; column--) {
        point_double(w->field);
        add_column(w->field, w->u1, spb_p256_generator, (uint32_t)column);
        add_column(w->field, w->u2, key, (uint32_t)column);
        __asm__("" : "+r"(column)); /* or the compiler knows with what the loop ends, */
    }
    __asm__("" : "+r"(column)); /* and that what ended it is true */
    if (column >= 0)
        return SPB_P256_BAD;
    return (enum spb_p256_verdict)point_verdict(w, hash);
}
