/* SPDX-License-Identifier: MIT */
/* prior.h - the states that the adaptive bits of a patch stream start from (spec/patch-models.toml).
 * Their numbers are kept packed, as a stream of their own with one tree (delta/prior.py): two thirds of what they are. */
#ifndef SPB_PRIOR_H
#define SPB_PRIOR_H

#include <stdint.h>

/* All SPB_DELTA_MODELS of them, in the order of memory. */
void spb_prior_unpack(uint16_t *models);

#endif
