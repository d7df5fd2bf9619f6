/* SPDX-License-Identifier: MIT */
/* connection.h - one HTTP connection: a request, an answer, and its end (RFC 9112).  Strangers are at its other side.
 *  H1  Nothing waits: a connection that is silent, too slow, or longer than its request allows is ended.
 *  H2  An answer leaves whole before the connection ends; what still comes meanwhile is passed over.
 *  H3  Whoever sends an update and goes away gives its place to the next one. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "multipart.h"
#include "request.h"

struct pbuf;
struct tcp_pcb;

enum phase { PHASE_FREE, PHASE_HEAD, PHASE_BODY, PHASE_ANSWER, PHASE_LINGER };

struct connection {
    struct tcp_pcb *pcb;        /* 0 once lwIP has ended it */
    enum phase phase;
    bool uploads;               /* the update that is under way is its */
    bool whole;                 /* the answer is that an update is installed at the next reset */
    uint32_t came;              /* bytes of the body */
    uint32_t began_ms, heard_ms;        /* this phase began; the other side did something */
    struct request request;
    struct multipart parts;
    char head[256];
    char body[512];
    struct {
        const char *at;
        uint32_t left;
        bool stays;             /* it is in flash, and lwIP need not copy it */
    } out[2];                   /* of the answer: head and body */
};

/* A client has connected. */
void connection_start(struct connection *c, struct tcp_pcb *pcb);

/* Bytes came, which may be none. */
void connection_take(struct connection *c, const uint8_t *bytes, uint32_t len);

/* Write as much of the answer as the other side can take. */
void connection_write(struct connection *c);

/* The other side sends no more: true where the pcb is gone by that, which lwIP has to be told (ERR_ABRT).  Or it is gone
 * altogether, with its pcb. */
bool connection_ended(struct connection *c);
void connection_gone(struct connection *c);

/* Look at the clock.  True: an update is to be installed, and its client has been told. */
bool connection_poll(struct connection *c);

#endif
