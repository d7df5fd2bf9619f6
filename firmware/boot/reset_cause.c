/* SPDX-License-Identifier: MIT */
/* reset_cause.c - reset flags gather until somebody removes them, and they are the application's to remove: what is named
 * is every cause since then (decision 0038). */
#include "reset_cause.h"

#include "clock.h"
#include "power.h"
#include "sentence.h"

#define OTHER 1u
#define PIN 4u
#define WOKE 0x100u     /* behind the reset flags of clock.h */

const char *spb_reset_causes(char *text) {
    struct spb_sentence names;
    char *to = text;
    uint32_t flags = spb_clock_reset_flags();
    if (spb_power_woke()) flags = WOKE;
    if (flags != PIN) flags &= ~PIN; /* every other reset pulls the pin, too */
    if (flags == 0) flags = OTHER;
    spb_sentence_open(&names, TEXT("other/options/pin/power on/software/watchdog/wwdg/low power/Standby/"));
    for (; flags != 0; flags >>= 1) {
        char letter;
        do {
            *to = letter = spb_sentence_next(&names);
            to += flags & 1;
        } while (letter != '/');
    }
    to[-1] = '\0';
    return text;
}
