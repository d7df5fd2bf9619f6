/* SPDX-License-Identifier: MIT */
#include "connection.h"

#include <stddef.h>
#include <string.h>

#include "console.h"
#include "intake.h"
#include "lwip/tcp.h"
#include "page.h"
#include "text.h"

#define HEAD_MS 10000u          /* for a whole head */
#define SILENT_MS 15000u        /* without a byte, or an acknowledgement of ours */
#define SLOW_MS 30000u          /* after this time a body has to have */
#define SLOW_BYTES 100u         /* so many bytes for each second */
#define LINGER_MS 2000u         /* without a byte of who still sent as he was answered, */
#define LINGER_MOST_MS 30000u   /* and in all */

static void enter(struct connection *c, enum phase phase) {
    c->phase = phase;
    c->began_ms = c->heard_ms = console_ms();
}

void connection_start(struct connection *c, struct tcp_pcb *pcb) {
    memset(c, 0, sizeof *c);
    c->pcb = pcb;
    request_start(&c->request);
    enter(c, PHASE_HEAD);
}

/* answers */

static const char *phrase(uint32_t code) {
    switch (code) {
    case 200: return "200 OK";
    case 404: return "404 Not Found";
    case 405: return "405 Method Not Allowed";
    case 408: return "408 Request Timeout";
    case 411: return "411 Length Required";
    case 413: return "413 Content Too Large";
    case 414: return "414 URI Too Long";
    case 422: return "422 Unprocessable Content";
    case 431: return "431 Request Header Fields Too Large";
    case 503: return "503 Service Unavailable";
    default: return "400 Bad Request";
    }
}

static void answer(struct connection *c, uint32_t code, const char *type, const char *body, uint32_t len) {
    struct text head = text_in(c->head, sizeof c->head);
    text_add(&head, "HTTP/1.1 ");
    text_add(&head, phrase(code));
    text_add(&head, "\r\nContent-Type: ");
    text_add(&head, type);
    text_add(&head, "; charset=utf-8\r\nContent-Length: ");
    text_number(&head, len);
    text_add(&head, "\r\nConnection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n");
    c->out[0].at = c->head;
    c->out[0].left = head.len;
    c->out[1].at = body;
    c->out[1].stays = body == page_html;
    c->out[1].left = c->request.method == REQUEST_HEAD ? 0 : len;
    enter(c, PHASE_ANSWER);
    connection_write(c);
}

/* A sentence, and behind it another one, if there is one. */
static void say(struct connection *c, uint32_t code, const char *words, const char *more) {
    struct text body = text_in(c->body, sizeof c->body);
    text_add(&body, words);
    if (more != NULL) text_add(&body, more);
    text_add(&body, "\n");
    answer(c, code, "text/plain", c->body, body.len);
}

static void refuse_head(struct connection *c) { say(c, c->request.code, "not taken: ", c->request.words); }

static void show(struct connection *c) {
    if (strcmp(c->request.path, "/") == 0) {
        answer(c, 200, "text/html", page_html, page_size);
    } else if (strcmp(c->request.path, "/status") == 0) {
        struct text body = text_in(c->body, sizeof c->body);
        page_status(&body);
        answer(c, 200, "application/json", c->body, body.len);
    } else {
        say(c, 404, "there are / and /status", NULL);
    }
}

/* updates */

