/* SPDX-License-Identifier: MIT */
/* reset_cause.c - why the chip starts.  Reset flags gather until somebody removes them, and they are the application's to
 * remove: what is named is every cause since then (decision 0038). */
#include "clock.h"
#include "power.h"

#define OTHER 1u
#define PIN 4u

const char *spb_clock_reset_cause(char *text) {
    const char *name = "other\0options\0pin\0power on\0software\0watchdog\0wwdg\0low power";
    char *to = text;
    uint32_t flags = spb_clock_reset_flags();
    if (spb_power_woke()) return "wake from Standby";
    if (flags != PIN) flags &= ~PIN; /* every other reset pulls the pin, too */
    if (flags == 0) flags = OTHER;
    for (; flags != 0; flags >>= 1) {
        do {
            *to = *name;
            to += flags & 1;
        } while (*name++ != '\0');
        if ((flags & 1) != 0) to[-1] = '/';
    }
    to[-1] = '\0';
    return text;
}

/* A wake sets no reset flag, and the flag of Standby outlives resets: where both are set, either may have come last.  In
 * doubt it is no wake. */
bool spb_power_woke(void) { return spb_clock_reset_flags() == 0 && spb_power_standby(); }
