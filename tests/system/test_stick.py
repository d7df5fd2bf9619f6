"""Updates from a USB stick, by the bootloader that ships: chains, sticks of all kinds, pulled out and cut off."""

from __future__ import annotations

import contextlib
import functools
import itertools
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from unicorn.arm_const import UC_ARM_REG_SP as _SP

from spboot import boards, release
from spboot.boards import Board
from spboot.builder import merge
from spboot.builder.compiler import NAMES
from spboot.keys import Keys
from spboot.twin import Cut, PowerCut
from spboot.twin.usb.quirks import Quirks
from spboot.twin.usb.stick import Stick
from spboot.version import Version
from tests import apps
from tests.system.rig import Rig, Workshop, workshop
from tests.system.test_budgets import FILL, lowest, paint, stack_top
from tests.usb import disks
from tests.usb.disks import FORMATS, STYLES

ALL = [name for name in boards.names() if Board.load(name).usb is not None]
OUTSIDE = ["DISCO-F469I-EXT", "DISCO-F769I-EXT", "DISCO-H745I-EXT"]
"""With slots in external flash, and the stick of the board without: 32 KB are room for both."""
FEW = "NUCLEO-F429ZI"
PLAIN = FORMATS[0]
CHAIN = ("1.0.0", "1.1.0", "1.2.0", "1.3.0")
IDLE = b"no update for this device\r\n"
DAMAGED = b"damaged on its way: send it again\r\n"
FOREIGN = "wrong signature: damaged, or another key"


@pytest.fixture(scope="module")
def workshops(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Workshop]:
    folder: Path = tmp_path_factory.mktemp("sticks")

    @functools.cache
    def make(name: str, compiler: str = "clang", at_boot_ms: int = 0) -> Workshop:
        usb = Board.load(name.removesuffix("-EXT")).usb
        assert usb is not None
        board = replace(Board.load(name), usb=replace(usb, at_boot_ms=at_boot_ms))
        return workshop(board, compiler, folder / f"{name}-{compiler}-{at_boot_ms}")

    return make


def app(shop: Workshop, version: str, size: int = 6_000) -> bytes:
    """An application that runs on the spot, without a trial; one that the version tells from others."""
    body = bytearray(random.Random(shop.board.name).randbytes(size))
    body[8:10] = b"\xfe\xe7"  # b .
    body[1000:1020] = random.Random(version).randbytes(20)
    return apps.startable(shop.board, bytes(body))


def full(shop: Workshop, version: str) -> bytes:
    return shop.wrap(app(shop, version), version)


def patch(shop: Workshop, old: str, new: str) -> bytes:
    made = [shop.made(app(shop, version), version) for version in (old, new)]
    return release.patch(*made, keys=shop.keys)


def chain(shop: Workshop) -> dict[str, bytes]:
    return {
        "lamp 1.1.0 with a long name.sfb": full(shop, "1.1.0"),
        "b.sfbp": patch(shop, "1.1.0", "1.2.0"),
        "c.sfbp": patch(shop, "1.2.0", "1.3.0"),
        "._b.sfbp": b"of macOS",
        "readme.txt": b"nothing",
    }


def stick(
    folder: Path, files: dict[str, bytes], of: disks.Format = PLAIN, style: str = "superfloppy", **how: object
) -> Stick:
    volume = disks.make_volume(folder / "volume", of)
    disks.fill(volume, of, files)
    disk = disks.partitioned(folder / "disk", volume, style, of)
    for path in (volume, disk):
        made = disk.read_bytes()
        path.unlink(missing_ok=True)
    return Stick(made, quirks=Quirks(**how))  # type: ignore[arg-type]


def device(shop: Workshop, version: str = "1.0.0") -> Rig:
    rig = Rig(shop, None)
    rig.program(merge.factory(shop.boot.bin.read_bytes(), shop.made(app(shop, version), version), shop.keys))
    return rig


def starting(version: str) -> bytes:
    return f"] starting {version}\r\n".encode()


def runs(rig: Rig, version: str) -> None:
    """It is in SLOT0 to the last byte, and nothing that the device said on the way was garbled."""
    made = app(rig.shop, version)
    assert rig.twin.flash_read(rig.board.image_address, len(made)) == made
    assert not [each for each in rig.uart.lost if "garbled" in each]
    assert not rig.twin.faults


def lines(said: bytes) -> list[str]:
    return [line.partition("] ")[2] for line in said.decode().split("\r\n") if "] " in line]


