/* SPDX-License-Identifier: MIT */
/* request.h - the head of an HTTP request, byte by byte (RFC 9112).  Strangers write it.
 *  R1  A line is kept up to LINE bytes; a longer one of the head that matters is refused, any other is passed over.
 *  R2  A length is at most LENGTH_MOST, and is there once.
 *  R3  A head of more than HEAD_MOST bytes is refused. */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#define REQUEST_LINE 192u
#define REQUEST_HEAD_MOST 8192u
#define REQUEST_LENGTH_MOST 99999999u
#define REQUEST_BOUNDARY 70u    /* RFC 2046 5.1.1 */

enum request_method { REQUEST_GET, REQUEST_HEAD, REQUEST_POST, REQUEST_PUT, REQUEST_OTHER };

struct request {
    enum request_method method;
    char path[32];              /* cut, which no path of ours is */
    bool has_length, chunked, multipart, expects;
    uint32_t length;
    char boundary[REQUEST_BOUNDARY + 1u];
    uint32_t code;              /* of the answer, if it is refused, */
    const char *words;          /* and why; 0 otherwise */
    char line[REQUEST_LINE];
    uint32_t len, seen;         /* of the line, and of the head so far */
    bool first_done, cut, done;
};

void request_start(struct request *request);

/* Take bytes of the head; how many were, which is less than len once it is done. */
uint32_t request_take(struct request *request, const uint8_t *bytes, uint32_t len);

#endif
