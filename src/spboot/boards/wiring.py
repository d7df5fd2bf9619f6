"""The pins of external flash for a new board: those that are named, and those that can be no others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spboot.chips import Chip
from spboot.chips.external import External, signal_of
from spboot.errors import BoardError


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What a user says of external flash: *count* chips at a controller, at *port* of an IO manager, with some *pins*,
    and *slot0*, bytes of it that are the second part of SLOT0."""

    controller: str
    chip: str
    count: int = 1
    port: int = 1
    pins: Mapping[str, str]
    slot0: int = 0

    def external(self, part: Chip, taken: Iterable[str], folder: Path) -> External:
        """The flash, with a pin for each line: of those that are not named, the only one that is not *taken*.

        Raises BoardError: several pins can have a signal, or none; and what `External.parse` refuses."""
        part.block(self.controller)
        used = {*taken, *self.pins.values()}
        found: dict[str, str] = dict(self.pins)
        open_: list[str] = []
        for signal in self._signals():
            if signal in found:
                continue
            free = [pin for pin in self._candidates(part, signal) if pin not in used]
            if len(free) == 1:
                found[signal] = free[0]
            else:
                open_.append(f"{signal} ({' or '.join(free) or 'no free pin'})")
        if open_:
            raise BoardError(
                f"{part.name}: {self.controller} can have several pins for {', '.join(open_)}: name those of the "
                "board's schematic, as --external-pins CLK=PE10,NCS=PE11"
            )
        table: dict[str, Any] = {"controller": self.controller, "chip": self.chip, "pins": found}
        return External.parse({**table, "chips": self.count, "port": self.port}, part, folder)

    def _signals(self) -> tuple[str, ...]:
        return ("CLK", "NCS", *(f"IO{line}" for line in range(4 * self.count)))

    def _candidates(self, part: Chip, signal: str) -> list[str]:
        block, name = signal_of(part, self.controller, signal, self.port)
        return list(dict.fromkeys(pin for pin, role, _ in block.pins if role == name))


def lines(external: External, chip: str) -> Iterator[str]:
    """The tables of a board file; *chip* is what it calls the chip."""
    yield from ("", "[external]", f'controller = "{external.controller}"', f'chip = "{chip}"')
    if external.count > 1:
        yield f"chips = {external.count}"
    if external.port > 1:
        yield f"port = {external.port}"
    yield from ("", "[external.pins]")
    yield from (f'{signal} = "{pin}"' for signal, (pin, _) in external.pins.items())
