"""The flash chips outside of a microcontroller, as a board has them: which, at which controller, on which pins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from spboot.chips import Block, Chip, Memory, nor_flash
from spboot.chips.nor_flash import NorFlash
from spboot.errors import BoardError

EXTERNAL: Final = "external"
"""The kind of memory that these chips are."""
CONTROLLER: Final = re.compile(r"(QUADSPI|OCTOSPI)\d?")
"""Names of those that external flash can be at."""
_KEYS: Final = frozenset({"controller", "chip", "chips", "port", "pins", "reset", "share", "verify"})
VERIFY: Final = ("boot", "install")
"""When the part of an image in these chips is verified: at each boot, or when it is written alone."""
SHARE: Final = ("calls", "slices")
"""How a running application and an update take turns with these chips: for a whole operation, or for milliseconds."""
_PORTED: Final = "OCTOSPIM"
"""Where it exists the pins are its, by port."""
_MOST: Final = 2
_LINES: Final = 4
"""Of one chip at a QUADSPI."""
SIGNALS: Final = ("CLK", "NCS", *(f"IO{line}" for line in range(8)), "DQS")
"""What pins can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """Flash at one controller.  With two chips they are in parallel: even bytes are in the first one.

    *pins*: signal, as "CLK", "NCS", "IO0" and "IO4" (those of the second chip where there are two), -> (pin, alternate
    function).  *port* is that of the IO manager.  *reset*: the chip's reset pin is that of the microcontroller."""

    controller: str
    chip: NorFlash
    count: int
    pins: Mapping[str, tuple[str, int]]
    port: int
    reset: bool
    address: int
    """Where the core sees the first byte."""
    verify: str = VERIFY[0]
    share: str = SHARE[0]

    @property
    def size(self) -> int:
        """Bytes of all chips."""
        return self.chip.size * self.count

    @property
    def block(self) -> int:
        """Bytes of all chips that one command erases in less time than sectors take, `NorFlash.block`; 0: none."""
        return self.chip.block(self.count) * self.count

    @property
    def memory(self) -> Memory:
        """What it is to whoever asks for the memory at an address: two chips in parallel are erased together."""
        unit = self.chip.sector * self.count
        return Memory(
            name=self.controller, kind=EXTERNAL, address=self.address, size=self.size, bank=0, erase_unit=unit,
            program_unit=self.count, protect_unit=unit, erased=0xFF,
        )  # fmt: skip

    @classmethod
    def parse(cls, table: Mapping[str, Any], part: Chip, folder: Path | None = None) -> External:
        """What the table `external` of a board file says; *folder* is that of the file.

        Raises BoardError for keys that are unknown or missing, and for pins that cannot have their signal."""
        if unknown := sorted(table.keys() - _KEYS):
            raise BoardError(f"external.{unknown[0]}: unknown, expected {', '.join(sorted(_KEYS))}")
        controller, name, given = (table.get(key) for key in ("controller", "chip", "pins"))
        if not isinstance(controller, str) or not CONTROLLER.fullmatch(controller):
            raise BoardError(f"external.controller: {controller!r}, expected one as QUADSPI or OCTOSPI1")
        part.block(controller)
        if not isinstance(name, str):
            raise BoardError(f"external.chip: {name!r}, expected one of {', '.join(nor_flash.names())}")
        count, port = table.get("chips", 1), table.get("port", 1)
        if count not in range(1, _MOST + 1) or port not in (1, 2):
            raise BoardError(f"external: chips {count!r} and port {port!r}, expected 1 or 2 of each")
        if not isinstance(given, Mapping):
            raise BoardError('external.pins: expected the pin of each signal, as { CLK = "PE10", NCS = "PE11" }')
        if not isinstance(reset := table.get("reset", False), bool):
            raise BoardError(f"external.reset: {reset!r}, expected true where the reset pin is that of the part")
        chip = nor_flash.load(name, folder)
        pins = {signal: cls._pin(part, controller, signal, pin, port) for signal, pin in given.items()}
        cls._check(chip, pins, count)
        if (verify := table.get("verify", VERIFY[0])) not in VERIFY:
            raise BoardError(f"external.verify: {verify!r}, expected {' or '.join(map(repr, VERIFY))}")
        if (share := table.get("share", SHARE[0])) not in SHARE:
            raise BoardError(f"external.share: {share!r}, expected {' or '.join(map(repr, SHARE))}")
        return cls(
            controller=controller, chip=chip, count=count, pins=pins, port=port, reset=reset,
            address=part.window_of(controller).start, verify=verify, share=share,
        )  # fmt: skip

    @staticmethod
    def _pin(part: Chip, controller: str, signal: str, pin: str, port: int) -> tuple[str, int]:
        """*pin* with the alternate function that makes it *signal*, whatever the facts call that."""
        block, name = signal_of(part, controller, signal, port)
        return pin, block.alternate(pin, name)

    @staticmethod
    def _check(chip: NorFlash, pins: Mapping[str, tuple[str, int]], count: int) -> None:
        """Two chips need all eight lines, one needs two at least."""
        lines = {"CLK", "NCS", *(f"IO{line}" for line in range(8 if count == _MOST else 2))}
        if missing := sorted(lines - pins.keys()):
            raise BoardError(f"external.pins: no {', '.join(missing)}; {count} of {chip.name} need them")


def signal_of(part: Chip, controller: str, signal: str, port: int = 1) -> tuple[Block, str]:
    """The block of *part* that has the pins of *controller*, and what the facts call *signal* there.

    Raises BoardError: there is no such signal."""
    if signal not in SIGNALS:
        raise BoardError(f"external.pins.{signal}: unknown, expected {', '.join(SIGNALS)}")
    if controller.startswith("QUADSPI"):
        if signal == "CLK":
            return part.block(controller), signal
        second = signal.startswith("IO") and int(signal[2:]) >= _LINES
        return part.block(controller), f"BK2_IO{int(signal[2:]) - _LINES}" if second else f"BK1_{signal}"
    if _PORTED in part.blocks:
        return part.block(_PORTED), f"P{port}_{signal}"
    return part.block(controller), signal
