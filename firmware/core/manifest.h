/* SPDX-License-Identifier: MIT */
/* manifest.h - the 76 bytes that describe an update, and the header they become in front of an installed image; 116 where
 * slots have two parts.
 * M1  After spb_manifest_shape() and spb_manifest_fits() every length in the manifest is safe to use on this device.
 * M2  Nothing but spb_header_verify() says that the signing key vouched for a manifest. */
#ifndef SPB_MANIFEST_H
#define SPB_MANIFEST_H

#include "bytes.h"
#include "p256.h"
#include "port.h"

/* A manifest stands at a multiple of four, as do its words. */
#define SPB_MANIFEST_U32(m, field) spb_word((m) + SPB_MANIFEST_OFF_##field)

/* Shape only: magic, format, kind, sizes that can be, reserved fields zero. */
SPB_CHECKED enum spb_status spb_manifest_shape(const uint8_t manifest[SPB_MANIFEST_SIZE]);

/* Product, board and image size fit this device. */
SPB_CHECKED enum spb_status spb_manifest_fits(const uint8_t manifest[SPB_MANIFEST_SIZE]);

/* Zero when product and board are ours; no branch decides (slot.h S2). */
uint32_t spb_manifest_misfit(const volatile uint8_t manifest[SPB_MANIFEST_SIZE]);

/* Zero unless the version at `version` in a manifest is below floor; no branch decides. */
uint32_t spb_manifest_below(const volatile uint8_t version[4], uint32_t floor);

/* The signature in a header covers its manifest and chunk hash. */
enum spb_verdict spb_header_verify(const uint8_t header[SPB_HEADER_SIZE], struct spb_p256_work *work);

#endif
