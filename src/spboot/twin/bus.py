"""The peripheral buses: which block answers, whether it is clocked, and whether the firmware is only waiting."""

from __future__ import annotations

import ctypes
from typing import Any, Final, NoReturn

from spboot.errors import SpbootError
from spboot.twin.block import Block
from spboot.twin.die import Die
from spboot.twin.errors import PowerCut
from spboot.twin.timeline import PS_PER_US

PERIPHERALS: Final = (0x40000000, 0x20000000)
EXTERNAL: Final = (0xA0000000, 0x2000)
"""Registers of the controllers of external memories, on some families."""
PRIVATE: Final = (0xE0000000, 0x100000)
REGISTERS: Final = (PERIPHERALS, EXTERNAL, PRIVATE)
"""(first address, bytes) of all that is no memory."""
_PERIPHERAL_BITS: Final = 0x42000000
_RAM_BITS: Final = 0x22000000
_BIT_SPACE: Final = 0x02000000

_POLLS: Final = 2
"""This many times the same instruction read the same again with all registers as before, which is a wait for something
that happens soon;"""
_LONG_POLLS: Final = 24
"""this many times, whatever the registers, a wait for anything,"""
_FLASH_POLLS: Final = 4
"""so many of a status of flash that is busy, which is a wait for flash;"""
_POLL_DISTANCE: Final = 100
"""when no more instructions than these lie between two of them.  Reads of one register by several instructions are no
wait: firmware may look at each flag of a status on its own, before it takes the byte that is there."""
_KEPT, _LINK, _PC = slice(16, 48), slice(52, 60), slice(60, 64)
"""Where R4 to R11, SP and LR, and the PC are in what `Core.general` returns."""
_SOON_PS: Final = 200 * PS_PER_US
_COUNT_STEP_PS: Final = 200 * PS_PER_US
"""Time goes on by this while firmware waits and reads a counter: for which moment, it alone knows.  The longer it
waits, the longer are the steps, so that it is late by three hundredths at most."""
_LATE: Final = 32
CLOCK_DELAY: Final = 2


