/* SPDX-License-Identifier: MIT */
/* status.h - how core functions answer.
 * enum spb_status is generated from [status] of the spec: SPB_OK, and SPB_E_<NAME> = the number that the public API
 * and the documents use, so that one list of numbers and sentences serves the chip, the UART and the host.
 * Trust is not a status: enum spb_verdict has two values far apart in Hamming distance.  Callers compare with GOOD:
 * everything else is bad, and a verdict disturbed on its way is something else. */
#ifndef SPB_STATUS_H
#define SPB_STATUS_H

#include <stdint.h>

#include "spb_spec.h"

#define SPB_CHECKED __attribute__((warn_unused_result))

enum spb_verdict { SPB_GOOD = 0x3CA5965A, SPB_BAD = 0x43DA69A5 };

#endif
