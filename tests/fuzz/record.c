/* SPDX-License-Identifier: MIT */
/* record.c - inputs of decisions.c from inputs of stream.c: `record STREAM DECISIONS ...`.  What the range decoder decides is
 * written down as forced decisions. */
#include "fuzz_delta.h"

#define spb_range_mixed real_mixed
#define spb_range_bit real_bit
#define spb_range_direct real_direct
#define spb_range_tree real_tree
#include "range.c"
#include "prior.c"
#undef spb_range_mixed
#undef spb_range_bit
#undef spb_range_direct
#undef spb_range_tree

static FILE *record;

static uint32_t noted(uint32_t bit) {
    (void)fputc(bit ? 0 : 255, record);
    return bit;
}

uint32_t spb_range_mixed(struct spb_range *r, uint32_t one, uint32_t other) {
    return noted(real_mixed(r, one, other));
}

uint32_t spb_range_bit(struct spb_range *r, uint32_t model) { return noted(real_bit(r, model)); }

uint32_t spb_range_direct(struct spb_range *r, uint32_t bits) {
    uint32_t value = real_direct(r, bits);
    for (uint32_t bytes = (bits + 7) / 8; bytes-- > 0;) (void)fputc((uint8_t)(value >> 8 * bytes), record);
    return value;
}

uint32_t spb_range_tree(struct spb_range *r, uint32_t first, uint32_t bits) {
    if (fuzz_init) return real_tree(r, first, bits);
    uint32_t m = 1;
    while (m >> bits == 0) m = m << 1 | spb_range_bit(r, first + m - 1);
    return m - (1u << bits);
}

void fuzz_before_put(void) {}

static FILE *open_file(const char *name, const char *mode) {
    FILE *file = fopen(name, mode);
    if (file == NULL) {
        perror(name);
        exit(1);
    }
    return file;
}

int main(int argc, char **argv) {
    static uint8_t data[1 << 16];
    for (int i = 1; i + 1 < argc; i += 2) {
        struct fuzz_case c;
        FILE *file = open_file(argv[i], "rb");
        size_t size = fread(data, 1, sizeof data, file);
        (void)fclose(file);
        if (!fuzz_case_read(&c, data, size)) return 1;
        record = open_file(argv[i + 1], "wb");
        (void)fwrite(data, 1, size - c.rest_len, record);
        free(fuzz_decode(&c, c.rest, c.rest_len, 0).new);
        (void)fclose(record);
        fuzz_case_free(&c);
    }
    return 0;
}
