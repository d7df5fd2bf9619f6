/* SPDX-License-Identifier: MIT */
/* server.h - HTTP on port 80: as many connections as there is room for, of which one at a time brings an update. */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>

/* False where lwIP has no room for a listener. */
bool server_start(void);

/* Look at the clock of all connections, and reset once an update is complete and its client has been told. */
void server_poll(void);

#endif
