/* SPDX-License-Identifier: MIT */
/* encode.h - the library that Python loads: a pair of images in, a patch stream out. */
#ifndef SPB_ENCODE_H
#define SPB_ENCODE_H

#include <stdbool.h>
#include <stdint.h>

#include "operation.h"

#ifdef _WIN32
#define SPB_EXPORT __declspec(dllexport)
#else
#define SPB_EXPORT __attribute__((visibility("default")))
#endif

enum spb_encode_result { SPB_ENCODE_DONE, SPB_ENCODE_STOPPED, SPB_ENCODE_NO_MEMORY, SPB_ENCODE_WRONG };

/* Called with the work done and the work in all; nonzero: stop. */
typedef int (*spb_encode_progress)(uint64_t done, uint64_t total);

struct spb_encoded {
    uint8_t *stream;        /* free with spb_encode_free() */
    uint32_t len;
};

SPB_EXPORT enum spb_encode_result spb_encode(const struct spb_pair *pair, spb_encode_progress progress,
                                             uint32_t (*counts)[2], struct spb_encoded *encoded);
SPB_EXPORT void spb_encode_free(struct spb_encoded *encoded);

/* How many adaptive bits there are: the entries that counts (how often each was 0 and 1; or NULL) must have. */
SPB_EXPORT uint32_t spb_encode_models(void);

/* The firmware's decoder: NEW, both parts one behind the other, from a stream.  Of the pair the bytes of NEW are where they
 * go, and base is not looked at.  Zero, or its status. */
SPB_EXPORT int spb_decode(const struct spb_pair *pair, const uint8_t *stream, uint32_t len, uint8_t *new_bytes);

#endif
