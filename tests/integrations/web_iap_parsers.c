/* web_iap_parsers.c - the two parsers of examples/web-iap on the host.  Standard input is records: a letter, the length of
 * a boundary, two bytes of a length, boundary and bytes.  Each is parsed at once and in pieces; the outcome is a line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "multipart.h"
#include "request.h"

static uint8_t file[1 << 16];
static uint32_t file_len;

static bool take(const uint8_t *bytes, uint32_t len) {
    if (len > sizeof file - file_len) abort();
    memcpy(file + file_len, bytes, len);
    file_len += len;
    return true;
}

static uint32_t piece(uint32_t left, uint32_t most) {
    uint32_t len = 1u + (uint32_t)rand() % most;
    return len < left ? len : left;
}

static void head(const uint8_t *bytes, uint32_t len, uint32_t most, char *out, size_t size) {
    struct request request;
    uint32_t used = 0;
    request_start(&request);
    while (used < len && !request.done) {
        uint32_t now = piece(len - used, most);
        uint8_t *copy = malloc(now);            /* what lies behind it is not ours */
        memcpy(copy, bytes + used, now);
        uint32_t taken = request_take(&request, copy, now);
        free(copy);
        used += taken;
        if (taken != now && !request.done) abort();
    }
    snprintf(out, size, "%d %u %d %s %d %u %d %d %d %s %u %s", request.done, used, (int)request.method, request.path,
             request.has_length, request.length, request.chunked, request.multipart, request.expects, request.boundary,
             request.code, request.words != NULL ? request.words : "-");
}

static void form(const char *boundary, const uint8_t *bytes, uint32_t len, uint32_t most, char *out, size_t size) {
    struct multipart parts;
    file_len = 0;
    multipart_start(&parts, boundary, take);
    for (uint32_t used = 0; used < len;) {
        uint32_t now = piece(len - used, most);
        uint8_t *copy = malloc(now);
        memcpy(copy, bytes + used, now);
        multipart_take(&parts, copy, now);
        free(copy);
        used += now;
    }
    int at = snprintf(out, size, "%d %d ", parts.found, parts.state == MULTIPART_OVER);
    for (uint32_t i = 0; i < file_len; i++) at += snprintf(out + at, size - (size_t)at, "%02x", file[i]);
}

int main(void) {
    static char whole[1 << 18], pieces[1 << 18];
    static uint8_t bytes[1 << 16];
    uint8_t top[4];
    while (fread(top, sizeof top, 1, stdin) == 1) {
        char boundary[256] = "";
        uint32_t len = (uint32_t)top[2] | (uint32_t)top[3] << 8;
        if (fread(boundary, 1, top[1], stdin) != top[1] || fread(bytes, 1, len, stdin) != len) abort();
        for (uint32_t most = 1; most < 60; most += 19) {
            if (top[0] == 'R') {
                head(bytes, len, 1u << 16, whole, sizeof whole);
                head(bytes, len, most, pieces, sizeof pieces);
            } else {
                form(boundary, bytes, len, 1u << 16, whole, sizeof whole);
                form(boundary, bytes, len, most, pieces, sizeof pieces);
            }
            if (strcmp(whole, pieces) != 0) {
                printf("differs: %s / %s\n", whole, pieces);
                return 1;
            }
        }
        puts(whole);
    }
    return 0;
}