static void continue_it(struct connection *c) {
    static const char words[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (c->request.expects) (void)tcp_write(c->pcb, words, sizeof words - 1u, 0);
}

static void judge(struct connection *c) {
    struct intake now;
    c->uploads = false;
    if (c->request.multipart && c->came != 0 && !c->parts.found) intake_give_up("the form has no file");
    c->whole = intake_end();
    now = intake_now();
    if (!c->whole) {
        say(c, 422, "refused, nothing has changed: ", now.words != NULL ? now.words : "no file came");
        return;
    }
    struct text body = text_in(c->body, sizeof c->body);
    text_number(&body, now.taken);
    text_add(&body, " bytes received and verified: the device resets in a second and installs them\n");
    console_text("app: update complete\r\n");
    answer(c, 200, "text/plain", c->body, body.len);
}

static void begin_update(struct connection *c) {
    struct intake now = intake_now();
    if (now.busy) {
        say(c, 503, "another update is under way: wait for its end, or for a minute", NULL);
        return;
    }
    if (now.installs) {
        say(c, 503, "an update is about to be installed: the device resets", NULL);
        return;
    }
    c->uploads = true;
    enter(c, PHASE_BODY);
    bool wanted = intake_begin(c->request.multipart ? 0 : c->request.length);
    if (c->request.multipart) multipart_start(&c->parts, c->request.boundary, intake_data);
    if (!wanted || c->request.length == 0) judge(c);
    else continue_it(c);
}

static void take_body(struct connection *c, const uint8_t *bytes, uint32_t len) {
    uint32_t left = c->request.length - c->came;
    if (len > left) len = left;                 /* what is behind its end is not ours */
    c->came += len;
    if (c->request.multipart) multipart_take(&c->parts, bytes, len);
    else (void)intake_data(bytes, len);
    if (c->came == c->request.length) judge(c);
}

static void take_head(struct connection *c) {
    if (c->request.words != NULL) refuse_head(c);
    else if (c->request.method == REQUEST_POST || c->request.method == REQUEST_PUT) begin_update(c);
    else show(c);
}

void connection_take(struct connection *c, const uint8_t *bytes, uint32_t len) {
    if (c->phase == PHASE_HEAD) {
        uint32_t taken = request_take(&c->request, bytes, len);
        bytes += taken;
        len -= taken;
        if (c->request.done) take_head(c);
    }
    if (c->phase == PHASE_BODY && len != 0) take_body(c, bytes, len);
    c->heard_ms = console_ms();                 /* the engine may have taken its time */
}

/* the end */

static void abandon(struct connection *c, const char *words) {
    if (c->uploads) intake_give_up(words);
    c->uploads = false;
}

/* Let go of the pcb: politely, or by force, as where lwIP has no room even for that.  Whether it was by force. */
static bool let_go(struct connection *c, bool force) {
    struct tcp_pcb *pcb = c->pcb;
    c->pcb = NULL;
    c->phase = PHASE_FREE;
    if (pcb == NULL) return false;
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_err(pcb, NULL);
    if (!force && tcp_close(pcb) == ERR_OK) return false;
    tcp_abort(pcb);
    return true;
}

void connection_write(struct connection *c) {
    if (c->phase == PHASE_LINGER) return;
    for (uint32_t i = 0; i < 2u; i++) {
        uint32_t len = c->out[i].left, room = tcp_sndbuf(c->pcb);
        if (len > room) len = room;
        if (len != 0 && tcp_write(c->pcb, c->out[i].at, (u16_t)len, c->out[i].stays ? 0 : TCP_WRITE_FLAG_COPY) != ERR_OK) break;
        c->out[i].at += len;
        c->out[i].left -= len;
        if (c->out[i].left != 0) break;
    }
    (void)tcp_output(c->pcb);
    if (c->out[1].left == 0 && c->out[0].left == 0 && c->phase == PHASE_ANSWER) {
        enter(c, PHASE_LINGER);
        (void)tcp_shutdown(c->pcb, 0, 1);       /* the answer ends; what still comes is passed over */
    }
}

bool connection_ended(struct connection *c) {
    if (c->phase == PHASE_ANSWER) return false; /* he has said all, and is answered */
    abandon(c, "the client went away before the end of the file");
    return let_go(c, false);
}

void connection_gone(struct connection *c) {
    c->pcb = NULL;
    abandon(c, "the connection was lost before the end of the file");
    c->phase = PHASE_FREE;
}

static bool too_slow(const struct connection *c, uint32_t passed_ms) {
    return passed_ms >= SLOW_MS && c->came / SLOW_BYTES < passed_ms / 1000u;
}

static void poll_body(struct connection *c, uint32_t passed_ms, uint32_t silent_ms) {
    if (silent_ms < SILENT_MS && !too_slow(c, passed_ms)) return;
    abandon(c, silent_ms >= SILENT_MS ? "the client was silent for 15 seconds" : "the client is slower than 100 bytes a second");
    say(c, 408, "refused, nothing has changed: ", intake_now().words);
}

bool connection_poll(struct connection *c) {
    uint32_t now = console_ms(), passed_ms = now - c->began_ms, silent_ms = now - c->heard_ms;
    bool told = c->whole && (c->phase == PHASE_LINGER || c->phase == PHASE_FREE);
    if (c->phase == PHASE_HEAD && passed_ms >= HEAD_MS) {
        say(c, 408, "no whole request came in ten seconds", NULL);
    } else if (c->phase == PHASE_BODY) {
        poll_body(c, passed_ms, silent_ms);
    } else if (c->phase == PHASE_ANSWER && silent_ms >= SILENT_MS) {
        (void)let_go(c, true);
    } else if (c->phase == PHASE_ANSWER) {
        connection_write(c);                    /* there may have been no room */
    } else if (c->phase == PHASE_LINGER && (silent_ms >= LINGER_MS || passed_ms >= LINGER_MOST_MS)) {
        (void)let_go(c, false);
    }
    return told;
}
