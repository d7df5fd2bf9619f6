"""The flash chips at one controller: one, or two in parallel of which the first has the even bytes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from spboot.chips.external import External
from spboot.chips.nor_flash import Command
from spboot.twin.die import Die
from spboot.twin.nor.cells import SparseCells
from spboot.twin.nor.chip import NorChip
from spboot.twin.nor.frame import Frame
from spboot.twin.nor.operation import Effect, Operation
from spboot.twin.nor.stale import Stale
from spboot.twin.timeline import NEVER, PS_PER_US

Commands = list[Command | None]
"""What each chip makes of a frame."""


class Package:
    """All of them, with the cells that the core sees at *address*."""

    def __init__(self, die: Die, external: External, address: int) -> None:
        self._die = die
        self.external = external
        self.count = external.count
        sector = external.chip.sector * self.count
        self.cells = SparseCells(die.log, address, external.size, sector, die.seed)
        self.stale = Stale(die)
        self.chips = [NorChip(die, external.chip, number, self._read) for number in range(self.count)]

    @property
    def size(self) -> int:
        """Bytes of all chips."""
        return self.cells.size

    def _read(self, number: int, start: int, size: int) -> bytes:
        """What chip *number* finds in its cells."""
        whole = self.cells.sense(self.cells.address + start * self.count, size * self.count)
        return whole[number :: self.count]

    def _local(self, frame: Frame) -> Frame:
        """*frame* as each chip gets it."""
        return replace(frame, address=frame.address // self.count) if self.count > 1 else frame

    # frames

    def select(self, frame: Frame) -> Commands:
        """What *frame* is to each chip.  Raises TwinError for what goes wrong on silicon."""
        mine = self._local(frame)
        return [chip.select(mine) for chip in self.chips]

    def answer(self, commands: Commands, frame: Frame, first: int, count: int) -> bytes:
        """Bytes of the data phase from *first* on, as the chips drive them now."""
        mine = self._local(frame)
        if self.count == 1:
            return self.chips[0].answer(commands[0], mine, first, count)
        low, high = first // 2, (first + count + 1) // 2
        whole = bytearray(2 * (high - low))
        for chip, command in zip(self.chips, commands, strict=True):
            whole[chip.number :: 2] = chip.answer(command, mine, low, high - low)
        return bytes(whole[first - 2 * low : first - 2 * low + count])

    def check_read(self, offset: int, size: int) -> None:
        """The core reads so many bytes from *offset* on.  Raises TwinError where chips do not answer."""
        for chip in self.chips:
            chip.check_read(offset // self.count, -(-size // self.count))

    def suspended_in(self, offset: int, size: int) -> bool:
        """Whether some of these bytes are in an operation that is suspended."""
        found = [chip.suspended for chip in self.chips if chip.suspended is not None]
        return any(each.meets(offset // self.count, size // self.count) for each in found)

    def finish(self, commands: Commands, frame: Frame, data: bytes) -> None:
        """The frame ends behind *data*, which was written.  Raises TwinError, PowerCut."""
        mine = self._local(frame)
        effects, resets = [], []
        for chip, command in zip(self.chips, commands, strict=True):
            if command is not None and command.does == "reset":
                resets.append(chip)
            elif (effect := chip.finish(command, mine, data[chip.number :: self.count])) is not None:
                effects.append((chip, effect))
        self._restart(resets)
        if effects:
            self._perform(effects)

    def _perform(self, effects: list[tuple[NorChip, Effect]]) -> None:
        """One operation of all chips that have something to do."""
        count, base = self.count, self.cells.address
        low = min(effect.start for _, effect in effects)
        high = max(effect.start + len(effect.new) for _, effect in effects)
        old = self.cells.get(base + low * count, (high - low) * count)
        new = bytearray(old)
        for chip, effect in effects:
            place = (effect.start - low) * count + chip.number
            new[place : place + len(effect.new) * count - chip.number : count] = effect.new
        kind, span = effects[0][1].kind, max(effect.span for _, effect in effects)
        whole = bytes(new)
        self._die.log.busy_ps += span
        self.stale.changed(base + low * count, len(whole))
        done = self.cells.perform(kind, base + low * count, whole)
        operation = Operation(
            kind=kind, start=low, size=high - low, address=base + low * count, old=old, new=whole,
            since=self._die.timeline.now, left=span,
        )  # fmt: skip
        for chip, _ in effects:
            chip.running = operation
            chip.failed |= set() if done else {f"{kind}_failed"}

    # resets

    def _restart(self, chips: list[NorChip]) -> None:
        """By their reset command or pin; what they were doing is torn."""
        cut = {each.kind for chip in chips for each in self._unfinished(chip)}
        for chip in chips:
            span = chip.facts.times.reset_from_erase if "erase" in cut else chip.facts.times.reset
            self._tear(chip)
            chip.restart(self._die.timeline.now + span[self._die.flash.ageing.slow] * PS_PER_US)

    def _unfinished(self, chip: NorChip) -> list[Operation]:
        chip.settle()
        return [each for each in (chip.running, chip.suspended) if each is not None]

    def _tear(self, chip: NorChip) -> None:
        for operation in self._unfinished(chip):
            self.cells.tear(operation.kind, operation.address, operation.old, operation.new)
            for other in self.chips:  # the same one of all of them, torn once
                other.running = None if other.running is operation else other.running
                other.suspended = None if other.suspended is operation else other.suspended

    def power_on(self) -> None:
        """The supply was off: operations under way are torn, and all is as after power-on."""
        for chip in self.chips:
            self._tear(chip)
            chip.restart(0)

    def reset(self) -> None:
        """The microcontroller was reset, which only a chip notices whose reset pin is connected."""
        if self.external.reset:
            self._restart(self.chips)

    # state

    @property
    def busy(self) -> bool:
        """Whether one of them is."""
        return any(chip.busy for chip in self.chips)

    @property
    def next_change(self) -> int:
        """When the status of one of them changes by itself."""
        return min((chip.next_change for chip in self.chips), default=NEVER)

    def save(self) -> Any:
        operations: list[Operation] = []
        places = []
        for chip in self.chips:
            for each in (chip.running, chip.suspended):
                if each is not None and each not in operations:
                    operations.append(each)
                places.append(None if each is None else operations.index(each))
        kept = self.cells.save(), self.stale.save()
        return kept, [chip.save() for chip in self.chips], [o.save() for o in operations], places

    def load(self, state: Any) -> None:
        (cells, stale), chips, operations, places = state
        self.cells.load(cells)
        self.stale.load(stale)
        known = [Operation(**values) for values in operations]
        found = [None if place is None else known[place] for place in places]
        for chip, saved in zip(self.chips, chips, strict=True):
            chip.load(saved)
            chip.running, chip.suspended = found[2 * chip.number : 2 * chip.number + 2]

    # files

    def stored(self) -> dict[str, Any]:
        """What outlives the power beside the cells, for a file: kept registers of each chip, marginal bits, wear."""
        kept = [name for name, register in self.external.chip.registers.items() if register.kept]
        return {
            "chip": self.external.chip.name,
            "registers": [{name: chip.registers[name] for name in kept} for chip in self.chips],
            "frail": self.cells.frail.save(),
            "wear": sorted(self.cells.wear.items()),
        }

    def restore(self, facts: dict[str, Any]) -> None:
        """Back to what `stored` returned.  Raises KeyError, TypeError or ValueError where it is none of that."""
        if facts["chip"] != self.external.chip.name:
            raise ValueError(f"external flash {facts['chip']}, expected {self.external.chip.name}")
        for chip, registers in zip(self.chips, facts["registers"], strict=True):
            chip.registers |= {name: int(value) for name, value in registers.items() if name in chip.registers}
        self.cells.frail.load(facts["frail"])
        self.cells.wear = {int(sector): int(count) for sector, count in facts["wear"]}
