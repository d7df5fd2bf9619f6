"""Faults of flash, as docs/faults.md has them: what each leaves, where it fits, and that its id replays it."""

from __future__ import annotations

from pathlib import Path

import pytest

from spboot.errors import TwinError
from spboot.twin import Cut, PowerCut, Twin
from spboot.twin.host import state as states
from spboot.twin.memory import ageing
from spboot.twin.memory.frail import FrailCells, Marginal

from .conftest import finish, firmware, out, twin_of

L4, F4, L0, H7, H5 = "STM32L476RG", "STM32F429ZI", "STM32L073RZ", "STM32H745XI", "STM32H563ZI"
PAGE = 0x080F0000
NMI = "void nmi(void) { OUT[30]++; FLASH_ECCR = 3u << 30; }\n"
COUNTED = (
    "OUT[28] = OUT[29] = OUT[30] = 0; uint32_t first = REG({at}); OUT[30] = 0;"
    " for (int i = 0; i < 200; i++) {{ {clear} uint32_t one = REG({at}); if (one != first) OUT[28]++; {flag} }}"
    " OUT[27] = first;"
)
"""Reads the word at AT 200 times: OUT[28] that were unlike the first, OUT[29] corrected ones, OUT[30] NMIs."""


def reading(at: int = PAGE) -> str:
    return COUNTED.format(
        at=f"{at:#x}",
        clear="FLASH_ECCR = 3u << 30;",
        flag="if (FLASH_ECCR >> 30 & 1) OUT[29]++; FLASH_ECCR = 3u << 30;",
    )


def plain(at: int) -> str:
    return COUNTED.format(at=f"{at:#x}", clear="", flag="")


def cut_off(twin: Twin, cut: str) -> None:
    twin.arm(Cut.parse(cut))
    with pytest.raises(PowerCut):
        twin.run(seconds=30)


def counts(twin: Twin) -> tuple[int, int, int]:
    """Reads unlike the first, corrected, failed."""
    return out(twin, 28), out(twin, 29), out(twin, 30)


def after_a_cut(
    part: str, work: str, cut: str, read: str, *, seed: int = 0, before: bytes = b"", at: int = PAGE
) -> Twin:
    """A twin of *part* whose *work* was cut, and which then did *read*."""
    twin = Twin(part, seed=seed)
    nmi = NMI if part == L4 else ""
    twin.flash_load(0x08000000, firmware(f"{nmi}void main_(void) {{ unlock(); {work} }}", part))
    if before:
        twin.flash_load(at, before)
    twin.power_on()
    cut_off(twin, cut)
    twin.flash_load(0x08000000, firmware(f"{nmi}void main_(void) {{ {read} }}", part))
    twin.power_on()
    finish(twin, 30)
    return twin


# marginal cells


@pytest.mark.parametrize("seed", range(4))
def test_marginal_bits_read_one_way_now_and_another_later(seed: int) -> None:
    """Without ECC: the value changes, only in bits that the program was to change, and no exception tells."""
    at = 0x08180000
    twin = after_a_cut(F4, f"program({at:#x}, 0xffff0000);", f"0:marginal={seed}", plain(at), at=at)
    (found,) = twin.flash.frail.marginal.values()
    assert found.mask and not found.mask & ~0xFFFF
    assert 20 < out(twin, 28) < 200
    assert out(twin, 27) | 0xFFFF == 0xFFFFFFFF


def test_marginal_units_with_ecc_fail_most_reads_and_change_in_the_others() -> None:
    twin = after_a_cut(L4, "program(0x080f0000, 0x5555, 0x3333);", "0:marginal=3", reading())
    changed, corrected, failed = counts(twin)
    assert 100 < failed < 195
    assert changed > 10
    assert corrected == 0


def test_readable_marginal_units_never_fail() -> None:
    twin = after_a_cut(L4, "program(0x080f0000, 0x5555, 0x3333);", "0:marginal=3:readable", reading())
    changed, corrected, failed = counts(twin)
    assert changed > 20
    assert (corrected, failed) == (0, 0)