class Bus:
    """Decodes accesses and refuses what silicon would not answer."""

    def __init__(self, die: Die) -> None:
        self.die = die
        self.blocks: dict[int, Block] = {}
        self._shared: dict[int, list[tuple[int, int, Block]]] = {}
        """Page with several blocks -> (first address, end, block), the most special first."""
        self._core = die.core
        self._bit_bands = die.chip.core == "cm4"
        """Only ARMv7-M of the M3 and M4 has them; elsewhere real blocks stand there."""
        self.accesses = 0
        """How many there were, stores to flash included."""
        self.enabled_until = 0
        """Up to this instruction a clock may be too young to use."""
        self._seen: dict[int, int] = {}
        self._states: dict[tuple[int, bytes], bytes] = {}
        """Address and PC of a read that said nothing new -> the registers then."""
        self._repeats = self._stills = 0
        self._feeds = 0
        self._feeding = False
        """The loop that waits feeds the watchdog: it did so before the time that was skipped last."""
        self._last = 0
        self._counted = -_POLL_DISTANCE
        self._step = _COUNT_STEP_PS
        for address, size in REGISTERS:
            die.core.mmio.map(address, size, self.read, self.write)

    def add(self, block: Block) -> None:
        """*block* answers in its pages of 1 KB."""
        for page in block.PAGES:
            self.blocks[(block.address >> 10) + page] = block

    def add_among(self, block: Block, size: int) -> None:
        """*block* answers in *size* bytes, which may be within a page of another block."""
        for page in range(block.address >> 10, (block.address + size - 1 >> 10) + 1):
            owners = self._shared.setdefault(page, [])
            if (owner := self.blocks.pop(page, None)) is not None:
                owners.append((page << 10, page + 1 << 10, owner))
            owners.insert(0, (block.address, block.address + size, block))

    def map_ram_bits(self, ram: ctypes.Array[ctypes.c_ubyte]) -> None:
        """The bit-band alias of the RAM at 0x20000000 (PM0214 2.2.5)."""

        def read(address: int, _size: int) -> int:
            bit = address - _RAM_BITS >> 2
            return ram[bit >> 3] >> (bit & 7) & 1

        def write(address: int, _size: int, value: int) -> None:
            bit = address - _RAM_BITS >> 2
            ram[bit >> 3] = ram[bit >> 3] & ~(1 << (bit & 7)) | (value & 1) << (bit & 7)

        self.die.core.mmio.map(_RAM_BITS, ctypes.sizeof(ram) * 32, read, write)

    def read(self, address: int, size: int) -> int:
        self.accesses += 1
        try:
            block = self.blocks.get(address >> 10)
            if block is None or not block.clocked or self._core.executed < self.enabled_until:
                if self._bit_bands and _PERIPHERAL_BITS <= address < _PERIPHERAL_BITS + _BIT_SPACE:
                    where, bit = self._bit(address)
                    block = self._block(where)
                    return block.read(where & 0x3FC, 4) >> bit & 1 if block else 0
                block = self._block(address)
                if block is None:
                    return 0
            offset = address - block.address
            if offset & (size - 1):
                self._refuse_unaligned(address, size)
            value = block.read(offset, size)
            if offset in block.CONSUMING:
                self.busy()
            elif offset in block.QUIET:
                self._counted = self._core.executed
            elif offset not in block.steady:
                self._note(address, value)
            return value
        except (SpbootError, PowerCut) as error:
            self.die.stop(error)
            return 0

    def write(self, address: int, size: int, value: int) -> None:
        self.accesses += 1
        try:
            block = self.blocks.get(address >> 10)
            if block is None or not block.clocked or self._core.executed < self.enabled_until:
                if self._bit_bands and _PERIPHERAL_BITS <= address < _PERIPHERAL_BITS + _BIT_SPACE:
                    self._write_bit(address, value)
                    return
                block = self._block(address)
                if block is None:
                    return
            offset = address - block.address
            if offset & (size - 1):
                self._refuse_unaligned(address, size)
            if offset not in block.QUIET:
                self.busy()
            block.write(offset, size, value)
        except (SpbootError, PowerCut) as error:
            self.die.stop(error)

    def _write_bit(self, address: int, value: int) -> None:
        where, bit = self._bit(address)
        block = self._block(where)
        if block is None:
            return
        old = block.read(where & 0x3FC, 4)
        block.write(where & 0x3FC, 4, old & ~(1 << bit) | (value & 1) << bit)

    def block_at(self, address: int) -> Block | None:
        """The block with *address*, clocked or not; None where there is none."""
        block = self.blocks.get(address >> 10)
        if block is not None:
            return block
        among = self._shared.get(address >> 10, ())
        return next((one for start, end, one in among if start <= address < end), None)

    def fetch(self, address: int, size: int) -> int | None:
        """What another master than the core reads; None where no block is."""
        block = self._for_master(address)
        if block is None:
            return None
        return block.read(address - block.address, size) if self._runs(block, address) else 0

    def put(self, address: int, size: int, value: int) -> bool:
        """Another master than the core writes; False where no block is."""
        block = self._for_master(address)
        if block is not None and self._runs(block, address):
            block.write(address - block.address, size, value)
        return block is not None

    def _for_master(self, address: int) -> Block | None:
        block = self.block_at(address)
        if block is None and self.die.chip.peripheral_at(address) is not None:
            self._refuse_stranger(address)
        return block

    def _block(self, address: int) -> Block | None:
        """The block that answers; None, after a warning at least, where none does without its clock."""
        block = self.block_at(address)
        if block is None:
            self._refuse_stranger(address)
        if not self._runs(block, address):
            return None
        self._check_delay(block)
        return block

    def _refuse_stranger(self, address: int) -> NoReturn:
        facts = self.die.chip.peripheral_at(address)
        if facts is None:
            self.die.refuse(
                f"access to {address:#010x}, where {self.die.chip.name} has no peripheral", "correct the address"
            )
        where = f"{facts.name} ({facts.address:#010x} + {address - facts.address:#x})"
        self.die.refuse(
            f"access to {where}, which the twin does not model",
            f"keep it silent (--silent {facts.name}), or add a model of your own (docs/twin.md)",
        )

    def _runs(self, block: Block, address: int) -> bool:
        """Whether *block* has its clock.  Without, it reads as 0 and takes nothing (RM0351 6.2.18)."""
        if block.clocked:
            return True
        offset = address - block.address
        name = block.names.get(offset & ~3, f"offset {offset:#x}")
        how = "start that of a block which it serves first"
        if block.gate is not None:
            how = f"set bit {block.gate[1].bit_length() - 1} of RCC_{block.gate[0]} first"
        self.die.forbid(f"{block.name}_{name} accessed while the clock of {block.name} is off", how)
        return False

    def _check_delay(self, block: Block) -> None:
        rcc = self.die.rcc
        register = block.gate[0] if block.gate else ""
        if self.die.core.executed - rcc.enabled_at.get(register, -9) < CLOCK_DELAY:
            self.die.forbid(
                f"{block.name} accessed by the instruction right after RCC_{register} was written",
                "read the enable register back first (RM0351 6.2.18)",
            )

    def _bit(self, address: int) -> tuple[int, int]:
        """Byte address and bit behind an address of the peripheral bit-band alias (PM0214 2.2.5)."""
        number = address - _PERIPHERAL_BITS >> 2
        byte = PERIPHERALS[0] + (number >> 3)
        return byte & ~3, number & 7 | (byte & 3) << 3

    def _refuse_unaligned(self, address: int, size: int) -> NoReturn:
        self.die.refuse(f"unaligned {size}-byte access to the peripheral at {address:#010x}", "align it")

    def save(self) -> Any:
        counters = self._repeats, self._stills, self._feeds, self._feeding, self._last, self._counted, self._step
        return dict(self._seen), dict(self._states), counters, self.enabled_until

    def load(self, state: Any) -> None:
        seen, states, counters, self.enabled_until = state
        self._repeats, self._stills, self._feeds, self._feeding, self._last, self._counted, self._step = counters
        self._seen, self._states = dict(seen), dict(states)

    def _soon(self) -> bool:
        timeline = self.die.timeline
        return timeline.next_due - timeline.now < _SOON_PS

    def _of_flash(self, address: int) -> bool:
        """It is a register of the controller of flash, which is busy."""
        flash = self.die.flash_controller
        return flash.busy and isinstance(flash, Block) and address - flash.address in flash.names

    def busy(self) -> None:
        """The firmware did something: what was read before says nothing any more about waiting."""
        self._seen.clear()
        self._begin()
        self._step = _COUNT_STEP_PS

    def _begin(self) -> None:
        """The next wait is another one than the last."""
        self._states.clear()
        self._repeats = self._stills = self._feeds = 0
        self._feeding = False

    def fed(self) -> None:
        """The watchdog was fed."""
        self._feeds += 1

    def _note(self, address: int, value: int) -> None:
        """Keep in mind what was read; the same again and again, close together, is a wait."""
        executed = self._core.executed
        if executed - self._last > _POLL_DISTANCE or len(self._seen) > 6:
            self.busy()
        self._last = executed
        if self._seen.get(address) == value:
            counting = executed - self._counted < _POLL_DISTANCE
            self._compare(address, counting)
            patience = _FLASH_POLLS if self._of_flash(address) else _LONG_POLLS
            starving = self._feeding and not self._feeds
            if self._repeats >= (2 * patience if starving else patience) or (self._stills >= _POLLS and self._soon()):
                self._feeding = self._feeds > (not self._feeding)
                self._repeats, self._stills, self._feeds = patience - _POLLS, 0, 0  # what goes on is the same wait
                counting = counting and not self.die.flash_controller.busy
                self.die.wait(self._step if counting else None, feeding=self._feeding)
                self._step += self._step // _LATE
        else:
            self._seen[address] = value
            self._begin()

    def _compare(self, address: int, counting: bool) -> None:
        """Whether the instruction that reads did so before, and what changed in the core since then.  In a loop that
        reads a *counting* register, the registers that any function may change are as good as changed."""
        registers = self._core.general()
        place, state = (address, registers[_PC]), registers[_KEPT] + registers[_LINK] if counting else registers
        before = self._states.get(place)
        self._states[place] = state
        if before is not None:
            self._repeats += 1
            self._stills += before == state
