/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <stddef.h>
#include <string.h>

#define PROTOCOL "http/1."      /* and a digit */

void request_start(struct request *request) { memset(request, 0, sizeof *request); }

static void refuse(struct request *request, uint32_t code, const char *words) {
    if (request->words != NULL) return;
    request->code = code;
    request->words = words;
}

static char lower(char byte) { return byte >= 'A' && byte <= 'Z' ? (char)(byte + 'a' - 'A') : byte; }

/* What is behind prefix, in any case of letters, without blanks in front; NULL where text begins otherwise. */
static const char *behind(const char *text, const char *prefix) {
    for (; *prefix != '\0'; prefix++, text++) {
        if (lower(*text) != *prefix) return NULL;
    }
    while (*text == ' ' || *text == '\t') text++;
    return text;
}

static void take_first(struct request *request) {
    static const char *const methods[] = {"get ", "head ", "post ", "put "};
    const char *path = NULL;
    uint32_t method = 0;
    for (; method < REQUEST_OTHER; method++) {
        path = behind(request->line, methods[method]);
        if (path != NULL) break;
    }
    request->method = (enum request_method)method;
    if (path == NULL) {
        refuse(request, 405, "this server knows GET, POST and PUT");
        return;
    }
    uint32_t len = 0;
    while (path[len] != '\0' && path[len] != ' ' && path[len] != '?' && len < sizeof request->path - 1u) {
        request->path[len] = path[len];
        len++;
    }
    const char *end = request->line + request->len;
    bool known = request->len >= sizeof PROTOCOL && behind(end - sizeof PROTOCOL, PROTOCOL) == end - 1;
    if (path[0] != '/' || !known) refuse(request, 400, "this is not HTTP/1.1");
}

static void take_length(struct request *request, const char *digits) {
    uint32_t number = 0;
    const char *at = digits;
    for (; *at >= '0' && *at <= '9' && number <= REQUEST_LENGTH_MOST; at++) number = number * 10u + (uint32_t)(*at - '0');
    while (*at == ' ' || *at == '\t') at++;
    if (at == digits || *at != '\0' || number > REQUEST_LENGTH_MOST) {
        refuse(request, number > REQUEST_LENGTH_MOST ? 413 : 400, "Content-Length is no number of bytes that a device can have");
    } else if (request->has_length && number != request->length) {
        refuse(request, 400, "there are two values of Content-Length");
    }
    request->has_length = true;
    request->length = number;
}

/* Of a boundary, whose quotes are passed over. */
static uint32_t boundary_len(const char **boundary) {
    bool quoted = **boundary == '"';
    uint32_t len = 0;
    *boundary += quoted;
    for (char byte; (byte = (*boundary)[len]) != '\0' && byte != '"' && (quoted || (byte != ';' && byte != ' '));) len++;
    return len;
}

/* multipart/form-data; boundary=text, or "text". */
static void take_type(struct request *request, const char *type) {
    const char *at = behind(type, "multipart/form-data");
    if (at == NULL) return;
    request->multipart = true;
    const char *boundary = NULL;
    for (; *at != '\0' && boundary == NULL; at++) boundary = behind(at, "boundary=");
    uint32_t len = boundary != NULL ? boundary_len(&boundary) : 0;
    if (len > REQUEST_BOUNDARY) len = 0;
    for (uint32_t i = 0; i < len; i++) request->boundary[i] = boundary[i];
    request->boundary[len] = '\0';
    if (len == 0) refuse(request, 400, "multipart/form-data needs a boundary of 1 to 70 characters");
}

static void take_chunks(struct request *request, const char *value) {
    (void)value;
    request->chunked = true;
}

static void take_wish(struct request *request, const char *value) { request->expects = behind(value, "100-continue") != NULL; }

static void take_field(struct request *request) {
    static const struct {
        const char *name;
        void (*take)(struct request *request, const char *value);
    } fields[] = {
        {"content-length:", take_length},
        {"content-type:", take_type},
        {"transfer-encoding:", take_chunks},
        {"expect:", take_wish},
    };
    for (uint32_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const char *value = behind(request->line, fields[i].name);
        if (value == NULL) continue;
        if (request->cut) refuse(request, 431, "a line of the head is too long");
        else fields[i].take(request, value);
    }
}

static void finish(struct request *request) {
    bool body = request->method == REQUEST_POST || request->method == REQUEST_PUT;
    if (body && request->chunked) refuse(request, 411, "send the file with its Content-Length, not in chunks");
    else if (body && !request->has_length) refuse(request, 411, "Content-Length is missing");
    request->done = true;
}

static void take_line(struct request *request) {
    request->line[request->len] = '\0';
    if (!request->first_done) {
        if (request->len == 0) return;          /* empty lines in front are passed over (RFC 9112 2.2) */
        request->first_done = true;
        if (request->cut) refuse(request, 414, "the path is too long");
        take_first(request);
        request->done = request->words != NULL; /* it may be no head at all, which has no end */
    } else if (request->len == 0) {
        finish(request);
    } else {
        take_field(request);
    }
    request->len = 0;
    request->cut = false;
}

uint32_t request_take(struct request *request, const uint8_t *bytes, uint32_t len) {
    for (uint32_t i = 0; i < len; i++) {
        if (++request->seen > REQUEST_HEAD_MOST) {
            refuse(request, 431, "the head of the request is too long");
            request->done = true;
        } else if (bytes[i] == '\n') {
            if (request->len != 0 && request->line[request->len - 1u] == '\r') request->len--;
            take_line(request);
        } else if (request->len < REQUEST_LINE - 1u) {
            request->line[request->len++] = bytes[i] != '\0' ? (char)bytes[i] : ' ';
        } else {
            request->cut = true;
        }
        if (request->done) return i + 1u;
    }
    return len;
}
