/* SPDX-License-Identifier: MIT */
/* stream.c - fuzzer: the rest of the input is the patch stream. */
#include "fuzz_delta.h"

void fuzz_before_put(void) {}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_case c;
    if (!fuzz_case_read(&c, data, size)) return 0;
    struct fuzz_result whole = fuzz_decode(&c, c.rest, c.rest_len, 0);
    struct fuzz_result divided = fuzz_decode(&c, c.rest, c.rest_len, c.division);
    fuzz_compare(&whole, &divided);
    fuzz_case_free(&c);
    return 0;
}
