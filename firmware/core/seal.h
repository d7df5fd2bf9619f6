/* SPDX-License-Identifier: MIT */
/* seal.h - code in an external SLOT1 is not there to be read: what is of the first part of an image is encrypted in it.
 * A key stream by the place in the image: the same bytes of the same image give the same bytes, whichever page of SLOT1 they
 * are kept in.  The header stays as it is: it has no secret, and names what to decrypt by.
 * The stream is that of Hashgen (NIST SP 800-90A 10.1.1.4) with SHA-256: of 55 bytes, which are secret, each a hash of one
 * block, and the last four of them count.  It needs no table, half of the stack of AES, and a third of its time (docs/decisions/0082).
 * N1  No two images share a key stream: the 55 bytes have a hash of the header, which has the hash of the image.
 * N2  What is read back is judged in plain, by a hash that was signed: encryption decides nothing. */
#ifndef SPB_SEAL_H
#define SPB_SEAL_H

#include "port.h"

/* The key stream of the image with this header, from now on. */
void spb_seal_open(const uint8_t header[SPB_HEADER_SIZE]);

/* Encrypt or decrypt the len bytes at off of an image's slot; those of its header and of a second part stay as they are. */
void spb_seal(uint32_t off, void *data, uint32_t len);

/* Forget key and stream. */
void spb_seal_close(void);

#endif
