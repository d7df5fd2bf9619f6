"""A board on the twin: the shipped bootloader, the demo application, and the means to update and to watch it."""

from __future__ import annotations

import hashlib
import random
import re
from dataclasses import dataclass, field
from pathlib import Path

from spboot import release
from spboot.boards import Area, Board
from spboot.builder import bootloader, merge
from spboot.builder.bootloader import Bootloader, build
from spboot.builder.demo import build_demo
from spboot.builder.production import Production, phrase
from spboot.device import Device
from spboot.formats.program import Program
from spboot.formats.spec import data_path, record, spec
from spboot.image import Image
from spboot.keys import Keys
from spboot.twin.host.port import TwinPort
from spboot.twin.measure.callee import Callee
from spboot.version import Version
from tests import apps
from tests.system.shelf import Shelf

RUNNING = b"r resets"
"""The demo's last words at its start."""
GOOD = int(re.findall(r"SPB_GOOD = (0x\w+)", (data_path("firmware") / "core" / "status.h").read_text())[0], 16)
"""What the check of a header returns for a good one."""


@dataclass(kw_only=True)
class Workshop:
    """One compiler's bootloader and demo images for one board; makes each, and each update, once a run."""

    board: Board
    compiler: str
    folder: Path
    """For what a test makes of its own; nobody else has it."""
    production: Production | None = None
    """Of a bootloader that protects the chip; its keys are no development keys."""
    keys: Keys = field(init=False)
    boot: Bootloader = field(init=False)
    _made: dict[tuple[str, ...], bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        sources = bootloader.data_path("firmware")  # a test's own, when it builds changed ones
        of_both = hashlib.sha256(f"{self.board!r} {sources}".encode()).hexdigest()[:16]
        kind = f"-{self.production}" if self.production else ""
        self._shelf = Shelf(f"{self.board.name}-{self.compiler}{kind}-{of_both}", self.folder)
        self.boot = self._shelf.once("boot", self._build)
        self.keys = Keys.load(self._shelf.folder / "keys", need_private=True)

    def _build(self) -> Bootloader:
        keys = Keys.new(self._shelf.folder / "keys", "demo", development=self.production is None)
        return build(
            self.board, keys, self._shelf.folder / "boot", compiler=self.compiler, production=self.production,
            confirmation=phrase(self.board, keys),
        )  # fmt: skip

    def demo(self, version: str) -> bytes:
        """The demo application that calls itself *version*."""

        def make() -> bytes:
            elf = build_demo(self.board, Version.parse(version), self.folder, compiler=self.compiler)
            return Image.load(elf, self.board, "1.0.0").data

        return self._once(("demo", version), make)

    def image(self, version: str) -> bytes:
        """The .sfb of the demo."""
        return self._once(("image", version), lambda: self.wrap(self.demo(version), version))

    def wrap(self, application: bytes, version: str) -> bytes:
        """The .sfb of any application."""
        return release.full_image(self.made(application, version), keys=self.keys)

    def made(self, application: bytes, version: str) -> Image:
        """The image of an application that comes from no file."""
        rest = self.rest(version) if self.board.slot0.rest else b""
        return Image(data=application, board=self.board, version=Version.parse(version), rest=rest)

    def rest(self, version: str) -> bytes:
        """What of it is in external flash, on a board whose slots have two parts: some pages differ by version, and it
        has more than one leaf of the hash."""
        data = bytearray((self.board.name.encode() * 6_000)[:72_003])
        for at in range(9_000, len(data), 23_000):
            data[at : at + 60] = random.Random(version + str(at)).randbytes(60)
        return bytes(data)

    def patch(self, old: str, new: str) -> bytes:
        """The .sfbp between two demos."""
        return self._once(
            ("patch", old, new),
            lambda: release.patch(self.made(self.demo(old), old), self.made(self.demo(new), new), keys=self.keys),
        )

    def _once(self, key, make) -> bytes:  # type: ignore[no-untyped-def]
        if key not in self._made:
            self._made[key] = self._shelf.once(key, make)
        return self._made[key]

    def factory(self, version: str | None, app: bytes | None = None) -> Program:
        """Flash of a new device: bootloader, and *app*, whatever it is, or the demo as *version*, unless that is
        None."""
        boot = self.boot.bin.read_bytes()
        if version is None:
            return merge.program_of(self.board, boot)
        if app is None:
            return merge.factory(boot, self.made(self.demo(version), version), self.keys)
        sealed = apps.forced_image(app, target=self.board.name, keys=self.keys, version=Version.parse(version))
        return merge.program_of(self.board, boot, release.header_for(sealed), app)


def workshop(board: Board, compiler: str, folder: Path, production: Production | None = None) -> Workshop:
    """One with development keys, or for *production*; what a test makes of its own goes into *folder*."""
    return Workshop(board=board, compiler=compiler, folder=folder, production=production)


def only_the_last_update_is_left(rig: Rig) -> None:
    """Of the reserved RAM, when an application starts: keys and scratch are wiped, and the note says nothing."""
    left, note = 40, 8
    ram = rig.twin.ram_read(rig.board.ram.address, rig.board.ram.size)
    assert ram[: -left - note] == bytes(len(ram) - left - note), "keys and scratch are wiped"
    assert ram[-note:-4] == bytes(4)


def changed_pages(rig: Rig) -> list[int]:
    """What the journal begins with: the pages that an update has in SLOT1."""
    journal, layout = rig.board.journal, record("journal", "entry_")
    assert journal is not None
    step = max(layout.size, rig.board.chip.memory_at(journal.address).program_unit)
    pages: list[int] = []
    for at in range(journal.address, journal.end, step):
        entry = layout.unpack(rig.twin.flash_read(at, layout.size))
        if entry["value"] ^ entry["check"] != 0xFFFF or entry["value"] >= spec()["journal"]["step"]:
            break
        pages.append(entry["value"])
    return pages


def functions(shop: Workshop, *, counting: bool = True) -> Callee:
    """The bootloader's functions; registers of watchdog and flash read as zero, which is all they are asked for."""
    board = shop.board
    made = Callee(shop.boot.elf, board.chip.core, counting=counting)
    for page in {board.chip.block(name).address & ~0xFFF for name in ("IWDG", "FLASH")}:
        made.uc.mem_map(page, 0x1000)
    if board.ram.address >> 20 != 0x200:
        made.uc.mem_map(board.ram.address & ~0xFFFFF, 0x100000)
    return made


class Rig(Device):
    """One device on the twin, as a shop makes it; what it should say and does not fails the test."""

    def __init__(
        self, shop: Workshop, version: str | None = "1.0.0", *, app: bytes | None = None, seed: int = 0
    ) -> None:
        super().__init__(shop.board, seed=seed)
        self.shop = shop
        self.twin.symbols(shop.boot.elf)
        self.program(shop.factory(version, app))
        self.uart = self.twin.uart(shop.board.console.port)
        self.patience = 60.0 if shop.board.external else 10.0
        """Seconds in which an update is installed: sectors of flash outside take longest."""

    def listen(self, until: bytes = RUNNING, seconds: float | None = None) -> bytes:
        """Run until *until* was said; everything said since the last call.  Fails when it is not said."""
        seconds = self.patience if seconds is None else seconds
        start = len(self.uart.output)
        said = self.twin.run(until=until, seconds=seconds)
        text = bytes(self.uart.output[start:])
        self.port = TwinPort(self.twin, self.board.console.port)
        assert said, f"{until!r} was not said in {seconds} s, but: {text.decode(errors='replace')}"
        return text

    def boot(self) -> bytes:
        """Power on and run up to the demo."""
        self.power_on()
        return self.listen()

    def enter_loader(self) -> None:
        """Power on and type `load` until the loader calls."""
        self.power_on()
        self.call("loader")

    def ask_application(self) -> None:
        """Make the running demo call for a file."""
        self.call("application")

    def erases(self, area: Area) -> int:
        return self.twin.log.erases(area.address, area.end)

    def programs(self, area: Area) -> int:
        return self.twin.log.programs(area.address, area.end)
