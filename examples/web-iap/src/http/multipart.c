/* SPDX-License-Identifier: MIT */
#include "multipart.h"

#include <string.h>

/* The body begins as if a line had just ended, so that its first delimiter is like all others. */
void multipart_start(struct multipart *parts, const char *boundary, bool (*data)(const uint8_t *bytes, uint32_t len)) {
    memset(parts, 0, sizeof *parts);
    memcpy(parts->delimiter, "\r\n--", 4);
    parts->size = 4u + (uint32_t)strlen(boundary);
    memcpy(parts->delimiter + 4, boundary, parts->size - 4u);
    parts->matched = 2;
    parts->data = data;
}

static void hand_on(struct multipart *parts, const void *bytes, uint32_t len) {
    if (parts->state == MULTIPART_FILE && len != 0) (void)parts->data(bytes, len);
}

/* Only its first byte is a CR, so what was held back is no delimiter from any later place on. */
static void take_content(struct multipart *parts, const uint8_t *byte) {
    if (*byte == (uint8_t)parts->delimiter[parts->matched]) {
        if (++parts->matched < parts->size) return;
        parts->state = MULTIPART_ENDING;
        parts->matched = parts->len = 0;
        return;
    }
    hand_on(parts, parts->delimiter, parts->matched);
    parts->matched = *byte == '\r' ? 1u : 0;
    if (parts->matched == 0) hand_on(parts, byte, 1);
}

static void take_line(struct multipart *parts) {
    parts->line[parts->len] = '\0';
    if (parts->len == 0) {
        bool wanted = parts->named && !parts->found;
        parts->state = wanted ? MULTIPART_FILE : MULTIPART_BETWEEN;
        parts->found = parts->found || wanted;
        return;
    }
    for (uint32_t i = 0; i < parts->len; i++) {
        if (strncmp(parts->line + i, "filename", 8) == 0) parts->named = true;
    }
    parts->len = 0;
}

static void take_head(struct multipart *parts, uint8_t byte) {
    if (byte == '\n') {
        if (parts->len != 0 && parts->line[parts->len - 1u] == '\r') parts->len--;
        take_line(parts);
    } else if (parts->len < MULTIPART_LINE - 1u) {
        parts->line[parts->len++] = (char)byte;
    }
}

static void take_ending(struct multipart *parts, uint8_t byte) {
    if (byte == '-' && ++parts->len == 2u) parts->state = MULTIPART_OVER;
    if (byte != '\n') return;
    parts->state = MULTIPART_HEAD;
    parts->named = false;
    parts->len = 0;
}

/* How many bytes in front of the next CR are content for sure. */
static uint32_t plain(const struct multipart *parts, const uint8_t *bytes, uint32_t len) {
    uint32_t count = 0;
    if (parts->matched != 0) return 0;
    while (count < len && bytes[count] != '\r') count++;
    return count;
}

void multipart_take(struct multipart *parts, const uint8_t *bytes, uint32_t len) {
    while (len != 0 && parts->state != MULTIPART_OVER) {
        uint32_t taken = 1;
        if (parts->state == MULTIPART_HEAD) {
            take_head(parts, *bytes);
        } else if (parts->state == MULTIPART_ENDING) {
            take_ending(parts, *bytes);
        } else if ((taken = plain(parts, bytes, len)) != 0) {
            hand_on(parts, bytes, taken);
        } else {
            take_content(parts, bytes);
            taken = 1;
        }
        bytes += taken;
        len -= taken;
    }
}
