/* SPDX-License-Identifier: MIT */
/* replay.c - a fuzzer without libFuzzer: `stream COUNT FILE ...` runs the inputs in the files, then COUNT mutants of them, always
 * the same.  Says how many inputs came to a good end. */
#include <string.h>

#include "fuzz.h"

#define MOST_FILES 256u
#define MOST_SIZE (1u << 15)

static struct {
    uint8_t *data;
    uint32_t len;
} inputs[MOST_FILES];

static uint32_t state = 2463534242u;

static uint32_t below(uint32_t limit) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % limit;
}

static void read_file(uint32_t i, const char *name) {
    FILE *file = fopen(name, "rb");
    inputs[i].data = malloc(MOST_SIZE);
    if (file == NULL || inputs[i].data == NULL) {
        perror(name);
        exit(1);
    }
    inputs[i].len = (uint32_t)fread(inputs[i].data, 1, MOST_SIZE, file);
    (void)fclose(file);
}

/* A block of just its size, so that the sanitizer sees the harness read too far. */
static void run(const uint8_t *data, uint32_t len) {
    uint8_t *exact = malloc(len > 0 ? len : 1);
    if (exact == NULL) exit(1);
    memcpy(exact, data, len);
    (void)LLVMFuzzerTestOneInput(exact, len);
    free(exact);
}

/* Some bytes changed, often to those that force a decision; now and then a piece from elsewhere or an early end. */
static void mutate(uint8_t *data, uint32_t *len) {
    static const uint8_t forced[] = {0, 255, 254, 1};
    for (uint32_t n = 1 + below(8); n-- > 0 && *len > 0;) {
        uint32_t at = below(*len);
        uint32_t what = below(16);
        if (what == 0) {
            *len = at;
        } else if (what < 3) {
            uint32_t from = below(*len);
            uint32_t far = at > from ? at : from;
            memmove(data + at, data + from, below(*len - far + 1));
        } else {
            data[at] = (uint8_t)(what < 10 ? forced[below(4)] : below(256));
        }
    }
}

int main(int argc, char **argv) {
    uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
    uint32_t files = argc > 2 ? (uint32_t)argc - 2 : 0;
    static uint8_t data[MOST_SIZE];
    if (files > MOST_FILES) return 2;
    for (uint32_t i = 0; i < files; i++) read_file(i, argv[i + 2]);
    for (uint32_t i = 0; i < files; i++) run(inputs[i].data, inputs[i].len);
    printf("%u accepted\n", fuzz_accepted);
    for (uint32_t n = 0; files > 0 && n < count; n++) {
        uint32_t i = below(files);
        uint32_t len = inputs[i].len;
        memcpy(data, inputs[i].data, len);
        mutate(data, &len);
        run(data, len);
    }
    for (uint32_t i = 0; i < files; i++) free(inputs[i].data);
    return 0;
}
