/* SPDX-License-Identifier: MIT */
/* manifest.c - fuzzer: the input is a header, as it stands in front of an image; behind it, a version to compare with.
 * M1 is said in other words here than in the firmware.  M2: what the key of these tests did not sign (fuzz_keys.h) is not
 * good, and what it did is. */
#include <string.h>

#include "fuzz.h"
#include "fuzz_keys.h"
#include "manifest.h"

uint32_t fuzz_accepted;

static void alive(void) {}

const struct spb_port spb_port = {.personal = fuzz_personal, .target = SPB_TARGET, .alive = alive};

static uint32_t word(const uint8_t *p) { return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24; }

#define WORD(m, field) word((m) + SPB_MANIFEST_OFF_##field)

static bool signed_by_us(const uint8_t *header) {
    for (size_t i = 0; i < sizeof fuzz_signed / sizeof fuzz_signed[0]; i++) {
        if (memcmp(fuzz_signed[i], header, SPB_HEADER_OFF_SIGNATURE) == 0) return true;
    }
    return false;
}

static bool signature_of_ours(const uint8_t *header) {
    for (size_t i = 0; i < sizeof fuzz_signed / sizeof fuzz_signed[0]; i++) {
        if (memcmp(fuzz_signed[i], header, SPB_HEADER_SIZE) == 0) return true;
    }
    return false;
}

static bool check_shape(const uint8_t *m) {
    if (spb_manifest_shape(m) != SPB_OK) return false;
    uint64_t left = WORD(m, PAYLOAD_SIZE);
    if (left > 2 * SPB_SLOT_SIZE) return true;
    while (left > SPB_CHUNK_DATA_SIZE) {
        FUZZ_CHECK(left > SPB_CHUNK_DATA_SIZE + SPB_CHUNK_HASH_SIZE, "M1: a full chunk is followed by another");
        left -= SPB_CHUNK_DATA_SIZE + SPB_CHUNK_HASH_SIZE;
    }
    FUZZ_CHECK(left > 0, "M1: the last chunk has a byte");
    uint32_t kind = m[SPB_MANIFEST_OFF_KIND] & ~SPB_MANIFEST_KIND_TRIAL;
    FUZZ_CHECK(kind <= SPB_MANIFEST_KIND_PATCH, "M1: the kind is a known one, on trial or not");
    return true;
}

static bool check_fits(const uint8_t *m) {
    bool ours = WORD(m, TARGET) == SPB_TARGET && memcmp(m + SPB_MANIFEST_OFF_PRODUCT, fuzz_personal + SPB_PERSONAL_OFF_PRODUCT, 4) == 0;
    FUZZ_CHECK((spb_manifest_misfit(m) == 0) == ours, "misfit is zero for what is ours, and for nothing else");
    if (spb_manifest_fits(m) != SPB_OK) return false;
    FUZZ_CHECK(ours, "M1: product and board are ours");
    FUZZ_CHECK((uint64_t)SPB_VECTOR_SIZE + WORD(m, IMAGE_SIZE) <= SPB_SLOT_SIZE, "M1: the image is in the slot");
    FUZZ_CHECK(WORD(m, IMAGE_SIZE) >= 8, "M1: there is room for vectors");
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct spb_p256_work work;
    uint8_t *header = calloc(1, SPB_HEADER_SIZE);       /* a block of just its size */
    if (header == NULL) exit(1);
    if (size > 0) memcpy(header, data, size < SPB_HEADER_SIZE ? size : SPB_HEADER_SIZE);
    _Alignas(4) uint8_t floor[4] = {0};
    if (size > SPB_HEADER_SIZE) memcpy(floor, data + SPB_HEADER_SIZE, size - SPB_HEADER_SIZE < 4 ? size - SPB_HEADER_SIZE : 4);
    uint32_t below = spb_manifest_below(header + SPB_MANIFEST_OFF_VERSION, word(floor));
    FUZZ_CHECK(below == (WORD(header, VERSION) < word(floor)), "below is the comparison");
    bool shape = check_shape(header), fits = check_fits(header);
    if (shape && fits && (signed_by_us(header) || floor[3] % 8 == 0)) {     /* a signature takes longer than all else */
        bool good = spb_header_verify(header, &work) == SPB_GOOD;
        FUZZ_CHECK(!good || signed_by_us(header), "M2: nobody else's header is good");
        FUZZ_CHECK(good || !signature_of_ours(header), "M2: ours is good");
        fuzz_accepted += good;
    }
    free(header);
    return 0;
}
