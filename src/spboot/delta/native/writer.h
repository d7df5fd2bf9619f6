/* SPDX-License-Identifier: MIT */
/* writer.h - turns operations into a patch stream.
 * The decoder's own code runs, and for each of its steps the answers that it would find in the stream are prepared and
 * sent: contexts, models and the map of moves cannot differ from the decoder's. */
#ifndef SPB_WRITER_H
#define SPB_WRITER_H

#include "operation.h"
#include "sender.h"
#include "tally.h"

/* Send operations through s; tally (zeroed by the caller) learns what everything cost.  False: out of memory, or
 * operations that do not make NEW. */
bool spb_writer_run(const struct spb_pair *pair, const struct spb_operations *operations, struct spb_sender *s,
                    uint32_t (*counts)[2], struct spb_tally *tally);

/* How many models there are. */
uint32_t spb_writer_models(void);

#endif
