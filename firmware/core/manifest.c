/* SPDX-License-Identifier: MIT */
#include "manifest.h"

#include <string.h>

#include "keys.h"
#include "sha256.h"
#include "tested.h"

_Static_assert(SPB_HEADER_OFF_SIGNATURE == SPB_MANIFEST_SIZE + SPB_CHUNK_HASH_SIZE, "the signature covers what precedes it");
_Static_assert(SPB_HEADER_SIZE <= SPB_VECTOR_SIZE, "the header fits in front of an image");

_Static_assert(((SPB_MANIFEST_OFF_PRODUCT | SPB_MANIFEST_OFF_TARGET | SPB_MANIFEST_OFF_VERSION | SPB_MANIFEST_OFF_IMAGE_SIZE |
                 SPB_MANIFEST_OFF_PAYLOAD_SIZE | SPB_MANIFEST_OFF_BASE_VERSION | SPB_MANIFEST_OFF_SIGNATURE_COUNT) & 3) == 0,
               "words at multiples of four");
_Static_assert(SPB_MANIFEST_KIND_IMAGE == 0 && SPB_MANIFEST_KIND_PATCH == 1, "a kind above these two is not for us");
_Static_assert(SPB_MANIFEST_OFF_TRAILER_SIZE + SPB_MANIFEST_SIZEOF_TRAILER_SIZE == SPB_MANIFEST_OFF_SIGNATURE_COUNT + 4,
               "signature count, key index and trailer size are one word");

/* Bytes of stack below spb_header_verify() that hold anything the verdict depends on. */
#define REMAINS 512u

static bool all_zero(const uint8_t *p, uint32_t len) {
    uint32_t any = 0;
    while (len--) any |= *p++;
    return any == 0;
}

/* Every chunk but the last is full and followed by a hash; the last has 1 .. SPB_CHUNK_DATA_SIZE bytes. */
static bool payload_size_can_be(uint32_t size) {
    uint32_t last = size % (SPB_CHUNK_DATA_SIZE + SPB_CHUNK_HASH_SIZE);
    return last >= 1 && last <= SPB_CHUNK_DATA_SIZE;
}

enum spb_status spb_manifest_shape(const uint8_t m[SPB_MANIFEST_SIZE]) {
    uint32_t kind = (m[SPB_MANIFEST_OFF_KIND] & ~SPB_MANIFEST_KIND_TRIAL) ^ SPB_MANIFEST_KIND_PARTS;
    if (spb_load_u16(m + SPB_MANIFEST_OFF_MAGIC) != SPB_MANIFEST_MAGIC) return SPB_E_INVALID_PATCH_IMAGE;
    if (m[SPB_MANIFEST_OFF_FORMAT] != SPB_FORMAT || kind > SPB_MANIFEST_KIND_PATCH) return SPB_E_UNSUPPORTED;
    /* Key index and trailer size, in the same word, are 0. */
    if (SPB_MANIFEST_U32(m, SIGNATURE_COUNT) != SPB_MANIFEST_SIGNATURE_COUNT) return SPB_E_UNSUPPORTED;
    if (SPB_PARTS > 1 && SPB_MANIFEST_U32(m, LEAF_LOG2) != SPB_EXTENSION_LEAF_LOG2) return SPB_E_UNSUPPORTED;
    if (!payload_size_can_be(SPB_MANIFEST_U32(m, PAYLOAD_SIZE))) return SPB_E_INVALID_PATCH_IMAGE;
    if (kind == SPB_MANIFEST_KIND_IMAGE &&
        !all_zero(m + SPB_MANIFEST_OFF_BASE_VERSION, SPB_MANIFEST_OFF_SALT - SPB_MANIFEST_OFF_BASE_VERSION)) {
        return SPB_E_INVALID_PATCH_IMAGE;
    }
    return SPB_OK;
}

enum spb_status spb_manifest_fits(const uint8_t m[SPB_MANIFEST_SIZE]) {
    if (SPB_MANIFEST_U32(m, PRODUCT) != spb_word(spb_port.personal + SPB_PERSONAL_OFF_PRODUCT)) {
        return SPB_E_INVALID_SECTION_KEY;
    }
    if (SPB_MANIFEST_U32(m, TARGET) != spb_port.target) return SPB_E_WRONG_BOARD;
    if (SPB_MANIFEST_U32(m, IMAGE_SIZE) > SPB_PART_SIZE - SPB_VECTOR_SIZE) return SPB_E_IMAGE_TOO_LARGE;
    if (SPB_PARTS > 1 && SPB_MANIFEST_U32(m, EXTERNAL_SIZE) > SPB_REST_SIZE) return SPB_E_IMAGE_TOO_LARGE;
    if (SPB_MANIFEST_U32(m, IMAGE_SIZE) < 2 * sizeof(uint32_t)) return SPB_E_IMAGE_TOO_SMALL;
    return SPB_OK;
}

uint32_t spb_manifest_misfit(const volatile uint8_t m[SPB_MANIFEST_SIZE]) {
    uint32_t product = spb_word(m + SPB_MANIFEST_OFF_PRODUCT) ^ spb_word(spb_port.personal + SPB_PERSONAL_OFF_PRODUCT);
    return product | (spb_word(m + SPB_MANIFEST_OFF_TARGET) ^ spb_port.target);
}

/* The borrow of the subtraction is the uppermost bit of this (Hacker's Delight, 2-13). */
uint32_t spb_manifest_below(const volatile uint8_t version[4], uint32_t floor) {
    uint32_t v = spb_word(version);
    return ((~v & floor) | ((~v | floor) & (v - floor))) >> 31;
}

/* A fault that keeps a hash or an address from being stored must not find those of an earlier, good check in its place
 * (P3): this overwrites the stack that check() is about to use, with what is neither an address nor a hash that anybody
 * could have chosen a signature for, as 0. */
__attribute__((noinline)) static void forget(void) {
    volatile uint32_t remains[REMAINS / sizeof(uint32_t)];
    for (uint32_t i = 0; i < REMAINS / sizeof(uint32_t); i++) remains[i] = UINT32_MAX;
    (void)remains[0];
}

__attribute__((noinline)) static enum spb_verdict check(const uint8_t header[SPB_HEADER_SIZE], struct spb_p256_work *work) {
    uint8_t hash[32];
    spb_sha256(header, SPB_HEADER_OFF_SIGNATURE, hash);
    spb_port.alive();
    /* The area is word-aligned in flash: spb_port promises it and the linker template places it. */
    const uint8_t *table = SPB_KEYS_RECORDS > 0 ? (const uint8_t *)spb_keys.key : spb_port.personal + SPB_PERSONAL_OFF_VERIFY_KEY;
    const uint32_t(*key)[16] = (const uint32_t(*)[16])(const void *)table;
    /* No branch that a fault could skip: good becomes good, anything else something else. */
    uint32_t verdict = (uint32_t)spb_p256_verify(key, hash, header + SPB_HEADER_OFF_SIGNATURE, work);
    uint32_t doubt = SPB_KEYS_RECORDS > 0 ? spb_keys_doubt(table) : 0;
    return (enum spb_verdict)((verdict ^ SPB_P256_GOOD ^ SPB_GOOD) + doubt);
}

SPB_TESTED enum spb_verdict spb_header_verify(const uint8_t header[SPB_HEADER_SIZE], struct spb_p256_work *work) {
    forget();
    return check(header, work);
}
