"""The operation log, cuts, tears and ECC."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable

import pytest

from spboot.errors import TwinError
from spboot.twin import Cut, PowerCut, Twin
from spboot.twin.memory.oplog import tear

from .conftest import done, finish, out

Make = Callable[[str], Twin]
PAGE = 0x080F0000
WORK = "void main_(void) { unlock(); erase(1, 224); program(0x080f0000, 0x11111111, 0x22222222);" \
    " program(0x080f0008, 3, 4); OUT[0] = 7; }"  # fmt: skip
DATA = bytes.fromhex("1111111122222222")


def test_every_operation_is_in_the_log(make: Make) -> None:
    twin = make(WORK)
    finish(twin)
    assert [(op.kind, op.address, op.size) for op in twin.log] == [
        ("erase", PAGE, 2048),
        ("program", PAGE, 8),
        ("program", PAGE + 8, 8),
    ]
    assert twin.log[1].data == DATA
    assert (twin.log.erases(PAGE, PAGE + 1), twin.log.programs(PAGE, PAGE + 8), twin.log.programs()) == (1, 1, 2)
    assert twin.log.by_page("program", 2048) == {PAGE: 2}
    twin.log.clear()
    assert len(twin.log) == 0


def test_operations_take_their_time(make: Make) -> None:
    """DS10969 table 53: page erase 22.02 ms, double word 81.69 us."""
    twin = make(WORK)
    finish(twin)
    assert twin.log[1].time - twin.log[0].time == pytest.approx(22.02e-3, rel=0.01)
    assert twin.log[2].time - twin.log[1].time == pytest.approx(81.69e-6, rel=0.2)
    assert twin.log.busy_ps == pytest.approx(22.02e9 + 2 * 81.69e6, rel=0.001)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_cut_beside_an_operation(make: Make, at: int, when: str) -> None:
    twin = make(WORK)
    twin.flash_load(PAGE, b"old!" * 512)
    twin.arm(Cut(at=at, when=when))  # type: ignore[arg-type]
    with pytest.raises(PowerCut, match=f"power cut {when}"):
        twin.run()
    happened = at + (when == "after")
    expected = b"old!" * 2 if happened == 0 else b"\xff" * 8 if happened == 1 else DATA
    assert twin.flash_read(PAGE, 8) == expected
    assert (twin.flash_read(PAGE + 8, 8) == b"\3\0\0\0\4\0\0\0") == (happened == 3)
    with pytest.raises(TwinError, match="no power"):
        twin.run()
    twin.power_on()
    finish(twin)  # armed once only
    assert twin.flash_read(PAGE, 8) == DATA


def test_a_cut_counts_from_when_it_is_armed(make: Make) -> None:
    twin = make(WORK)
    finish(twin)
    twin.reset()
    twin.arm(Cut(at=1, when="before"))
    with pytest.raises(PowerCut):
        twin.run()
    assert len(twin.log) == 5


PATTERNS = {
    ("prefix", 4): 0x000000000000000F,
    ("suffix", 4): 0xF000000000000000,
    ("miss", 3): 0xFFFFFFFFFFFFFFF7,
}


class Nor:
    """Cells of a flash chip beside the twin."""

    def __init__(self) -> None:
        self.cells = bytes(4)

    def put(self, _address: int, data: bytes) -> None:
        self.cells = data

    def tear(self, _address: int, new: bytes, cut: Cut) -> None:
        self.cells = tear(self.cells, new, cut.pattern)


@pytest.mark.parametrize(
    ("cut", "outside", "inside"),
    [
        (Cut(at=1, when="before"), 0, 0),
        (Cut(at=1, when="torn", pattern=("prefix", 8)), 0xFF, 0),
        (Cut(at=1, when="after"), 0xFFFF, 0),
        (Cut(at=2, when="before"), 0xFFFF, 0),
        (Cut(at=2, when="after"), 0xFFFF, 1),
        (Cut(at=9), 0xFFFF, 1),
    ],
    ids=str,
)
def test_a_chip_beside_the_twin_is_in_the_same_log_and_under_the_same_cut(
    make: Make, cut: Cut, outside: int, inside: int
) -> None:
    """One order of all operations, whose numbers a cut counts."""
    twin, nor = make(WORK), Nor()
    twin.arm(cut)
    twin.run(until=lambda: len(twin.log) == 1)
    with pytest.raises(PowerCut, match=f"cut {re.escape(str(cut))}") if cut.at < 9 else contextlib.nullcontext():
        twin.log.perform("program", nor, 0x90000000, b"\xff\xff\0\0")
        twin.run(until=lambda: len(twin.log) == 3)
    places = [(op.index, op.kind, op.address) for op in twin.log]
    assert places == [(0, "erase", PAGE), (1, "program", 0x90000000), (2, "program", PAGE)][: len(places)]
    assert len(places) == min(cut.at + 1, 3)
    assert int.from_bytes(nor.cells, "little") == outside
    assert twin.flash_read(PAGE, 8) == (DATA if inside else b"\xff" * 8)


def test_what_was_done_to_a_chip_beside_the_twin_counts_in_the_name_of_a_cut(make: Make) -> None:
    twin, nor = make(WORK), Nor()
    twin.log.perform("erase", nor, 0x90000000, b"\xff" * 4)
    twin.arm(Cut(at=1))
    with pytest.raises(PowerCut, match=r"before program of 8 bytes at 0x080f0000 \(cut 2\)"):
        twin.run()


@pytest.mark.parametrize(("pattern", "mask"), PATTERNS.items())
def test_tear_patterns(pattern: tuple[str, int], mask: int) -> None:
    """Bits of the mask have changed, the others have not."""
    torn = tear(b"\xff" * 8, b"\0" * 8, pattern)
    assert int.from_bytes(torn, "little") == ~mask & (1 << 64) - 1


def test_random_tears_are_a_mixture_and_repeat() -> None:
    old, new = b"\xff" * 64, b"\x0f" * 64
    torn = tear(old, new, ("random", 5))
    assert torn == tear(old, new, ("random", 5)) != tear(old, new, ("random", 6))
    assert torn not in (old, new)
    assert all(byte & 0x0F == 0x0F for byte in torn)


READ = """
void nmi(void) { OUT[4] = FLASH_ECCR; OUT[5] = ((uint32_t *)__builtin_frame_address(0))[0]; OUT[3]++;
    FLASH_ECCR = 1u << 31; }
