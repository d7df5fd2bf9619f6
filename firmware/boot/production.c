/* SPDX-License-Identifier: MIT */
/* production.c - see production.h.
 * K1  Nothing is protected with development keys, and nothing starts with them.
 * K2  Nothing starts, and no update is taken, on a chip with less protection than this bootloader was built for.
 * K3  After a boot that set it and a reset, one that finds it missing stops: option bytes are not programmed for ever. */
#include "production.h"

#include "console.h"
#include "cortex.h"
#include "device.h"
#include "internal_flash.h"
#include "note.h"
#include "options.h"
#include "port.h"
#include "tick.h"
#include "usart.h"

/* A supply that comes and goes as it is plugged in is over by then: a cut may not meet what follows. */
#define STEADY_MS 1000u

/* Where a cut met option bytes, what the chip made of them may be in the way of updates. */
static bool usable(void) {
    if (spb_flash_problem() != SPB_TEXT_NONE || !spb_area_writable(&spb_slot0)) return false;
    return SPB_SINGLE_SLOT || (spb_area_writable(&spb_slot1) && spb_area_writable(&spb_journal));
}

static bool kept(void) {
    uint32_t level = SPB_PRODUCTION_LEVEL;
    if (spb_flash_protection() < level || !spb_flash_write_protected()) return false;
    return !spb_options_torn() || usable();
}

enum spb_text spb_production(uint32_t note) {
    uint32_t flags = spb_word(spb_port.personal + SPB_PERSONAL_OFF_FLAGS);
    if (flags & SPB_PERSONAL_FLAG_DEVELOPMENT) {
        return TEXT("built for production, with development keys: it protects nothing and starts nothing");
    }
    if (kept()) return SPB_TEXT_NONE;
    if (note == SPB_NOTE_OPTIONS) return TEXT("option bytes do not take the protection that this bootloader was built for");
    spb_console_log("option bytes: setting read level %u, write on; keep the power on", SPB_PRODUCTION_LEVEL);
    for (uint32_t now; (now = spb_tick_ms()) < STEADY_MS;) (void)spb_line_get(STEADY_MS - now);
    spb_note_write(SPB_NOTE_OPTIONS);
    spb_line_flush();
    enum spb_text why = spb_options_protect();
    if (why != SPB_TEXT_NONE) return why;
    spb_usart_stop();
    spb_cortex_reset();
}
