/* SPDX-License-Identifier: MIT */
/* fixed.c - what stands at fixed offsets: the ABI table, the gates, the room for personalisation.
 * A gate is eight bytes that every Cortex-M runs: ldr r3, [pc, #0]; bx r3; address.  No public function has a fourth
 * argument, so r3 is free. */
#include <stdint.h>

#include "spb_chip.h"
#include "spboot/spboot.h"

/* The build fills boot_size and self_hash in. */
struct abi_table {
    uint32_t magic;
    uint16_t version, gate_count;
    uint32_t boot_version, boot_size, target, vector_size;
    uint8_t self_hash[32];
    uint32_t personal_size;
    uint8_t update_format, stream_format, reserved[2];
};
_Static_assert(sizeof(struct abi_table) == SPB_ABI_SIZE, "as in the spec");

__attribute__((section(".abi"), used)) const struct abi_table spb_abi = {
    .magic = SPB_ABI_MAGIC,
    .version = SPB_ABI_VERSION,
    .gate_count = SPB_ABI_GATE_COUNT,
    .boot_version = SPB_BOOT_VERSION,
    .target = SPB_TARGET,
    .vector_size = SPB_VECTOR_SIZE,
    .personal_size = SPB_PERSONAL_SIZE,
    .update_format = SPB_FORMAT,
    .stream_format = SPB_DELTA_FORMAT,
};

struct gate {
    uint16_t load, branch;
    void (*target)(void);
};
_Static_assert(sizeof(struct gate) == SPB_ABI_GATE_STRIDE, "as in the spec");

#define GATE(function) {0x4B00, 0x4718, (void (*)(void))(function)},
__attribute__((section(".gates"), used, aligned(4))) const struct gate spb_gates[] = {SPB_ABI_GATES(GATE)};

__attribute__((section(".personal"), used, aligned(4))) const uint8_t spb_personal[SPB_PERSONAL_SIZE] = {0};