void main_(void) { if (REG(0x080f0010) == 1) { unlock(); erase(1, 224); program(0x080f0000, 1, 2); }
    OUT[3] = 0; OUT[0] = REG(0x080f0000); OUT[1] = OUT[3]; OUT[2] = REG(0x080f0008); }
"""


def _torn(make: Make, poison: bool) -> Twin:
    twin = make(READ)
    twin.flash_load(PAGE, b"\1\0\0\0" * 8)
    twin.arm(Cut(at=1, when="torn", pattern=("miss", 0), poison=poison))
    with pytest.raises(PowerCut):
        twin.run()
    return twin


def test_a_torn_word_raises_the_nmi_after_the_load(make: Make) -> None:
    """RM0351 3.3.9: ECCD, BK_ECC and the double word's address in its bank, in ADDR_ECC."""
    twin = _torn(make, poison=True)
    twin.power_on()
    finish(twin)
    assert out(twin, 1) == 1
    assert out(twin, 4) == 1 << 31 | 1 << 19 | 0x70000
    assert out(twin, 0) == 1  # the tear missed bit 0 of a 1: what the cells hold


def test_a_tear_that_reads_cleanly_raises_nothing(make: Make) -> None:
    twin = _torn(make, poison=False)
    twin.power_on()
    finish(twin)
    assert out(twin, 1) == 0


AT = """
__attribute__((naked)) void nmi(void) { __asm volatile(
    "ldr r0, =0x20000100\\nldr r1, [sp, #24]\\nstr r1, [r0, #16]\\nldr r2, [r0, #12]\\n"
    "add r2, #1\\nstr r2, [r0, #12]\\n"
    "ldr r3, =0x40022018\\nldr r2, [r3]\\nmov r2, #0x80000000\\nstr r2, [r3]\\n"
    "%s\\n bx lr"); }
__attribute__((naked)) void main_(void) { __asm volatile(
    "ldr r0, =0x20000100\\nmov r1, #0\\nstr r1, [r0, #12]\\nldr r1, =0x080f0000\\nadr r3, 1f\\nstr r3, [r0, #20]\\n"
    ".balign 4\\n1: ldr r2, [r1]\\nstr r2, [r0]\\nbx lr\\n"); }
"""


