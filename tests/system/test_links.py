"""examples/links on the twin: a patch over a link that loses, doubles and reorders fragments, and power cuts."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from spboot import release
from spboot.builder.demo import build_app
from spboot.formats.spec import spec
from spboot.image import Image
from spboot.twin import Cut, PowerCut
from spboot.version import Version
from tests.system.rig import Rig, Workshop

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "examples" / "links"
TAKEN, AGAIN, WRONG, NO_ROOM = range(4)
FLASH, RAM = 0, 1
STORE = range(0x08006000, 0x08008000)
CODES = [name for name, _ in spec()["status"]["codes"]]
SESSION = 0x1234ABCD


def lossy(shop: Workshop, version: str) -> bytes:
    """The application, and behind it bytes of which some differ by version: a patch of many fragments."""

    def make() -> bytes:
        source = shop.folder / f"lossy-{version}.c"
        parts = (EXAMPLE / "fragments.c", HERE / "lossy.c")
        source.write_text("".join(f'#include "{part}"\n' for part in parts))
        elf = shop.folder / f"lossy-{version}.elf"
        build_app(shop.board, [str(source.resolve())], elf, Version.parse(version), shop.compiler)
        same, own = random.Random(1).randbytes(9_000), random.Random(version).randbytes(1_500)
        return Image.load(elf, shop.board, "1.0.0").data + same + own

    return shop._once(("lossy", version), make)


class Node:
    """A device with a radio; the UART below it loses nothing."""

    def __init__(self, shop: Workshop) -> None:
        self.old, self.new = lossy(shop, "1.0.0"), lossy(shop, "1.1.0")
        images = shop.made(self.old, "1.0.0"), shop.made(self.new, "1.1.0")
        self.patch = shop._once(("lossy patch",), lambda: release.patch(*images, keys=shop.keys))
        self.rig = Rig(shop, app=self.old)
        self.on()

    def on(self, version: str = "1.0.0") -> None:
        self.rig.power_on()
        self.rig.listen(f"lossy {version} ready\r\n".encode())

    def ask(self, request: bytes, size: int, seconds: float = 20.0) -> bytes:
        """Send *request*; the *size* bytes of the answer."""
        uart = self.rig.uart
        start = len(uart.output)
        uart.send(request)
        assert self.rig.twin.run(until=lambda: len(uart.output) >= start + size, seconds=seconds), "no answer"
        return bytes(uart.output[start : start + size])

    def open(self, size: int, where: int = FLASH, length: int = 0, session: int = SESSION) -> tuple[bool, int]:
        """Whether it was opened, and how many fragments are there already."""
        good, have = struct.unpack("<BH", self.ask(
            b"O" + struct.pack("<IIHB", session, length or len(self.patch), size, where), 3))  # fmt: skip
        return bool(good), have

    def take(self, index: int, data: bytes) -> int:
        return self.ask(b"F" + struct.pack("<HB", index, len(data)) + data, 1)[0]

    def missing(self) -> list[int]:
        count = self.ask(b"M", 1)[0]
        uart = self.rig.uart
        start = len(uart.output)
        assert count == 0 or self.rig.twin.run(until=lambda: len(uart.output) >= start + 2 * count, seconds=5)
        return list(struct.unpack(f"<{count}H", uart.output[start : start + 2 * count]))

    def feed(self) -> tuple[bool, str]:
        good, code = self.ask(b"G", 2, seconds=60)
        return bool(good), CODES[code]

    def install(self) -> None:
        assert self.ask(b"I", 1) == b"\1"
        self.rig.listen(b"lossy 1.1.0 ready\r\n", seconds=30)
        assert self.rig.twin.flash_read(self.rig.board.image_address, len(self.new)) == self.new


@pytest.fixture
def node(shop: Workshop) -> Node:
    return Node(shop)


def fragments(file: bytes, size: int) -> list[bytes]:
    return [file[at : at + size] for at in range(0, len(file), size)]


def air(indices: list[int], rnd: random.Random, loss: float) -> Iterator[int]:
    """What of *indices* arrives: some lost, some twice, each out of its order by four at most."""
    kept = [each for each in indices for _ in range(1 + (rnd.random() < 0.15)) if rnd.random() >= loss]
    order = {number: number + rnd.random() * 4 for number in range(len(kept))}
    yield from (kept[number] for number in sorted(order, key=order.__getitem__))


def carry(node: Node, parts: list[bytes], rnd: random.Random, loss: float) -> Iterator[int]:
    """Send all, then what is missing, until nothing is; each answer."""
    wanted = list(range(len(parts)))
    for _ in range(60):
        for index in air(wanted, rnd, loss):
            yield node.take(index, parts[index])
        wanted = node.missing()
        if not wanted:
            return
    raise AssertionError("it comes to no end")


@pytest.mark.parametrize(("size", "loss", "where"), [(48, 0.1, FLASH), (48, 0.3, FLASH), (219, 0.3, RAM)])
def test_a_lossy_link(node: Node, size: int, loss: float, where: int) -> None:
    """Fragments of SF12 and of SF7."""
    parts = fragments(node.patch, size)
    assert len(parts) > 6 and node.open(size, where) == (True, 0)
    answers = list(carry(node, parts, random.Random(size + loss), loss))
    assert set(answers) <= {TAKEN, AGAIN} and answers.count(TAKEN) == len(parts)
    assert AGAIN in answers or size > 48, "nothing came twice"
    assert node.feed() == (True, "COMPLETED")
    node.install()
    assert not node.rig.twin.faults and not node.rig.uart.lost


CUTS = [
    pytest.param(at, kind, marks=[] if (at, kind) == (40, ":torn:random=1") else [pytest.mark.soak])
    for at in (3, 40, 101)
    for kind in ("", ":after", ":torn:random=1", ":torn:random=2", ":torn:prefix=3")
]


@pytest.mark.parametrize(("at", "kind"), CUTS)
def test_the_power_fails_while_fragments_come(node: Node, at: int, kind: str) -> None:
    """What was whole is there again; the one that was cut is asked for again, and its place is not used again."""
    parts, rnd = fragments(node.patch, 48), random.Random(at)
    assert node.open(48) == (True, 0)
    node.rig.twin.arm(Cut.parse(f"{at}{kind}"))
    taken = 0
    with pytest.raises(PowerCut):
        for answer in carry(node, parts, rnd, 0.3):
            taken += answer == TAKEN
    node.on()
    good, have = node.open(48)
    assert good and taken <= have <= taken + 1, "a fragment was lost, or one counts that nobody sent"
    answers = list(carry(node, parts, rnd, 0.3))
    assert answers.count(TAKEN) == len(parts) - have
    assert node.feed() == (True, "COMPLETED")
    node.install()


def test_the_power_fails_while_the_engine_is_fed(node: Node) -> None:
    """The engine begins from the first byte, and nothing is sent again."""
    parts = fragments(node.patch, 48)
    assert node.open(48) == (True, 0)
    for index, part in enumerate(parts):
        assert node.take(index, part) == TAKEN
    for at in (2, 30):
        node.rig.twin.arm(Cut.parse(f"{at}:torn:random=5"))
        with pytest.raises(PowerCut):
            node.feed()
        node.on()
        assert node.open(48) == (True, len(parts)) and node.missing() == []
    assert node.feed() == (True, "COMPLETED")
    node.install()


def test_a_record_that_has_changed(node: Node) -> None:
    """Its check does not fit any more: it is asked for again."""
    parts = fragments(node.patch, 48)
    assert node.open(48) == (True, 0) and [node.take(index, parts[index]) for index in range(3)] == [TAKEN] * 3
    at = STORE.start + 64 + 8 + 5
    twin = node.rig.twin
    twin.flash_load(
        at & ~7, bytes(byte ^ (at & 7 == number) for number, byte in enumerate(twin.flash_read(at & ~7, 8)))
    )
    node.on()
    assert node.open(48) == (True, 2) and node.missing()[:2] == [1, 3]
    assert node.take(1, parts[1]) == TAKEN and node.take(1, parts[1]) == AGAIN
    node.on()
    assert node.open(48) == (True, 3) and node.missing()[0] == 3


def test_what_a_reset_forgets_without_flash(node: Node) -> None:
    parts = fragments(node.patch, 219)
    assert node.open(219, RAM) == (True, 0) and node.take(0, parts[0]) == TAKEN
    node.on()
    assert node.open(219, RAM) == (True, 0)


def test_what_strangers_send(node: Node) -> None:
    """Lengths and numbers that cannot be; another file; a file that the engine refuses."""
    parts = fragments(node.patch, 48)
    for size, length in ((0, 100), (225, 100), (48, 0), (48, 48 * 512 + 1), (48, 0xFFFFFFFF), (8, 4_000)):
        request = b"O" + struct.pack("<IIHB", SESSION, length, size, FLASH)
        assert node.ask(request, 3)[0] == 0, (size, length)
        assert node.take(0, b"x") == WRONG and node.missing() == [] and node.feed()[0] is False
    assert node.open(48) == (True, 0)
    for index, part in ((0, parts[0][:-1]), (0, parts[0] + b"x"), (0, b""), (len(parts), parts[0]), (65_535, parts[0])):
        assert node.take(index, part) == WRONG
    assert node.take(len(parts) - 1, parts[0]) == WRONG, "the last one is shorter"
    damaged = [bytes([parts[0][0] ^ 1]) + parts[0][1:], *parts[1:]]
    for index, part in enumerate(damaged):
        assert node.take(index, part) == TAKEN
    assert node.feed() == (False, "INVALID_PATCH_IMAGE")
    assert node.open(48, session=SESSION + 1) == (True, 0), "another file begins with an empty store"
    for index, part in enumerate(parts):
        assert node.take(index, part) == TAKEN
    assert [node.feed() for _ in range(2)] == [(True, "COMPLETED")] * 2, "also when one was fed before"
    node.install()


def test_a_store_that_a_cut_leaves_too_small(node: Node) -> None:
    """A cut costs a place; where none is left that is said, and another session begins with all of them."""
    places = len(STORE) // 64
    length, part = places * 48, bytes(range(48))
    assert node.open(48, length=length) == (True, 0) and node.take(0, part) == TAKEN
    node.rig.twin.arm(Cut.parse("3:torn:random=1"))
    with pytest.raises(PowerCut):
        node.take(1, part)
    node.on()
    assert node.open(48, length=length) == (True, 1)
    answers = [node.take(index, part) for index in range(1, places)]
    assert answers == [TAKEN] * (places - 2) + [NO_ROOM]
    assert node.missing() == [places - 1] and node.feed()[0] is False
    assert node.open(48, length=length, session=SESSION + 1) == (True, 0)
    assert node.take(0, part) == TAKEN