def test_each_read_is_decided_by_the_seed() -> None:
    def values(seed: int) -> list[int]:
        at = 0x08180000
        read = f"for (int i = 0; i < 20; i++) OUT[i] = REG({at:#x});"
        twin = after_a_cut(F4, f"program({at:#x}, 0);", "0:marginal=9", read, seed=seed, at=at)
        return [out(twin, i) for i in range(20)]

    assert values(1) == values(1) != values(2)


def test_marginal_until_erased_again() -> None:
    """A program over them leaves those marginal that are to stay erased; an erase heals."""
    at = 0x08180000
    twin = after_a_cut(
        F4, f"program({at:#x}, 0xffff0000);", "0:marginal=1", f"unlock(); program({at:#x}, 0xffffff00);", at=at
    )
    (found,) = twin.flash.frail.marginal.values()
    assert found.mask and not found.mask & ~0xFF00
    twin = after_a_cut(F4, f"program({at:#x}, 0xffff0000);", "0:marginal=1", f"unlock(); erase(24); {plain(at)}", at=at)
    assert not twin.flash.frail.marginal
    assert (out(twin, 27), out(twin, 28)) == (0xFFFFFFFF, 0)


def test_a_torn_erase_leaves_marginal_bits_all_over() -> None:
    before = bytes(2048)
    twin = after_a_cut(L4, "erase(1, 224);", "0:marginal=4", "", before=before)
    assert len(twin.flash.frail.marginal) > 20
    assert not twin.flash.poisoned & twin.flash.frail.marginal.keys()


def test_code_with_marginal_bits_is_not_run() -> None:
    twin = twin_of("void main_(void) { unlock(); program(0x080f0000, 0x47704770, 0x47704770); }")
    cut_off(twin, "0:marginal=2:readable")
    twin = restarted(twin, "((void (*)(void))0x080f0001)();")
    with pytest.raises(TwinError, match="fetch from a word that fails its ECC or has marginal bits"):
        twin.run(seconds=1)


def restarted(twin: Twin, code: str) -> Twin:
    """The same flash with another program."""
    twin.flash_load(0x08000000, firmware(f"{NMI}void main_(void) {{ {code} }}", twin.chip.name))
    twin.power_on()
    return twin


# weak erase


def _weak(part: str, work: str, at: int, seed: int, read: str, size: int = 2048) -> Twin:
    erased = 0x00 if part == L0 else 0xFF
    return after_a_cut(part, work, f"0:weak={seed}", read, before=bytes([erased ^ 0xFF]) * size, at=at)


WEAK = {
    L4: ("erase(1, 224);", PAGE, 0x800),
    F4: ("erase(24);", 0x08180000, 0x20000),
    L0: ("erase(0x08020000);", 0x08020000, 128),
    H7: ("erase(4);", 0x08180000, 0x20000),
}


@pytest.mark.parametrize("part", WEAK)
def test_a_weakly_erased_page_reads_as_erased(part: str) -> None:
    work, at, size = WEAK[part]
    for seed in range(3):
        twin = _weak(part, work, at, seed, "", size=size)
        assert twin.flash_read(at, size) == bytes([twin.flash.erased]) * size
        assert not twin.flash.poisoned
        assert 1 <= sum(bits.bit_count() for bits in twin.flash.frail.weak.values()) <= 64


def test_its_bits_show_when_they_are_programmed() -> None:
    """Without ECC: a bit that is to stay erased reads as programmed, always or now and then."""
    wrong = unsteady = 0
    for seed in range(12):
        twin = _weak(F4, "erase(24);", 0x08180000, seed, "", size=0x400)
        (unit, bits) = next(iter(twin.flash.frail.weak.items()))
        restarted_f4 = f"unlock(); program({unit:#x}, 0xffffffff); {plain(unit)}"
        twin.flash_load(0x08000000, firmware(f"void main_(void) {{ {restarted_f4} }}", F4))
        twin.power_on()
        finish(twin)
        held = twin.flash.frail.marginal.get(unit)
        assert unit not in twin.flash.frail.weak
        assert out(twin, 27) | bits == 0xFFFFFFFF
        wrong += held is None and out(twin, 27) == 0xFFFFFFFF & ~bits
        unsteady += out(twin, 28) > 10
    assert wrong and unsteady


