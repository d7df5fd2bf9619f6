"""Runs: what a new device starts, and what it does not start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from spboot import release
from spboot.builder.merge import program_of
from spboot.device import Device
from spboot.dossier.claim import Check, Outcome, lines_with
from spboot.dossier.subject import Subject, settle
from spboot.formats import program
from spboot.formats.program import Program
from spboot.formats.spec import record

_STARTS: Final = ("spboot ", "self check", "SLOT0 holds", "starting ")
_REFUSES: Final = ("SLOT0", "starting ", "loader: ")
_UNIT: Final = 32
"""Bytes that are programmed at a time when one of them is changed; no part has larger program units."""


def checks(subject: Subject) -> Iterator[Check]:
    """A start of the factory file, and devices whose flash was changed."""
    item = subject.factory_item(subject.release)
    version = subject.release.version
    yield Check(
        group="starts",
        id="starts",
        sentence=f"A device that was programmed with the factory file checks its bootloader and its application and "
        f"starts version {version}, which it shows on its console.",
        run="twin: the factory file programmed, power on",
        inputs=tuple(subject.given(each) for each in subject.release.factory),
        act=lambda: _starts(subject),
    )
    for name, words, change in _changes(subject):
        yield Check(
            group="secure-boot",
            id=f"boot-{name}",
            sentence=f"A device does not start {words}; it stays in its loader.",
            run="twin: the factory file programmed, the flash changed as said, power on",
            inputs=(subject.given(item),),
            act=lambda change=change: _refuses(subject, change()),  # type: ignore[misc]
        )


def _starts(subject: Subject) -> Outcome:
    device = Device(subject.board)
    device.program(subject.factory(subject.release))
    device.power_on()
    started = device.wait_for_start()
    factory = subject.release.factory
    whole = {_flat(subject, program.load(subject.release.path(each), _start(subject))) for each in factory}
    found = lines_with(device.heard, *_STARTS)
    checked = any("self check good" in line for line in found)
    same = len(whole) == 1
    if not same:
        found = (*found, "the factory files do not hold the same bytes")
    holds = same and checked and started == str(subject.release.version)
    return Outcome(holds=holds, found=found, counts={"factory files with the same content": len(factory)})


def _start(subject: Subject) -> int:
    return subject.board.bootloader.address


def _flat(subject: Subject, content: Program) -> bytes:
    """Bootloader and SLOT0 as they are in flash."""
    device = Device(subject.board)
    device.program(content)
    areas = (subject.board.bootloader, *subject.board.slot0.parts)
    return b"".join(device.twin.flash_read(area.address, area.size) for area in areas)


def _refuses(subject: Subject, changed: int | Program) -> Outcome:
    """*changed*: the address of a byte of which one bit is changed, or what is in flash in all."""
    device = Device(subject.board)
    device.program(changed if isinstance(changed, Program) else subject.factory(subject.release))
    if not isinstance(changed, Program):
        start = changed - changed % _UNIT
        data = bytearray(device.twin.flash_read(start, _UNIT))
        data[changed - start] ^= 1
        device.twin.flash_load(start, bytes(data))
    device.power_on()
    settle(device)
    if device.version is None:
        device.read_until("\n")
    return Outcome(holds=device.version is None, found=lines_with(device.heard, *_REFUSES))


def _changes(subject: Subject) -> Iterator[tuple[str, str, Callable[[], int | Program]]]:
    """Name, words, and the address of a changed byte, or what is then in flash."""
    image, header = subject.board.image_address, subject.board.slot0.address
    last = len(subject.image.data) - 1
    version = record("header").field("manifest").offset + record("manifest").field("version").offset
    signature = record("header").field("signature").offset
    yield "first-byte", "an application with one bit of its first byte changed", lambda: image
    yield "middle-byte", "an application with one bit in its middle changed", lambda: image + last // 2
    yield "last-byte", "an application with one bit of its last byte changed", lambda: image + last
    yield "version", "an application whose version was changed in flash", lambda: header + version
    yield "signature", "an application with one bit of its signature changed", lambda: header + signature
    yield "other-key", "an application that was signed with another key", lambda: _strange(subject)


def _strange(subject: Subject) -> Program:
    """The same application, signed by a stranger, beside the bootloader of this product."""
    sealed = release.full_image(subject.image, keys=subject.stranger)
    (boot,) = subject.bare.segments
    return program_of(subject.board, boot.data, release.header_for(sealed), subject.image.data, subject.image.rest)
