/* SPDX-License-Identifier: MIT */
#include "sites.h"

#include <stdlib.h>

bool spb_sites_init(struct spb_sites *sites, const struct spb_pair *pair, const uint8_t *bytes, uint32_t len) {
    const struct spb_image_range image = spb_sites_image(pair);
    struct spb_reference ref;
    sites->bytes = bytes;
    sites->base = pair->base;
    sites->kinds = calloc((size_t)len / 2 + 1, sizeof *sites->kinds);
    sites->targets = malloc(((size_t)len / 2 + 1) * sizeof *sites->targets);
    if (sites->kinds == NULL || sites->targets == NULL) return false;
    for (uint32_t off = 0; off + 2 <= len; off += 2) {
        uint32_t size = len - off < 4 ? len - off : 4, kinds = 0;
        if (off >= pair->rest) {
            bool pointer = off % 4 == 0 && size == 4 && spb_reference_read_rest(&ref, &image, spb_load_u32(bytes + off));
            sites->kinds[off / 2] = (uint8_t)(pointer ? (ref.kind + 1u) << 4 : 0);
            continue;
        }
        if (spb_reference_read(&ref, &image, bytes + off, size, pair->base + off, false)) {
            kinds = ref.kind + 1u;
            sites->targets[off / 2] = ref.target;
        }
        bool word = off % 4 == 0 && spb_reference_read(&ref, &image, bytes + off, size, pair->base + off, true);
        if (word && spb_reference_word(ref.kind)) kinds |= (ref.kind + 1u) << 4;
        sites->kinds[off / 2] = (uint8_t)kinds;
    }
    return true;
}

void spb_sites_free(struct spb_sites *sites) {
    free(sites->kinds);
    free(sites->targets);
}