def test_with_ecc_one_bit_is_corrected_and_two_fail() -> None:
    corrected = failed = 0
    for seed in range(24):
        twin = _weak(L4, "erase(1, 224);", PAGE, seed, "")
        unit = max(twin.flash.frail.weak, key=lambda at: twin.flash.frail.weak[at].bit_count())
        number = twin.flash.frail.weak[unit].bit_count()
        restarted(twin, f"unlock(); program({unit:#x}, 0x0f0f0f0f, 0xf0f0f0f0); {reading(unit)}")
        finish(twin)
        assert out(twin, 27) == 0x0F0F0F0F or number > 1
        corrected += out(twin, 29) > 0
        failed += out(twin, 30) > 0
        assert number > 1 or out(twin, 30) == 0
    assert corrected and failed


def test_wrong_bits_of_a_whole_program_are_counted_at_each_read() -> None:
    """None reads right, one is corrected, two or more fail."""
    frail = FrailCells(8, 0xFF, 0)
    frail.marginal[PAGE] = Marginal(mask=7, written=0xFF)
    for value, outcome in (frail.read(PAGE, 0xFF) for _ in range(60)):
        assert outcome == ("failed" if (value ^ 0xFF).bit_count() > 1 else outcome)
        assert (outcome == "failed") == (value != 0xFF)
    assert {frail.read(PAGE, 0xFF)[1] for _ in range(60)} == {"right", "corrected", "failed"}


def test_a_weak_cut_of_a_program_says_so() -> None:
    twin = twin_of("void main_(void) { unlock(); program(0x080f0000, 1, 2); }")
    twin.arm(Cut.parse("0:weak=1"))
    with pytest.raises(TwinError, match="its operation is a program of 8 bytes at 0x080f0000, and weak is of an erase"):
        twin.run(seconds=1)


# single-bit errors


@pytest.mark.parametrize("seed", range(6))
def test_a_single_bit_error_reads_right_and_is_flagged(seed: int) -> None:
    """RM0351 3.3.9: ECCC and the address, no NMI; old or new, never a third."""
    read = f"{reading()} OUT[1] = REG(0x080f0000); OUT[2] = FLASH_ECCR;"
    twin = after_a_cut(L4, "program(0x080f0000, 0x5555, 0x3333);", f"0:single={seed}", read)
    assert counts(twin) == (0, 200, 0)
    assert out(twin, 1) in (0x5555, 0xFFFFFFFF)
    assert out(twin, 2) == 1 << 30 | 1 << 19 | 0x70000


def test_single_errors_leave_the_old_and_the_new() -> None:
    found = {
        after_a_cut(L4, "program(0x080f0000, 0x5555, 0x3333);", f"0:single={seed}", "").flash_read(PAGE, 4)
        for seed in range(8)
    }
    assert found == {b"\xff" * 4, b"\x55\x55\0\0"}


def test_while_eccc_stands_a_double_error_is_not_noted() -> None:
    """RM0351, FLASH_ECCR: the register keeps the first error until its flags are cleared."""
    twin = Twin(L4)
    twin.flash.frail.corrected[PAGE] = 1
    twin.flash.poisoned.add(PAGE + 8)
    restarted(twin, "OUT[30] = 0; (void)REG(0x080f0000); (void)REG(0x080f0008); OUT[0] = OUT[30];"
              " FLASH_ECCR = 1u << 30; (void)REG(0x080f0008);")  # fmt: skip
    finish(twin)
    assert (out(twin, 0), out(twin, 30)) == (0, 1)


