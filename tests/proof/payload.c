/* SPDX-License-Identifier: MIT */
/* payload.c - the chunk chain, by induction: init() makes an honest state of any possible size, and from any honest state
 * each of take, hash, open and next reads and writes inside what is its own and leaves an honest state.
 * Bound: none on the payload's size up to what a slot allows, the number of chunks, or their contents.  A take() of up to
 * TAKEN bytes from any fill: a longer one is several, as nothing but the state goes from a byte to the next.
 * SHA-256 and AES change nothing; what they are given is proven to be there.
 * P2: what the decoder left unread stands, unchanged, in front of the next chunk. */
#include "proof.h"

#include "payload.h"
#include "sha256.h"

#define FULL (SPB_CHUNK_DATA_SIZE + SPB_CHUNK_HASH_SIZE)
#define TAKEN 4u
#define MOST (2 * SPB_SLOT_SIZE)        /* engine.c refuses more */

static struct spb_payload p;
static uint8_t data[TAKEN], key[16], manifest[SPB_MANIFEST_SIZE];

void spb_sha256(const void *in, size_t len, uint8_t hash[32]) {
    PROVE(READABLE(in, len) && WRITABLE(hash, 32), "the hash reads what is there");
}

void spb_aes128_ctr(const uint8_t k[16], const uint8_t nonce[12], uint32_t block, uint8_t *bytes, size_t len) {
    PROVE(k == key && READABLE(nonce, 12), "the key is the one that was set");
    PROVE(WRITABLE(bytes, len), "only the chunk is decrypted");
    PROVE(len >= 1 && len <= SPB_CHUNK_DATA_SIZE, "a chunk has 1 .. CHUNK_DATA_SIZE bytes");
    (void)block;
}

static bool size_can_be(uint32_t size) { return size > 0 && (size - 1) % FULL < SPB_CHUNK_DATA_SIZE; }

/* What holds between two calls. */
static bool honest(void) {
    bool last = p.left == 0;
    return p.need >= 1 && p.need <= (last ? SPB_CHUNK_DATA_SIZE : FULL) && (last || (p.need == FULL && size_can_be(p.left))) &&
           p.fill <= p.need && p.carry <= SPB_DELTA_STEP_SIZE && p.left <= MOST && p.block <= MOST / 16 &&
           16 * p.block + p.left + p.need <= MOST;
}

static void any_honest(void) {
    ANY(&p);
    p.key = key;
    ASSUME(honest());
}

static void prove_init(void) {
    uint32_t size = any_u32();
    ASSUME(size <= MOST && size_can_be(size));
    p = (struct spb_payload){0};
    spb_payload_init(&p, size);
    PROVE(honest() && p.fill == 0, "any size that can be makes an honest state");
    PROVE(p.left + p.need == size, "no byte is lost");
}

static void prove_take(void) {
    uint32_t len = any_below(TAKEN + 1);
    any_honest();
    uint32_t before = p.fill, room = p.need - p.fill;
    uint32_t n = spb_payload_take(&p, data, len);
    PROVE(n == (len < room ? len : room), "it takes what comes, up to the end of the chunk");
    PROVE(honest() && p.fill == before + n, "and counts it");
}

static void prove_open_and_next(void) {
    const uint8_t *in;
    uint8_t hash[SPB_CHUNK_HASH_SIZE];
    any_honest();
    ASSUME(spb_payload_chunk_whole(&p));
    spb_payload_hash(&p, hash);
    uint32_t data_len = p.left == 0 ? p.need : SPB_CHUNK_DATA_SIZE, carried = p.carry;
    uint32_t all = spb_payload_open(&p, &in);
    PROVE(all == carried + data_len, "P2: what was not read, and the chunk without the hash behind it");
    PROVE(all >= 1 && all <= SPB_DELTA_STEP_SIZE + SPB_CHUNK_DATA_SIZE && READABLE(in, all), "the decoder reads the buffer");
    PROVE(in >= p.buffer && in + all <= p.buffer + sizeof p.buffer, "and nothing else");
    if (spb_payload_last(&p)) return;
    uint32_t left = p.left;
    uint32_t used = any_below(all + 1);
    ASSUME(all - used <= SPB_DELTA_STEP_SIZE);      /* delta.h D3 */
    uint32_t k = any_below(SPB_DELTA_STEP_SIZE);
    uint8_t kept = in[k < all - used ? used + k : 0];
    spb_payload_next(&p, used);
    PROVE(honest() && p.fill == 0, "the next chunk begins in an honest state");
    PROVE(p.left + p.need == left, "no byte is lost");
    PROVE(p.carry == all - used, "P2: what was not read is kept");
    if (k < p.carry) PROVE(p.buffer[SPB_DELTA_STEP_SIZE - p.carry + k] == kept, "P2: and stands in front of the next chunk");
}

int main(void) {
    prove_init();
    prove_take();
    prove_open_and_next();
    any_honest();
    spb_payload_unlock(&p, key, manifest);
    PROVE(p.key == key && honest(), "the key is set and nothing else");
    return 0;
}
