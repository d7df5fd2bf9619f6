"""What a bootloader for production does to option bytes, tried on the twin before it does it to a device."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from spboot.boards import Board
from spboot.builder import merge
from spboot.builder.bootloader import Bootloader, needed
from spboot.device.device import Device
from spboot.disk import read

if TYPE_CHECKING:
    from spboot.twin import Twin

_SECONDS: Final = 20.0
_STARTED: Final = b"no valid firmware in SLOT0"
"""What a bootloader without an application says when it has done all that comes before."""
_PROTECTS: Final = ("WRP", "nW")
"""How the fields of write protection begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A field of option bytes, with its register, and its value before the first boot and after it."""

    register: str
    field: str
    before: int
    after: int

    @property
    def changed(self) -> bool:
        """Whether the bootloader changes it."""
        return self.before != self.after

    def __str__(self) -> str:
        return f"{self.register}.{self.field}: {self.before:#x} -> {self.after:#x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What became of a new chip at its first boot.

    >>> made = build(board, Keys.new("lamp-keys", "lamp"), "production", production="rdp1")
    >>> tried = protection(board, made)
    >>> tried.level, [str(change) for change in tried.changes if change.changed]
    ((0, 1), ['OPTR.RDP: 0xaa -> 0xbb', 'WRP1AR.WRP1A_STRT: 0xff -> 0x0', 'WRP1AR.WRP1A_END: 0x0 -> 0xb'])
    """

    board: Board
    changes: tuple[Change, ...]
    """The fields that protect, whether they change or not, and any other that changes."""
    level: tuple[int, int]
    """Of read protection, before and after."""
    operations: int
    """Times that option bytes were programmed: a power cut in one of them may lock the chip."""
    busy: float
    """Seconds that this took."""
    said: str
    """What the bootloader said."""
    started: bool
    """Whether it went on to its loader; otherwise its last line says why not."""

    @property
    def stays_open(self) -> tuple[str, ...]:
        """What this does not close, in sentences."""
        return tuple(_stays_open(self.board, self.level[1]))


def protection(board: Board, bootloader: Bootloader | str | os.PathLike[str]) -> Protection:
    """Start a new chip with *bootloader* on the twin: what `build` made, or its folder or file.

    Raises BuildError when there is none, DiskError, TwinError.

    >>> protection(board, "boot").operations  # not built for production
    0
    """
    place = bootloader.bin if isinstance(bootloader, Bootloader) else needed(Path(bootloader), board)
    device = Device(board)
    twin = device.twin
    if place.suffix == ".bin":
        device.program(merge.program_of(board, read(place)))
    else:
        device.program(place)
    before, level = dict(twin.flash_controller.options), twin.flash_controller.level
    twin.power_on()
    output = twin.uart(board.console.port).output
    started = twin.run(_STARTED, seconds=_SECONDS)
    operations = [operation for operation in twin.log if operation.kind == "options"]
    return Protection(
        board=board,
        changes=tuple(_changes(twin, before)),
        level=(level, twin.flash_controller.level),
        operations=len(operations),
        busy=twin.log.busy_ps / 1e12,
        said=output.decode(errors="replace"),
        started=started,
    )


def _changes(twin: Twin, before: Mapping[str, int]) -> Iterator[Change]:
    controller = twin.flash_controller
    for register, old in before.items():
        new = controller.options[register]
        for field, (low, width) in sorted(controller.fields[register].items(), key=lambda item: item[1]):
            mask = (1 << width) - 1
            change = Change(register=register, field=field, before=old >> low & mask, after=new >> low & mask)
            one_by_one = width == 1 and field.startswith(_PROTECTS)  # WRPROT0 and on: those that change are enough
            protects = (register, field) == controller.RDP or (field.startswith(_PROTECTS) and not one_by_one)
            if change.changed or protects:
                yield change


def _stays_open(board: Board, level: int) -> Iterator[str]:
    if level == 0:
        yield "A probe reads and writes everything, keys and application: there is no read protection."
    if level == 1:
        yield "A probe can go back to level 0, which erases all of flash, and can read RAM and peripherals."
    if level < 2:
        yield "The application, and a probe, can program option bytes; what they take away, the next boot puts back."
    areas = "SLOT0, SLOT1 and the journal stay" if board.slot1 else "SLOT0 stays"
    yield f"{areas} writable, or no update could be installed."
    yield "The application reads all of flash, the AES key too; the console takes updates that your key signed."