def test_corrections_interrupt_where_eccie_is_set() -> None:
    """RM0351 3.7.5: ECCIE, bit 24; the interrupt of FLASH is number 4."""
    source = """void irq(void) { OUT[5]++; OUT[6] = FLASH_ECCR; FLASH_ECCR = 1u << 30; }
        void main_(void) { OUT[5] = 0; REG(0xe000e100) = 16; FLASH_ECCR = 1u << 24; (void)REG(0x080f0000);
        for (volatile int i = 0; i < 99; i++) {} }"""
    twin = twin_of(source)
    twin.flash.frail.corrected[PAGE] = 1
    twin.power_on()
    finish(twin)
    assert out(twin, 5) == 1
    assert out(twin, 6) == 1 << 30 | 1 << 24 | 1 << 19 | 0x70000


def test_flags_of_other_families() -> None:
    """RM0399 4.7.7: SNECCERR1, bit 25, and the address by 32 bytes; RM0481, FLASH_ECCCORR: ECCC, bit 30, by 16."""
    twin = twin_of("void main_(void) { OUT[1] = REG(0x08180040); OUT[0] = FLASH_SR2; OUT[2] = FLASH_ECC_FA2;"
                   " FLASH_CCR2 = 1u << 25; OUT[3] = FLASH_SR2; }", H7)  # fmt: skip
    twin.flash.frail.corrected[0x08180040] = 1
    twin.power_on()
    finish(twin)
    assert [out(twin, i) for i in range(4)] == [1 << 25, 0xFFFFFFFF, 0x80040 // 32, 0]
    twin = twin_of("void main_(void) { OUT[1] = REG(0x08180040); OUT[0] = REG(0x40022100); REG(0x40022100) = 1u << 30;"
                   " OUT[2] = REG(0x40022100); }", H5)  # fmt: skip
    twin.flash.frail.corrected[0x08180040] = 1
    twin.power_on()
    finish(twin)
    assert [out(twin, i) for i in range(3)] == [1 << 30 | 1 << 22 | 0x80040 // 16, 0xFFFFFFFF, 0]


@pytest.mark.parametrize("part", [F4, L0, "STM32F769NI"])
def test_parts_whose_ecc_reports_nothing_have_no_single_errors(part: str) -> None:
    with pytest.raises(TwinError, match="no ECC of this part reports an error"):
        Twin(part).arm(Cut.parse("3:single=1"))


# faults of a run


def worn(part: str, fault: str, code: str) -> Twin:
    twin = twin_of(f"void main_(void) {{ unlock(); {code} }}", part)
    twin.flash.ask(ageing.parse(fault))
    finish(twin, 60)
    return twin


def test_a_worn_page_is_good_for_that_many_erases() -> None:
    clean, found = b"\xff" * 2048, []
    for erases in range(1, 6):
        twin = worn(L4, "worn:0x080f0000=3", "erase(1, 224);" * erases)
        found.append(twin.flash_read(PAGE, 2048) == clean and not twin.flash.frail.corrected)
    assert found == [True, True, True, False, False]
    twin = worn(L4, "worn:0x080f0000=0", "erase(1, 225);")
    assert twin.flash_read(PAGE + 2048, 2048) == clean and not twin.flash.frail.corrected


def test_a_worn_page_misses_bits_of_programs() -> None:
    code = "for (uint32_t at = 0x08180000; at < 0x08180200; at += 4) program(at, 0);"
    twin = worn(F4, "worn:0x08180000=0", code)
    missed = [word for word in range(128) if twin.flash_read(0x08180000 + 4 * word, 4) != bytes(4)]
    assert 4 < len(missed) < 40
    assert worn(F4, "worn:0x08180000=1", code).flash_read(0x08180000, 512) == bytes(512)


def test_a_worn_page_that_fails_stays_as_it_was() -> None:
    """RM0351 3.7.4: OPERR, with ERRIE alone."""
    code = "FLASH_CR = 1u << 25 | 2 | 224 << 3 | 1u << 11; FLASH_CR |= 1u << 16; while (FLASH_SR & BUSY) {}"
    twin = worn(
        L4, "worn:0x080f0000=0:fails", f"program(0x080f0000, 1, 2); OUT[1] = FLASH_SR; {code} OUT[0] = FLASH_SR;"
    )
    assert twin.flash_read(PAGE, 8) == b"\xff" * 8
    assert (out(twin, 0), out(twin, 1)) == (2, 0)
    assert len(twin.log) == 2


MAXIMAL = {
    L4: ("erase(1, 224); program(0x080f0000, 1, 2);", 24.47e-3 + 90.76e-6),
    "STM32G0B1RE": ("erase(1, 20); program(0x0804a000, 1, 2);", 40e-3 + 125e-6),
    "STM32G474RE": ("erase(1, 20); program(0x0804a000, 1, 2);", 24.47e-3 + 83.35e-6),
    "STM32L562QE": ("erase(1, 20); program(0x0804a000, 1, 2);", 24.47e-3 + 83.35e-6),
    "STM32U575ZI": ("erase(1, 20); program(0x08128000, 1, 2);", 3.4e-3 + 118e-6),
    H5: ("erase(1, 20); program(0x08128000, 1, 2);", 10e-3 + 100e-6),
    "STM32F769NI": ("erase(4); program(0x08020000, 1);", 1.1 + 100e-6),
    "STM32F746NG": ("erase(5); program(0x08040000, 1);", 2 + 100e-6),
    "STM32F722RE": ("erase(5); program(0x08020000, 1);", 1.322 + 100e-6),
    F4: ("erase(24); program(0x08180000, 1);", 2 + 100e-6),
    L0: ("erase(0x08020000);", 3.94e-3),
    H7: ("erase(4); program(0x08180000, 1);", 2 + 200e-6),
}


@pytest.mark.parametrize("part", MAXIMAL)
def test_operations_take_their_longest_time(part: str) -> None:
    """DS10969 table 53, DS13560 48, DS12288 47, DS12736 95, DS14217 86, DS14053 46, DS11532 56, DS10916 49, DS12536 53,
    DS9405 48, DS10685 53, DS12110 140."""
    code, seconds = MAXIMAL[part]
    twin = worn(part, "maximal", code)
    assert twin.log.busy_ps == pytest.approx(seconds * 1e12, rel=1e-4)


@pytest.mark.parametrize("text", ["worn", "worn:8040000=3", "worn:0x08040000", "worn:0x08040000=x", "slow", ""])
def test_a_fault_that_is_none(text: str) -> None:
    with pytest.raises(TwinError, match=r"expected maximal .* or worn:0x08040000=3"):
        ageing.parse(text)


def test_names_of_lasting_faults() -> None:
    for text in ("worn:0x08040000=3", "worn:0x08040000=0:fails"):
        assert str(ageing.parse(text)) == text
    with pytest.raises(TwinError, match="no flash at 0x20000000"):
        Twin(L4).flash.ask(ageing.parse("worn:0x20000000=3"))


# what keeps them


def test_a_snapshot_and_a_state_file_hold_them(tmp_path: Path) -> None:
    twin = after_a_cut(L4, "program(0x080f0000, 0x5555, 0x3333);", "0:marginal=3:readable", "")
    twin.flash.frail.weak[PAGE + 8] = 5
    twin.flash.frail.corrected[PAGE + 16] = 2
    twin.flash.ask(ageing.parse("worn:0x080f0000=3"))
    snapshot, kept = twin.snapshot(), twin.flash.frail.save()
    path = tmp_path / "state"
    states.save(twin, path)

    def reads(device: Twin) -> list[int]:
        restarted(device, "for (int i = 0; i < 20; i++) OUT[i] = REG(0x080f0000);")
        finish(device)
        return [out(device, i) for i in range(20)]

    first = reads(twin)
    assert len(set(first)) > 3
    twin.restore(snapshot)
    assert twin.flash.frail.save() == kept
    assert twin.flash.ageing.save()[1]
    assert reads(twin) == first
    other = Twin(L4)
    states.load(other, path)
    assert other.flash.frail.save() == kept
    assert reads(other) == first
    broken = path.read_bytes().replace(b'"frail": [', b'"frail": {')
    (tmp_path / "broken").write_bytes(broken)
    with pytest.raises(TwinError, match="not a state file"):
        states.load(Twin(L4), tmp_path / "broken")
