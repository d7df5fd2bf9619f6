/* SPDX-License-Identifier: MIT */
#include "flash.h"

#include <stddef.h>

#include "port.h"

static bool inside(const struct spb_area *area, uint32_t off, uint32_t len) {
    return off <= area->size && len <= area->size - off;
}

bool spb_area_writable(const struct spb_area *area) { return spb_port.writable(area->base, area->size); }

enum spb_status spb_area_erase(const struct spb_area *area, uint32_t off, uint32_t len) {
    enum spb_status status = inside(area, off, len) ? SPB_OK : SPB_E_SECTION_ERASE_FAILURE;
    for (uint32_t at = 0; status == SPB_OK && at < len; at += area->erase_unit) {
        status = spb_port.flash->erase(area->base + off + at);
        spb_port.alive();
    }
    return status;
}

enum spb_status spb_area_program(const struct spb_area *area, uint32_t off, const uint8_t *data, uint32_t len) {
    enum spb_status status = inside(area, off, len) ? SPB_OK : SPB_E_SECTION_WRITE_FAILURE;
    for (uint32_t at = 0; status == SPB_OK && at < len; at += SPB_ALIVE_EVERY) {
        uint32_t step = len - at < SPB_ALIVE_EVERY ? len - at : SPB_ALIVE_EVERY;
        if (at > 0) spb_port.alive();
        status = spb_port.flash->program(area->base + off + at, data + at, step);
    }
    return status;
}

const uint8_t *spb_area_map(const struct spb_area *area, uint32_t off, uint32_t len) {
    return inside(area, off, len) ? spb_port.flash->map(area->base + off) : NULL;
}

bool spb_area_read(const struct spb_area *area, uint32_t off, uint32_t *to, uint32_t len) {
    return len > 0 && inside(area, off, len) && spb_port.flash->read(area->base + off, to, len);
}
