/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <stddef.h>

#include "connection.h"
#include "console.h"
#include "intake.h"
#include "lwip/tcp.h"
#include "update.h"

#define PORT 80u
#define COUNT 5u
#define RESET_MS 1000u          /* for the answer to arrive */

static struct connection connections[COUNT];
static uint32_t told_ms;
static bool told;

static err_t on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *data, err_t err) {
    struct connection *c = arg;
    (void)err;
    if (data == NULL) {
        return connection_ended(c) ? ERR_ABRT : ERR_OK;
    }
    for (const struct pbuf *part = data; part != NULL; part = part->next) connection_take(c, part->payload, part->len);
    tcp_recved(pcb, data->tot_len);             /* the window opens once the engine has it */
    pbuf_free(data);
    return ERR_OK;
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t len) {
    struct connection *c = arg;
    (void)pcb;
    (void)len;
    if (c->phase == PHASE_ANSWER) {
        c->heard_ms = console_ms();
        connection_write(c);
    }
    return ERR_OK;
}

static void on_err(void *arg, err_t err) {
    (void)err;
    connection_gone(arg);
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err) {
    (void)arg;
    if (err != ERR_OK || pcb == NULL) return ERR_VAL;
    for (uint32_t i = 0; i < COUNT; i++) {
        struct connection *c = &connections[i];
        if (c->phase != PHASE_FREE || c->whole) continue;
        connection_start(c, pcb);
        tcp_arg(pcb, c);
        tcp_recv(pcb, on_recv);
        tcp_sent(pcb, on_sent);
        tcp_err(pcb, on_err);
        return ERR_OK;
    }
    tcp_abort(pcb);             /* whoever is left tries again */
    return ERR_ABRT;
}

bool server_start(void) {
    struct tcp_pcb *pcb = tcp_new();
    if (pcb == NULL || tcp_bind(pcb, IP_ADDR_ANY, PORT) != ERR_OK) return false;
    pcb = tcp_listen(pcb);
    if (pcb == NULL) return false;
    tcp_accept(pcb, on_accept);
    return true;
}

void server_poll(void) {
    for (uint32_t i = 0; i < COUNT; i++) {
        if (connection_poll(&connections[i]) && !told) {
            told = true;
            told_ms = console_ms();
        }
    }
    if (told && console_ms() - told_ms >= RESET_MS) update_reset();
}
