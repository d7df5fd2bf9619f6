/* SPDX-License-Identifier: MIT */
#include "sources.h"

#include <string.h>

#include "console.h"
#include "line.h"
#include "port.h"
#include "stick.h"

enum state { NO_USB, EMPTY, OPENED, SPENT };

static struct spb_stick stick __attribute__((section(".bootram")));
static struct {
    enum state state;
    bool light, by_stick;
} s __attribute__((section(".bootram")));

void spb_sources_start(void) {
    memset(&stick, 0, sizeof stick);
    enum spb_text trouble = spb_disk_start();
    s.state = trouble == SPB_TEXT_NONE ? EMPTY : NO_USB;
    s.by_stick = false;
    if (trouble != SPB_TEXT_NONE) spb_console_put_line(trouble);
}

void spb_sources_stop(void) { spb_disk_stop(); }

bool spb_sources_by_stick(void) { return s.by_stick; }

/* S2 */
static bool anew(void) {
    bool present = s.state != NO_USB && spb_disk_present();
    if (!present && s.state > EMPTY) {
        spb_sources_stop();
        spb_sources_start();
    }
    return present && s.state != SPENT;
}

/* What waits for a sender gives way to it. */
bool spb_source_elsewhere(void) {
    s.light = !s.light;
    spb_show_light(s.light);
    return anew();
}

static enum spb_source_end look(bool active) {
    enum spb_source_end end = SPB_SOURCE_NONE;
    if (!anew()) return end;
    if (s.state == EMPTY) {
        enum spb_text trouble = spb_disk_open();
        s.state = trouble == SPB_TEXT_NONE ? OPENED : SPENT;
        if (trouble != SPB_TEXT_NONE) spb_console_put_line(trouble);
        else spb_console_log("USB stick: %s, %u MB", spb_disk_name(), spb_disk_sectors() / 2048u);
    }
    if (s.state == OPENED) end = spb_stick_receive(&stick, active);
    if (end == SPB_SOURCE_NONE) s.state = SPENT;
    s.by_stick = end != SPB_SOURCE_NONE;
    return end;
}

enum spb_source_end spb_sources_receive(bool active) {
    for (uint32_t start = spb_line_ms(), gone = 0; gone < SPB_SOURCES_CALLS; gone = (spb_line_ms() - start) / 1000u) {
        enum spb_source_end end = look(active);
        if (end == SPB_SOURCE_NONE) end = spb_ymodem_receive(SPB_SOURCES_CALLS - gone);
        if (end != SPB_SOURCE_NONE) return end;
    }
    return SPB_SOURCE_NONE;
}

enum spb_source_end spb_sources_look(uint32_t wait_ms, bool active) {
    uint32_t start = spb_line_ms();
    stick.unasked = true;
    while (s.state == EMPTY && !spb_disk_present() && spb_line_ms() - start < wait_ms) spb_port.alive();
    return look(active);
}
