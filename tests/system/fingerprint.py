"""The state of a boot as one number: two boots with the same one go on in the same way."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Final

from unicorn import arm_const as arm

from spboot.twin.nor.chip import NorChip
from tests.system.rig import Rig

_REGISTERS: Final = (*(arm.UC_ARM_REG_R0 + n for n in range(13)), arm.UC_ARM_REG_SP, arm.UC_ARM_REG_LR)
_ABOVE: Final = 0x400
"""Bytes above the reserved RAM that the bootloader uses, too."""


def fingerprint(rig: Rig, but: Sequence[int]) -> int | None:
    """All that the boot goes on from: registers, RAM down to the stack pointer, peripherals, what was done to flash.

    *but*: words that tell the time, which a skipped instruction changes a little for ever."""
    core, twin = rig.twin.core, rig.twin
    area = rig.board.ram
    stack = core.get(arm.UC_ARM_REG_SP)
    base = next(a for a, ram in twin.rams.buffers.items() if a <= area.address < a + ctypes.sizeof(ram))
    if not area.address <= stack <= area.end:
        return None
    live = bytearray(
        ctypes.string_at(ctypes.addressof(twin.rams.buffers[base]) + stack - base, area.end + _ABOVE - stack)
    )
    for word in but:
        live[word - stack : word - stack + 4] = bytes(4)
    registers = tuple(core.get(register) for register in _REGISTERS)
    flags = core.get(arm.UC_ARM_REG_XPSR) & 0xF80001FF
    blocks = tuple(
        tuple(block.registers.values())
        for name, block in twin.blocks.items()
        if "USART" not in name and "UART" not in name and not name.startswith("TIM")
    )
    done = tuple((op.kind, op.address, op.data) for op in twin.log)
    outside = tuple(_state(chip) for package in twin.external.values() for chip in package.chips)
    return hash((core.pc, registers, flags, bytes(live), blocks, done, outside))


def _state(chip: NorChip) -> tuple[object, ...]:
    """What a chip of external flash goes on from, beside its cells."""
    modes = chip.protocol, chip.address_bytes, chip.write_enabled, chip.asleep
    failed = tuple(sorted(chip.failed))
    return *chip.registers.values(), *modes, failed, chip.continuing, chip.busy, chip.suspended is None
