"""Functions that compilers call by themselves (boot/memory.c, driver/divide.c), out of the bootloader's ELF."""

from __future__ import annotations

import random

import pytest
from unicorn import arm_const

from spboot.boards import Board
from spboot.builder.compiler import NAMES
from spboot.twin.measure.callee import Callee
from tests.system.rig import functions, workshop

pytestmark = pytest.mark.both_compilers


@pytest.fixture(
    scope="module", params=[(board, name) for board in ("NUCLEO-L073RZ", "NUCLEO-L476RG") for name in NAMES]
)
def chip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callee:
    """A Cortex-M0+, a Cortex-M4."""
    board, compiler = request.param
    folder = tmp_path_factory.mktemp(f"libcalls-{board}-{compiler}")
    return functions(workshop(Board.load(board), compiler, folder), counting=False)


def test_division(chip: Callee) -> None:
    if "__aeabi_uidivmod" not in chip.symbols:
        pytest.skip("this core divides by itself")
    generator = random.Random(1)
    edges = [0, 1, 2, 9, 10, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFE, 0xFFFFFFFF]
    pairs = [(a, b) for a in edges for b in edges]
    pairs += [(generator.getrandbits(32), generator.getrandbits(generator.randint(1, 32))) for _ in range(300)]
    for value, by in pairs:
        expected = divmod(value, by) if by else (0xFFFFFFFF, value)
        assert chip.call("__aeabi_uidiv", value, by).r0 == expected[0]
        assert chip.call("__aeabi_uidivmod", value, by).r0 == expected[0]
        assert chip.uc.reg_read(arm_const.UC_ARM_REG_R1) == expected[1], (value, by)


@pytest.mark.parametrize("name", ["memcpy", "memmove"])
@pytest.mark.parametrize("length", [0, 1, 2, 31])
@pytest.mark.parametrize("distance", [-40, -5, -1, 0, 1, 5, 40])
def test_copy(chip: Callee, name: str, length: int, distance: int) -> None:
    """Of places that overlap, too, where the function is for that."""
    if name == "memcpy" and 0 < abs(distance) < length:
        return
    chip.release()
    before = bytes(range(1, 121))
    area = chip.allocate(before)
    source, target = 44, 44 + distance
    assert chip.call(name, area + target, area + source, length).r0 == area + target
    expected = bytearray(before)
    expected[target : target + length] = before[source : source + length]
    assert chip.read(area, len(before)) == expected


@pytest.mark.parametrize("length", [0, 1, 33])
def test_fill(chip: Callee, length: int) -> None:
    chip.release()
    area = chip.allocate(b"\xaa" * 48)
    assert chip.call("memset", area + 4, 0x155, length).r0 == area + 4
    assert chip.read(area, 48) == b"\xaa" * 4 + b"\x55" * length + b"\xaa" * (44 - length)


def test_comparison(chip: Callee) -> None:
    for a, b, sign in ((b"abc", b"abc", 0), (b"abc", b"abd", -1), (b"b\x00", b"a\xff", 1), (b"\x80", b"\x7f", 1)):
        chip.release()
        r0 = chip.call("memcmp", chip.allocate(a), chip.allocate(b), len(a)).r0
        assert (r0 > 0) - (r0 > 0x7FFFFFFF) * 2 == sign, (a, b)
    assert chip.call("memcmp", chip.allocate(b"a"), chip.allocate(b"b"), 0).r0 == 0
