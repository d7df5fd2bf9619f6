/* SPDX-License-Identifier: MIT */
/* reg.h - access to memory-mapped registers.  Offsets and bits come from the generated chip header. */
#ifndef SPB_REG_H
#define SPB_REG_H

#include <stdint.h>

static inline uint32_t reg_read(uint32_t address) { return *(volatile uint32_t *)address; }

static inline void reg_write(uint32_t address, uint32_t value) { *(volatile uint32_t *)address = value; }

static inline void reg_set(uint32_t address, uint32_t bits) { reg_write(address, reg_read(address) | bits); }

static inline void reg_clear(uint32_t address, uint32_t bits) { reg_write(address, reg_read(address) & ~bits); }

/* Replace the bits under mask. */
static inline void reg_modify(uint32_t address, uint32_t mask, uint32_t value) {
    reg_write(address, (reg_read(address) & ~mask) | value);
}

/* A reset register, for a moment: nothing else is held in reset while the bootloader runs. */
static inline void reg_pulse(uint32_t address, uint32_t bits) {
    reg_write(address, bits);
    reg_write(address, 0);
}

/* Until the bits under mask read as value. */
static inline void reg_wait(uint32_t address, uint32_t mask, uint32_t value) {
    while ((reg_read(address) & mask) != value) {}
}

#endif