def kinds() -> list[object]:
    """Every format and every style somewhere; all with each other, on every board, by `make soak`."""
    few = [(FEW, PLAIN, "MBR"), (FEW, FORMATS[4], "superfloppy"), (FEW, FORMATS[7], "GPT")]
    return [
        pytest.param(*row, id=f"{row[0]}-{row[1].name}-{row[2]}", marks=() if row in few else pytest.mark.soak)
        for row in itertools.product(ALL, FORMATS, STYLES)
    ]


def points(count: int, few: Callable[[int], bool]) -> list[object]:
    """So many on each board; by `make test` a *few* of them on one."""
    return [
        pytest.param(name, n, marks=() if name == FEW and few(n) else pytest.mark.soak)
        for name in ALL
        for n in range(count)
    ]


def board_rows() -> list[object]:
    """One by `make test`, all by `make soak`."""
    return [
        pytest.param(name, compiler, marks=() if name == FEW and compiler == "gcc" else pytest.mark.soak)
        for name in (*ALL, *OUTSIDE)
        for compiler in NAMES
    ]


@pytest.mark.parametrize(("name", "compiler"), board_rows())
def test_a_chain(workshops, name: str, compiler: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """A full image and two patches, one after the other, once somebody asked for the loader."""
    rig = device(workshops(name, compiler))
    rig.enter_loader()
    rig.twin.plug(stick(tmp_path, chain(rig.shop)))
    said = lines(rig.listen(starting("1.3.0"), 60))
    assert [line for line in said if line.startswith("USB stick: ") or line == "installed"] == [
        "USB stick: SPBOOT  Twin flash drive, 2 MB",
        f"USB stick: taking lamp 1.1.0 with a long name.sfb, version 1.1.0, {len(full(rig.shop, '1.1.0'))} bytes",
        "installed",
        "USB stick: SPBOOT  Twin flash drive, 2 MB",
        f"USB stick: taking b.sfbp, version 1.2.0, {len(patch(rig.shop, '1.1.0', '1.2.0'))} bytes",
        "installed",
        "USB stick: SPBOOT  Twin flash drive, 2 MB",
        f"USB stick: taking c.sfbp, version 1.3.0, {len(patch(rig.shop, '1.2.0', '1.3.0'))} bytes",
        "installed",
        "USB stick: SPBOOT  Twin flash drive, 2 MB",
        "USB stick: no update for this device",
    ]
    assert "  b.sfbp: 1.2.0 for 1.1.0: patch for another firmware: send the full image" in said
    runs(rig, "1.3.0")


@pytest.mark.parametrize(("name", "of", "style"), kinds())
def test_kinds_of_sticks(workshops, name: str, of: disks.Format, style: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    rig = device(workshops(name))
    rig.enter_loader()
    rig.twin.plug(stick(tmp_path, {"lamp.sfb": full(rig.shop, "1.1.0")}, of, style))
    rig.listen(starting("1.1.0"), 60)
    runs(rig, "1.1.0")


def test_no_valid_image(workshops, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """A device without an application asks for nothing: the stick that is plugged in is looked at."""
    rig = Rig(workshops(FEW), None)
    rig.twin.plug(stick(tmp_path, {"a.sfb": full(rig.shop, "2.0.0")}))
    rig.power_on()
    rig.listen(starting("2.0.0"), 30)
    runs(rig, "2.0.0")


def test_a_boot_does_not_look(workshops, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Without `at_boot_ms` a stick has no supply, and a boot takes as long as without one."""
    shop = workshops(FEW)
    took = []
    for there in (False, True):
        rig = device(shop)
        one = stick(tmp_path, chain(shop))
        if there:
            rig.twin.plug(one)
        rig.power_on()
        assert b"USB" not in rig.listen(starting("1.0.0"))
        took.append(rig.twin.timeline.now)
        assert one.transfers == 0
        assert not list(rig.twin.log)
    assert took[0] == took[1]


def test_at_boot(workshops, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """With `at_boot_ms` it looks unasked, for so long; and takes the chain."""
    shop = workshops(FEW, at_boot_ms=400)
    rig = device(shop)
    rig.power_on()
    rig.listen(starting("1.0.0"))
    waited = rig.twin.timeline.now / 1e12
    assert 0.4 < waited < 0.8
    assert not list(rig.twin.log)
    rig.twin.plug(stick(tmp_path, chain(shop)))
    rig.power_on()
    rig.listen(starting("1.3.0"), 60)
    runs(rig, "1.3.0")


def other(shop: Workshop, folder: Path, product: str = "demo", target: str = "") -> bytes:
    """Of another product, another board, or signed by another key alone."""
    keys = Keys.new(folder, product, development=True)
    return apps.forced_image(app(shop, "3.0.0"), target=target or shop.board.name, keys=keys, version=Version(3, 0, 0))


def damaged(data: bytes) -> bytes:
    """The last chunk: all before it is good."""
    return data[:-3] + bytes([data[-3] ^ 1]) + data[-2:]


@pytest.mark.parametrize("at_boot_ms", [0, 400])
def test_k4_nothing_for_this_device(workshops, at_boot_ms: int, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Each file is passed over with a sentence; flash is not touched, and what was installed starts."""
    shop = workshops(FEW, at_boot_ms=at_boot_ms)
    rig = device(shop, "2.0.0")
    files = {
        "A.SFB": other(shop, tmp_path / "a", product="toaster"),
        "B.SFB": other(shop, tmp_path / "b", target="NUCLEO-L476RG"),
        "C.SFB": other(shop, tmp_path / "c"),
        "D.SFB": full(shop, "1.9.0"),
        "E.SFBP": patch(shop, "1.0.0", "2.1.0"),
        "F.SFB": full(shop, "2.1.0")[:-1],
        "G.SFB": b"no manifest" * 40,
        "H.SFB": damaged(full(shop, "2.2.0")),
    }
    if at_boot_ms:
        rig.twin.plug(stick(tmp_path, files))
        rig.power_on()
        said = lines(rig.listen(starting("2.0.0"), 30))
    else:
        rig.enter_loader()
        rig.twin.plug(stick(tmp_path, files))
        said = lines(rig.listen(DAMAGED, 30) + rig.listen(b"CCC"))
    verdicts = dict(line.strip().split(": ", 1) for line in said if line.startswith("  ") and ".SFB" in line)
    assert verdicts["D.SFB"] == "1.9.0: older than installed: give it a higher version"
    assert {name for name, verdict in verdicts.items() if verdict.endswith("failed before, passed over")} == {"C.SFB"}
    ends = [line for line in said if "transfer ended" in line or "refused" in line]
    assert ends == [f"refused, code 15: {FOREIGN}", f"transfer ended: {DAMAGED.decode().strip()}"]
    assert not list(rig.twin.log), "flash was touched"


def test_k5_given_up(workshops, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """A version that was given up is not taken again unasked; who asks for it gets it."""
    shop = workshops(FEW, at_boot_ms=400)
    rig = device(shop)
    data = apps.forced_image(
        app(shop, "1.1.0"), target=shop.board.name, keys=shop.keys, version=Version(1, 1, 0), trial=True
    )
    rig.twin.plug(stick(tmp_path, {"A.SFB": data}))
    rig.power_on()
    rig.listen(starting("1.1.0"), 30)
    for _ in range(shop.board.trial_starts - 1):
        rig.power_on()
        assert b"USB stick" not in rig.listen(starting("1.1.0")), "what is on trial decides by itself"
    rig.power_on()
    said = rig.listen(starting("1.0.0"), 30)
    assert b"reverted" in said
    assert b"A.SFB: 1.1.0: given up before, passed over: enter the loader to take it" in said
    before = len(list(rig.twin.log))
    rig.power_on()
    rig.listen(starting("1.0.0"), 30)
    assert len(list(rig.twin.log)) == before, "nothing is worn out"
    rig.twin.pull()
    rig.enter_loader()
    (tmp_path / "again").mkdir()
    rig.twin.plug(stick(tmp_path / "again", {"A.SFB": data}))
    rig.listen(starting("1.1.0"), 30)


def test_a_damaged_file_gives_way(workshops, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    rig = device(workshops(FEW))
    files = {"A.SFB": full(rig.shop, "1.1.0"), "B.SFB": damaged(full(rig.shop, "1.2.0"))}
    rig.enter_loader()
    rig.twin.plug(stick(tmp_path, files))
    said = lines(rig.listen(starting("1.1.0"), 30))
    assert next(line for line in said if "taking" in line).startswith("USB stick: taking B.SFB")
    runs(rig, "1.1.0")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"low_speed": True}, "USB: no stick, but a device at low speed"),
        ({"hub": True}, "USB: a hub: plug the stick in directly"),
        ({"sector_size": 4096}, "USB: sectors of another size than 512 bytes"),
        ({"naks": -1}, "USB: the stick does not get ready"),
        ({"read_fails": 1 << 30}, "USB stick: cannot be read: plug it in again"),
    ],
)
def test_ymodem_goes_on(workshops, how: dict[str, int], said: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """A stick that cannot be used is told of, once, and takes nothing from who sends by YMODEM."""
    rig = device(workshops(FEW))
    rig.enter_loader()
    rig.twin.plug(stick(tmp_path, chain(rig.shop), **how))
    rig.listen(said.encode() + b"\r\n", 60)
    assert said.encode() not in rig.listen(b"CCC", 10)
    rig.send(full(rig.shop, "1.1.0"))
    assert b"USB stick" not in rig.listen(starting("1.1.0"), 30), "who sent one has no stick"
    runs(rig, "1.1.0")


@pytest.mark.parametrize(("name", "transfer"), points(160, lambda n: n % 40 == 23))
def test_pulled_out(workshops, name: str, transfer: int, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """At each transfer of an update: the loader says so, or has all it wants, and goes on with the next stick."""
    rig = device(workshops(name))
    rig.enter_loader()
    files = {"A.SFB": full(rig.shop, "1.1.0")}
    first = stick(tmp_path, files, pulled_at=transfer)
    rig.twin.plug(first)
    with contextlib.suppress(AssertionError):
        rig.listen(starting("1.1.0"), 6)
    version = "1.1.0" if not first.pulled or b"starting 1.1.0" in rig.uart.output else "1.0.0"
    (tmp_path / "next").mkdir()
    further = {"A.SFB": full(rig.shop, "1.1.0"), "B.SFB": full(rig.shop, "1.2.0")}
    if version == "1.1.0":
        rig.enter_loader()
    rig.twin.plug(stick(tmp_path / "next", further))
    rig.listen(starting("1.2.0"), 30)
    runs(rig, "1.2.0")


@pytest.fixture(scope="module")
def operations(workshops: Callable[..., Workshop], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], int]:
    """Of flash, in a whole chain."""

    @functools.cache
    def count(name: str) -> int:
        rig = device(workshops(name))
        rig.enter_loader()
        rig.twin.plug(stick(tmp_path_factory.mktemp("count"), chain(rig.shop)))
        rig.listen(starting("1.3.0"), 60)
        return len(list(rig.twin.log))

    return count


@pytest.mark.parametrize(("name", "point"), points(40, lambda n: n % 16 == 5))
def test_power_cut(workshops, operations, name: str, point: int, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """At 40 points of a chain, spread over its flash operations: what runs is whole, and the stick brings the rest."""
    shop = workshops(name)
    rig = device(shop)
    rig.enter_loader()
    rig.twin.plug(stick(tmp_path, chain(shop)))
    when = ("before", "torn", "after")[point % 3]
    pattern = ("random", point) if when == "torn" else None
    at = operations(name) * point // 40
    rig.twin.arm(Cut(at=at, when=when, pattern=pattern) if pattern else Cut(at=at, when=when))  # type: ignore[arg-type]
    with pytest.raises(PowerCut):
        rig.listen(starting("1.3.0"), 60)
    rig.twin.pull()
    rig.enter_loader()
    (tmp_path / "again").mkdir()
    rig.twin.plug(stick(tmp_path / "again", chain(shop)))
    rig.listen(starting("1.3.0") if running(rig) != "1.3.0" else IDLE, 60)
    runs(rig, "1.3.0")


def running(rig: Rig) -> str:
    """The version that the last judgement found in SLOT0, which is whole."""
    assert b"no valid firmware" not in rig.uart.output
    return bytes(rig.uart.output).rpartition(b"SLOT0 holds ")[2].partition(b",")[0].decode()


@pytest.mark.both_compilers
@pytest.mark.parametrize("compiler", NAMES)
def test_stack(workshops, compiler: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """The deepest path of the boot has room here, too."""
    shop = workshops(FEW, compiler)
    top = stack_top(shop)
    rig = device(shop)
    rig.twin.power_on(ram_fill=FILL)
    rig.call("loader")
    paint(rig, rig.twin.core.get(_SP))
    rig.twin.plug(stick(tmp_path, chain(shop)))
    rig.listen(b" changed pages: ", 30)
    used = lowest(rig, top)
    print(f"stack: {used} of {top - rig.board.ram.address}")
    assert used <= top - rig.board.ram.address
