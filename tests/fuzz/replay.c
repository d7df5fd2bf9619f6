/* SPDX-License-Identifier: MIT */
/* replay.c - a fuzzer without libFuzzer: the inputs in the files named, or with `-n COUNT` as many pseudo-random ones, always
 * the same.  Says how many streams were accepted. */
#include <string.h>

#include "fuzz_delta.h"

#define RANDOM_SIZE 4096u

static void run(const uint8_t *data, size_t size) {
    uint8_t *exact = malloc(size > 0 ? size : 1);
    if (exact == NULL) exit(1);
    memcpy(exact, data, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static void run_file(const char *name) {
    static uint8_t data[1 << 16];
    FILE *file = fopen(name, "rb");
    if (file == NULL) {
        perror(name);
        exit(1);
    }
    run(data, fread(data, 1, sizeof data, file));
    (void)fclose(file);
}

static uint32_t next(uint32_t *random) {
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    return *random;
}

/* A third of them of random bytes, the others with a share of forced decisions, which bytes 0 and 255 are. */
static void run_random(uint32_t count) {
    static uint8_t data[RANDOM_SIZE];
    uint32_t random = 2463534242u;
    for (uint32_t n = 0; n < count; n++) {
        uint32_t size = next(&random) % RANDOM_SIZE;
        for (uint32_t i = 0; i < size; i++) {
            uint32_t value = next(&random);
            data[i] = (uint8_t)(n % 3 == 0 || value >> 24 >= n % 32 ? value : value & 0x100 ? 0 : 255);
        }
        run(data, size);
    }
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "-n") == 0) {
        run_random((uint32_t)strtoul(argv[2], NULL, 10));
    } else {
        for (int i = 1; i < argc; i++) run_file(argv[i]);
    }
    printf("%u accepted\n", fuzz_accepted);
    return 0;
}
