/* SPDX-License-Identifier: MIT */
/* manifest.c - shape, fits, misfit, below and the check of a header, of any bytes.
 * Bound: none.  All 2^1248 headers, personalisation areas and versions; every loop runs as often as it can.
 * SHA-256 and P-256 are any values; what they may read is proven to be there.
 * M1: a manifest that has shape and fits names lengths that are safe.  M2: GOOD only if the signature was. */
#include "proof.h"

#include "manifest.h"
#include "sha256.h"

static _Alignas(4) uint8_t personal[SPB_PERSONAL_SIZE];
static _Alignas(4) uint8_t header[SPB_HEADER_SIZE];
static uint8_t *hashed;
static enum spb_p256_verdict verdict;

static void alive(void) {}

const struct spb_port spb_port = {.personal = personal, .target = SPB_TARGET, .alive = alive};

void spb_sha256(const void *data, size_t len, uint8_t hash[32]) {
    PROVE(data == header && len == SPB_HEADER_OFF_SIGNATURE, "the signature covers all that precedes it");
    PROVE(READABLE(data, len) && WRITABLE(hash, 32), "the hash reads the header, and has room");
    hashed = hash;
}

enum spb_p256_verdict spb_p256_verify(const uint32_t key[SPB_P256_POINTS][16], const uint8_t hash[32],
                                      const uint8_t signature[64], struct spb_p256_work *work) {
    PROVE((const uint8_t *)key == personal + SPB_PERSONAL_OFF_VERIFY_KEY && READABLE(key, SPB_P256_POINTS * 64),
          "the key is the personalised one");
    PROVE(hash == hashed, "it is the hash of the header that is checked");
    PROVE(signature == header + SPB_HEADER_OFF_SIGNATURE && READABLE(signature, 64), "the signature is inside");
    PROVE(WRITABLE(work, sizeof *work), "its numbers have room");
    return verdict;
}

static uint32_t word(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

#define WORD(field) word(header + SPB_MANIFEST_OFF_##field)

static bool ours(void) {
    return WORD(PRODUCT) == word(personal + SPB_PERSONAL_OFF_PRODUCT) && WORD(TARGET) == SPB_TARGET;
}

static void prove_shape(void) {
    if (spb_manifest_shape(header) != SPB_OK) return;
    uint32_t size = WORD(PAYLOAD_SIZE), full = SPB_CHUNK_DATA_SIZE + SPB_CHUNK_HASH_SIZE;
    uint32_t kind = header[SPB_MANIFEST_OFF_KIND] & ~SPB_MANIFEST_KIND_TRIAL;
    PROVE(kind <= SPB_MANIFEST_KIND_PATCH, "M1: the kind is a known one, on trial or not");
    PROVE(size > 0 && (size - 1) % full < SPB_CHUNK_DATA_SIZE, "M1: the last chunk has 1 .. CHUNK_DATA_SIZE bytes");
    PROVE(header[SPB_MANIFEST_OFF_KEY_INDEX] == 0, "M1: what is reserved is zero");
    if (kind == SPB_MANIFEST_KIND_IMAGE) PROVE(WORD(BASE_VERSION) == 0, "M1: an image has no base");
}

static void prove_fits(void) {
    if (spb_manifest_fits(header) != SPB_OK) return;
    uint32_t size = WORD(IMAGE_SIZE);
    PROVE(size >= 8 && size <= SPB_SLOT_SIZE && SPB_VECTOR_SIZE <= SPB_SLOT_SIZE - size, "M1: the image is in the slot");
    PROVE(ours(), "M1: product and board are ours");
}

static void prove_numbers(void) {
    _Alignas(4) uint8_t version[4];
    uint32_t floor = any_u32();
    ANY(version);
    PROVE((spb_manifest_misfit(header) == 0) == ours(), "misfit is zero for what is ours, and for nothing else");
    PROVE(spb_manifest_below(version, floor) == (word(version) < floor), "below is the comparison");
}

static void prove_verify(void) {
    struct spb_p256_work work;
    enum spb_verdict trust = spb_header_verify(header, &work);
    PROVE((trust == SPB_GOOD) == (verdict == SPB_P256_GOOD), "M2: good if the signature is, and only then");
}

int main(void) {
    ANY(header);
    ANY(personal);
    verdict = (enum spb_p256_verdict)any_u32();
    prove_shape();
    prove_fits();
    prove_numbers();
    prove_verify();
    return 0;
}
