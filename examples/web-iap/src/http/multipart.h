/* SPDX-License-Identifier: MIT */
/* multipart.h - takes the file out of multipart/form-data as a browser or curl -F sends it (RFC 7578, RFC 2046 5.1.1).
 *  P1  Each byte of the first part that has a file name is handed on once, in order; nothing of any other.
 *  P2  What may be a delimiter is held back until it is known; it is never more than the delimiter. */
#ifndef MULTIPART_H
#define MULTIPART_H

#include <stdbool.h>
#include <stdint.h>

#include "request.h"

#define MULTIPART_LINE 128u

enum multipart_state {
    MULTIPART_BETWEEN,          /* in front of the first part, or in one that is passed over */
    MULTIPART_ENDING,           /* behind a delimiter: "--" or the end of its line */
    MULTIPART_HEAD,
    MULTIPART_FILE,
    MULTIPART_OVER              /* behind the last delimiter */
};

struct multipart {
    enum multipart_state state;
    char delimiter[REQUEST_BOUNDARY + 5u];      /* CR LF - - boundary */
    uint32_t size, matched;
    char line[MULTIPART_LINE];
    uint32_t len;
    bool named, found;          /* this part has a file name; one had */
    bool (*data)(const uint8_t *bytes, uint32_t len);   /* false: it wants no more, which is for it to remember */
};

void multipart_start(struct multipart *parts, const char *boundary, bool (*data)(const uint8_t *bytes, uint32_t len));
void multipart_take(struct multipart *parts, const uint8_t *bytes, uint32_t len);

#endif
