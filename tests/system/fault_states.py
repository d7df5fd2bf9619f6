"""States of a device in which one fault could start or install what must not run, on boards with external flash, too.

Everything is put into flash as it would lie there; `committed` and `installed` write the journal by hand, and
test_fault_sweep.py shows with good images that the bootloader takes both for its own."""

from __future__ import annotations

import dataclasses
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from spboot import release
from spboot.boards import Area
from spboot.formats.header import Header
from spboot.formats.spec import record, spec
from spboot.keys import Keys
from spboot.twin.timeline import PS_PER_US
from spboot.version import Version
from tests import apps
from tests.at_rest import sealed
from tests.system.rig import Rig, Workshop

SIZE: Final = 1900
"""Bytes of an application: two pages where pages are small, and little to hash."""
OLD, NOW, NEXT = "1.0.0", "1.1.0", "1.2.0"
STARTING: Final = b"starting "


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Contents of SLOT0, SLOT1 and journal, from the start of each, and of the second parts of slots that have some.
    What may run is 1.1.0 alone."""

    slot0: bytes
    slot1: bytes = b""
    journal: bytes = b""
    rests: tuple[bytes, bytes] = (b"", b"")
    warm: bool = False
    """A boot that found a good image in SLOT0 was reset just before it started it: RAM is as it was then."""


@dataclass
class Maker:
    """Makes the states of one board."""

    shop: Workshop
    _made: dict[object, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.board = self.shop.board
        self.erased = bytes([self.board.chip.flash[0].erased])
        self.stranger = Keys.new(self.shop.folder / "stranger", self.shop.keys.product, development=True)
        self.other = dataclasses.replace(self.shop.keys, product="other")

        self.rest = random.Random(0).randbytes(SIZE) if self.board.slot0.rest else b""
        """What is in external flash of every image."""

    # images

    def application(self, version: str) -> bytes:
        """A vector table and an endless loop, and bytes that no two versions share."""
        entry = self.board.image_address + 0x40 | 1
        head = struct.pack("<16I", self.board.ram.end + 0x400, *[entry] * 15) + bytes.fromhex("fee7fee7")
        return head + random.Random(version).randbytes(SIZE - len(head))

    def update(self, version: str, *, signer: Keys | None = None, target: str | None = None) -> bytes:
        """The .sfb of the application *version*, signed by *signer* for *target*; 1.1.0 wants to be on trial."""
        key = (version, id(signer), target)
        if key not in self._made:
            self._made[key] = apps.forced_image(
                self.application(version),
                target=target or self.board.name,
                capacity=self.board.image_capacity,
                keys=signer or self.shop.keys,
                version=Version.parse(version),
                trial=version == NOW,
                rest=self.rest or None,
            )
        return self._made[key]

    def slot(self, version: str, *, signer: Keys | None = None, target: str | None = None) -> bytes:
        """A slot with the same in it."""
        header = release.header_for(self.update(version, signer=signer, target=target))
        return header.ljust(self.board.vector_size, self.erased) + self.application(version)

    def unsigned(self, version: str) -> bytes:
        """The same by somebody who has not our key."""
        return self.slot(version, signer=self.stranger)

    def tampered(self, version: str) -> bytes:
        """A bit of its last page is another one."""
        return self.spoilt(self.slot(version))

    @staticmethod
    def spoilt(content: bytes) -> bytes:
        """The same for any content."""
        at = len(content) - 7
        return content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]

    def full_of_addresses(self, version: str, *, hashed: bool = True) -> bytes:
        """Behind its vectors each word is where it wants to be entered, as the core loads it; where *hashed*, in turn
        so and as SHA-256 does, and the first of each block is an address in RAM.  Whatever takes a return address out
        of it starts it."""
        entry, ram = self.board.image_address + 0x40 | 1, self.board.ram.end + 0x200
        block = struct.pack(">I", ram) + (struct.pack(">I", entry) + struct.pack("<I", entry)) * 8
        if not hashed:
            block = struct.pack("<I", entry) * 16
        data = self.slot(version)
        start = self.board.vector_size + 64
        return data[:start] + (block[:64] * (len(data) // 64))[: len(data) - start]

    def other_product(self, version: str) -> bytes:
        return self.slot(version, signer=self.other)

    def other_board(self, version: str) -> bytes:
        return self.slot(version, target="OTHER-BOARD")

    # journals

    def _units(self, data: bytes) -> bytes:
        unit = self.board.chip.flash[0].program_unit
        return data + self.erased * (-len(data) % unit)

    def committed(self, slot1: bytes, rest: bytes = b"") -> bytes:
        """The journal that has *slot1* installed at the next reset, all of its pages, and those of *rest*."""
        first, size = self.board.slot0.size // self.board.page_size, self.board.rest_page_size
        pages = [*range(-(-len(slot1) // self.board.page_size)), *range(first, first - -len(rest) // size)]
        check = int.from_bytes(Header.parse(slot1).signature[:4], "little")
        mark = record("journal", "mark_").pack(magic=spec()["journal"]["commit_magic"], check=check)
        return b"".join(map(self._entry, pages)) + self._units(mark)

    def _entry(self, value: int) -> bytes:
        return self._units(record("journal", "entry_").pack(value=value, check=~value & 0xFFFF))

    def installed(self, slot1: bytes) -> bytes:
        """The journal after that: what an update leaves."""
        return self.committed(slot1) + self._entry(spec()["journal"]["step_finished"])

    def in_slot1(self, content: bytes) -> bytes:
        """*content* as SLOT1 has it: encrypted, where that is in external flash."""
        return sealed(content, self.shop.keys.cipher_key, self.board.vector_size) if self.board.sealed else content

    def state(
        self, slot0: bytes, slot1: bytes = b"", journal: bytes = b"", rests: tuple[bytes, bytes] | None = None
    ) -> State:
        """One with *slot1*, in plain; both rests are whole, or are others."""
        there = self.in_slot1(slot1) if slot1 else b""
        return State(slot0=slot0, slot1=there, journal=journal, rests=rests or (self.rest, b""))

    def commit(self, slot1: bytes, *, slot0: bytes | None = None, rest: bytes = b"") -> State:
        """*slot1* waits to be installed over 1.1.0, or over *slot0*; *rest* with it, or what is there stays."""
        return self.state(slot0 or self.slot(NOW), slot1, self.committed(slot1, rest), (self.rest, rest))


def _original_behind(maker: Maker) -> State:
    """SLOT1 still holds the pages that were installed, one of which somebody changed in SLOT0."""
    original = maker.slot(NOW)
    return maker.state(maker.tampered(NOW), original, maker.installed(original))


def _kept_tampered(maker: Maker) -> State:
    """1.1.0 was on trial and did not confirm itself; in 1.0.0, which is kept, somebody changed a bit."""
    rig, board = prepare(maker, maker.commit(maker.slot(NOW), slot0=maker.tampered(OLD))), maker.board
    rig.listen(STARTING, seconds=100)

    def content(area: Area | None) -> bytes:
        return rig.twin.flash_read(area.address, area.size) if area else b""

    return State(
        slot0=content(board.slot0), slot1=content(board.slot1), journal=content(board.journal),
        rests=(content(board.slot0.rest), content(board.slot1.rest if board.slot1 else None)),
    )  # fmt: skip


SITUATIONS: dict[str, Callable[[Maker], State]] = {
    "unsigned": lambda m: m.state(m.unsigned(NOW)),
    "tampered": lambda m: m.state(m.tampered(NOW)),
    "full of addresses": lambda m: m.state(m.full_of_addresses(NOW)),
    "tampered, original in SLOT1": lambda m: m.state(m.tampered(NOW), m.slot(NOW)),
    "tampered, original in SLOT1 and journal": _original_behind,
    "other product": lambda m: m.state(m.other_product(NOW)),
    "other board": lambda m: m.state(m.other_board(NOW)),
    "older committed": lambda m: m.commit(m.slot(OLD)),
    "older committed, SLOT0 tampered": lambda m: m.commit(m.slot(OLD), slot0=m.tampered(NOW)),
    "unsigned committed": lambda m: m.commit(m.unsigned(NEXT)),
    "tampered committed": lambda m: m.commit(m.tampered(NEXT)),
    "other product committed": lambda m: m.commit(m.other_product(NEXT)),
    "tampered kept": _kept_tampered,
    "full of addresses, kept on trial": lambda m: m.commit(m.slot(NOW), slot0=m.full_of_addresses(OLD, hashed=False)),
}
_WARM: Final = (
    *("unsigned", "tampered", "tampered, original in SLOT1 and journal"),
    *("other product", "older committed", "unsigned committed"),
)


def _warm(make: Callable[[Maker], State]) -> Callable[[Maker], State]:
    return lambda maker: dataclasses.replace(make(maker), warm=True)


SITUATIONS |= {f"{name}, warm": _warm(SITUATIONS[name]) for name in _WARM}

OF_TWO_PARTS: Final[dict[str, Callable[[Maker], State]]] = {
    "rest tampered": lambda m: m.state(m.slot(NOW), rests=(m.spoilt(m.rest), b"")),
    "rest tampered committed": lambda m: m.commit(m.slot(NEXT), rest=m.spoilt(m.rest)),
}
"""Of boards whose slots have a second part alone."""

EVERY: Final = SITUATIONS | OF_TWO_PARTS


def thinned(situation: str) -> int:
    """Of how many points before a slot is read one is taken: all where nothing but SLOT0 matters, cold and warm."""
    return 1 if situation in ("unsigned", "unsigned, warm") else 8


def fill(rig: Rig, area: Area | None, content: bytes) -> None:
    """Make *area* erased flash with *content* at its start."""
    if area is not None:
        erased = bytes([rig.twin.flash.erased])
        rig.twin.flash_load(area.address, content + erased * (area.size - len(content)))


def hurry(rig: Rig) -> None:
    """Let the line take each byte within a microsecond: what a boot says is not waited for."""
    timeline, sent = rig.twin.timeline, f"{rig.board.console.port}.tx"
    at = timeline.at

    def sooner(key: str, when: int) -> None:
        at(key, min(when, timeline.now + PS_PER_US) if key == sent else when)

    timeline.at = sooner  # type: ignore[method-assign]


def prepare(maker: Maker, state: State) -> Rig:
    """A device in *state*, just after its reset."""
    rig, board = Rig(maker.shop, None), maker.board
    hurry(rig)
    if state.warm:
        fill(rig, board.slot0, maker.slot(NOW))
        fill(rig, board.slot0.rest, maker.rest)
        rig.power_on()
        rig.listen(STARTING, seconds=100)  # polls that are no waits let virtual time jump where the line is never busy
    for area, content in zip(
        (board.slot0, board.slot1, board.journal), (state.slot0, state.slot1, state.journal), strict=True
    ):
        fill(rig, area, content)
    for slot, rest in zip((board.slot0, board.slot1), state.rests, strict=True):
        fill(rig, slot.rest if slot else None, rest)
    if state.warm:
        rig.twin.reset("software")
    else:
        rig.power_on()
    rig.twin.log.clear()
    return rig