@pytest.mark.parametrize(("flavour", "distance"), [("at", 0), ("after", 2)])
def test_the_stacked_pc_is_at_or_after_the_load(make: Make, flavour: str, distance: int) -> None:
    """ "at": a handler that steps over the load ends the matter; without that the load is tried again for ever."""
    step = "ldr r1, [sp, #24]\\nadd r1, #2\\nstr r1, [sp, #24]" if flavour == "at" else "nop"
    twin = make(AT % step)
    twin.flash.poisoned.add(PAGE)
    twin.ecc_nmi = flavour  # type: ignore[assignment]
    twin.power_on()
    finish(twin)
    assert out(twin, 3) == 1
    assert out(twin, 4) - out(twin, 5) == distance


def test_at_the_load_is_tried_again(make: Make) -> None:
    twin = make(AT % "nop")
    twin.flash.poisoned.add(PAGE)
    twin.ecc_nmi = "at"
    twin.power_on()
    assert not twin.run(until=lambda: done(twin), seconds=0.01)
    assert out(twin, 3) > 10


def test_an_nmi_that_does_not_clear_eccd_comes_back(make: Make) -> None:
    source = READ.replace("FLASH_ECCR = 1u << 31;", "")
    twin = make(source)
    twin.flash.poisoned.add(PAGE)
    twin.power_on()
    assert not twin.run(until=lambda: done(twin), seconds=0.01)
    assert out(twin, 3) >= 2


def test_erase_heals_and_program_of_a_poisoned_word_is_refused(make: Make) -> None:
    source = """
    void nmi(void) { OUT[3]++; FLASH_ECCR = 1u << 31; }
    void main_(void) { OUT[3] = 0; unlock(); program(0x080f0000, 1, 2); OUT[0] = FLASH_SR; FLASH_SR = 0xc3fa;
        erase(1, 224); program(0x080f0000, 1, 2); OUT[1] = FLASH_SR; OUT[2] = REG(0x080f0000); }"""
    twin = make(source)
    twin.flash.poisoned.add(PAGE)
    twin.power_on()
    finish(twin)
    assert [out(twin, i) for i in range(4)] == [8, 0, 1, 0]


def test_fetching_a_poisoned_word_is_refused(make: Make) -> None:
    twin = make("void main_(void) { ((void (*)(void))0x080f0001)(); }")
    twin.flash_load(PAGE, bytes.fromhex("7047") * 4)
    twin.flash.poisoned.add(PAGE)
    twin.power_on()
    with pytest.raises(TwinError, match="fetch"):
        twin.run()


def test_a_torn_erase_is_a_mixture(make: Make) -> None:
    twin = make(WORK)
    twin.flash_load(PAGE, bytes(2048))
    twin.arm(Cut(at=0, when="torn", pattern=("random", 4)))
    with pytest.raises(PowerCut):
        twin.run()
    page = twin.flash_read(PAGE, 2048)
    assert page not in (bytes(2048), b"\xff" * 2048)
    assert 0 < len(twin.flash.poisoned) < 256


def test_code_in_the_bank_under_erase_stands_still_code_in_the_other_runs(make: Make) -> None:
    """RM0351 3.3.8: bank 2 is busy, code in bank 1 sees BSY; bank 1 is busy, it does not."""
    source = """void main_(void) { unlock(); FLASH_CR = 2 | 224 << 3 | 1u << 11;
        FLASH_CR = 0x10002 | 224 << 3 | 1u << 11;
        OUT[0] = FLASH_SR >> 16; while (FLASH_SR) {} FLASH_CR = 2 | 200 << 3; FLASH_CR = 0x10002 | 200 << 3;
        OUT[1] = FLASH_SR >> 16; }"""
    twin = make(source)
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (1, 0)
