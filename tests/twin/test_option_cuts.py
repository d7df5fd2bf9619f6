"""Option bytes that a cut meets, and what a probe may at each level of read protection.  Typed from RM0351 3.4.2 and
3.5.1, RM0444 3.4.2, RM0090 3.7.2 and 3.7.3, RM0367 3.8.2, RM0399 4.4.3, RM0481 7.4."""

from __future__ import annotations

from pathlib import Path

import pytest

from spboot.errors import TwinError
from spboot.twin import Cut, PowerCut, Twin
from spboot.twin.host import state as states
from spboot.twin.host.probe import Probe
from spboot.twin.memory.oplog import Operation

from .conftest import finish, firmware, out

L4, G0, F4, F7, L0, H7, H5 = (
    "STM32L476RG", "STM32G0B1RE", "STM32F429ZI", "STM32F769NI", "STM32L073RZ", "STM32H745XI", "STM32H563ZI",
)  # fmt: skip
ECC = (
    "REG(0x40022008) = 0x45670123; REG(0x40022008) = 0xcdef89ab; REG(0x4002200c) = 0x08192a3b;"
    " REG(0x4002200c) = 0x4c5d6e7f;"
)
CODE = {
    # RDP = 0xBB and WRP1A from page 0 to page 11
    L4: f"{ECC} REG(0x40022020) = 0xffeff8bb; REG(0x4002202c) = 0xff0bff00; REG(0x40022014) = 1u << 17;"
    " while (REG(0x40022010) & 1u << 16) {} REG(0x40022014) = 1u << 27; for (;;) {}",
    G0: f"{ECC} REG(0x40022020) = 0xfffffebb; REG(0x4002202c) = 0x000b0000; REG(0x40022014) = 1u << 17;"
    " while (REG(0x40022010) & 1u << 16) {} REG(0x40022014) = 1u << 27; for (;;) {}",
    F4: "REG(0x40023c08) = 0x08192a3b; REG(0x40023c08) = 0x4c5d6e7f; REG(0x40023c14) = 0x0ffcbbec;"
    " REG(0x40023c14) = 0x0ffcbbee; while (REG(0x40023c0c) & 1u << 16) {}",
    F7: "REG(0x40023c08) = 0x08192a3b; REG(0x40023c08) = 0x4c5d6e7f; REG(0x40023c14) = 0xfffebbfc;"
    " REG(0x40023c14) = 0xfffebbfe; while (REG(0x40023c0c) & 1u << 16) {}",
    L0: "unlock(); REG(0x40022014) = 0xfbead9c8; REG(0x40022014) = 0x24252627; FLASH_PECR &= ~(PROG | ERASE | FPRG);"
    " REG(0x1ff80008) = 0xffc0003f; while (FLASH_SR & BUSY) {} REG(0x1ff80000) = 0xff4400bb;"
    " while (FLASH_SR & BUSY) {}",
    H7: "REG(0x52002008) = 0x08192a3b; REG(0x52002008) = 0x4c5d6e7f;"
    " REG(0x52002020) = REG(0x52002020) & ~0xff00u | 0xbb00;"
    " REG(0x5200203c) = 0xfe; REG(0x52002018) = 2; while (REG(0x5200201c) & 1) {}",
    H5: "REG(0x4002200c) = 0x08192a3b; REG(0x4002200c) = 0x4c5d6e7f; REG(0x400220ec) = 0xfffffffe; REG(0x4002201c) = 2;"
    " while (FLASH_SR & 1) {}",
}  # fmt: skip
SHIPPED = {L4: ("OPTR", 0xAA), G0: ("OPTR", 0xAA), F4: ("OPTCR", 0xAA00), F7: ("OPTCR", 0xAA00), L0: ("OPTR", 0xAA),
           H7: ("OPTSR_CUR", 0xAA00)}  # fmt: skip


def changed(part: str, cut: Cut | None = None) -> Twin:
    """A twin whose firmware changed option bytes, cut at *cut*; started again with one that does nothing."""
    twin = Twin(part)
    body = f"if (OUT[8] != 77) {{ OUT[8] = 77; {CODE[part]} }}"
    twin.flash_load(0x08000000, firmware(f"void main_(void) {{ {body} }}", part))
    twin.power_on()
    if cut is None:
        finish(twin, 20)
    else:
        twin.arm(cut)
        with pytest.raises(PowerCut):
            finish(twin, 20)
    twin.flash_load(0x08000000, firmware("void main_(void) { OUT[0] = 5; }", part))
    twin.power_on()
    return twin


def level(twin: Twin) -> int:
    return twin.flash_controller.level


@pytest.mark.parametrize("part", CODE)
def test_a_change_is_an_operation_of_the_log(part: str) -> None:
    twin = changed(part)
    found = [op for op in twin.log if op.kind == "options"]
    assert len(found) == (2 if part == L0 else 1)
    assert all(isinstance(op, Operation) and op.data for op in found)
    assert level(twin) == (0 if part == H5 else 1)
    assert not twin.log.erases()


@pytest.mark.parametrize("part", CODE)
def test_before_and_after(part: str) -> None:
    """Nothing, and all of it."""
    last = 1 if part == L0 else 0
    assert level(changed(part, Cut(at=0, when="before"))) == 0
    assert changed(part, Cut(at=last, when="before")).flash_controller.lost == []
    twin = changed(part, Cut(at=last, when="after"))
    assert level(twin) == (0 if part == H5 else 1)
    assert twin.flash_controller.lost == []
    finish(twin)


@pytest.mark.parametrize("part", [H7, H5])
def test_h7_and_h5_keep_what_was(part: str) -> None:
    """RM0399 4.4.3: a change that a reset or a cut meets leaves what was."""
    twin = changed(part, Cut(at=0, when="torn", pattern=("prefix", 1)))
    assert twin.flash_controller.options == Twin(part).flash_controller.options
    finish(twin)


@pytest.mark.parametrize("part", [L4, G0])
def test_no_complement_that_fits_locks_the_chip(part: str) -> None:
    """RM0444 3.4.2, Caution; RM0351 3.4.2: of PCROP, all of flash is protected."""
    twin = changed(part, Cut(at=0, when="torn", pattern=("prefix", 1)))
    first, last = ("PCROP1SR", "PCROP1ER") if part == L4 else ("PCROP1ASR", "PCROP1AER")
    assert twin.flash_controller.options[first] == 0
    assert twin.flash_controller.options[last] & 0x1FF == 0x1FF
    for _ in range(2):
        with pytest.raises(TwinError, match=r"option bytes PCROP.* are lost, and all of flash is protected"):
            finish(twin)
        twin.power_on()


@pytest.mark.parametrize("part", [L4, G0])
def test_one_word_that_is_lost(part: str) -> None:
    """RM0351 3.4.2: OPTR is level 1 and ones; the flag OPTVERR (bit 15 of FLASH_SR) is up after each reset."""
    twin = changed(part, Cut(at=0, when="torn", pattern=("miss", 0)))
    assert level(twin) == 1
    assert twin.flash_controller.registers["SR"] & 1 << 15  # type: ignore[attr-defined]
    assert twin.flash_controller.options["OPTR"] & 0xF0_E000 == 0xF0_E000
    assert twin.flash_controller.options["WRP1AR"] & 0x7F_007F == 0x0B_0000
    twin.power_on()
    assert twin.flash_controller.registers["SR"] & 1 << 15  # type: ignore[attr-defined]
    finish(twin)


def test_f4_and_f7_read_erased() -> None:
    """PM0059 2.6.3, RM0090 3.7.3: level 1 is what erased option bytes are; with SPRMOD ones protect sectors (3.7.5)."""
    twin = changed(F7, Cut(at=0, when="torn", pattern=("prefix", 0)))
    assert level(twin) == 1
    assert twin.flash_controller.options["OPTCR"] >> 16 & 0xFFF == 0xFFF
    finish(twin)
    twin = changed(F4, Cut(at=0, when="torn", pattern=("prefix", 1)))
    with pytest.raises(TwinError, match="SPRMOD is lost"):
        finish(twin)


def test_words_of_l0() -> None:
    """RM0367 3.8.2: all sectors write protected; and WPRMOD, which takes reading away."""
    twin = changed(L0, Cut(at=0, when="torn", pattern=("prefix", 0)))
    assert twin.flash_controller.registers["WRPROT"] & 0xFFFF == 0xFFFF  # type: ignore[attr-defined]
    assert twin.flash_controller.registers["SR"] & 1 << 11  # type: ignore[attr-defined]
    assert bytes(twin.core.uc.mem_read(0x1FF80008, 4)) == bytes(4)
    finish(twin)
    twin = changed(L0, Cut(at=1, when="torn", pattern=("prefix", 0)))
    with pytest.raises(TwinError, match="WPRMOD is lost"):
        finish(twin)


@pytest.mark.parametrize("part", [L4, G0, F7, L0])
def test_any_mixture_is_old_new_or_of_the_manual(part: str) -> None:
    """Level 0 is only what was not begun: nothing that is lost opens the chip."""
    register, open_ = SHIPPED[part]
    for seed in range(12):
        twin = changed(part, Cut(at=0, when="torn", pattern=("random", seed)))
        lost = (register, 0xFFFF) in twin.flash_controller.lost or (register, 0xFFFF_FFFF) in twin.flash_controller.lost
        if lost:
            mask = 0xFF if open_ < 0x100 else 0xFF00
            assert twin.flash_controller.options[register] & mask != open_


def test_reserved_bits_stay() -> None:
    """RM0351, FLASH_OPTR and FLASH_WRP1AR: they are kept, whatever is written."""
    body = f"{ECC} REG(0x40022020) = 0xaa; OUT[0] = REG(0x40022020);"
    twin = Twin(L4)
    twin.flash_load(0x08000000, firmware(f"void main_(void) {{ {body} }}", L4))
    twin.power_on()
    finish(twin)
    assert out(twin) & 0xF000_0000 == 0xF000_0000


def test_they_are_kept(tmp_path: Path) -> None:
    """What is lost stays lost, in a snapshot and in a state file."""
    twin = changed(L4, Cut(at=0, when="torn", pattern=("miss", 0)))
    snapshot = twin.snapshot()
    states.save(twin, tmp_path / "state")
    other = Twin(L4)
    states.load(other, tmp_path / "state")
    assert other.flash_controller.lost == twin.flash_controller.lost == [("OPTR", 0xFFFF_FFFF)]
    twin.flash_controller.lost = []
    twin.restore(snapshot)
    assert twin.flash_controller.lost == [("OPTR", 0xFFFF_FFFF)]


@pytest.mark.parametrize("part", [L4, G0, F4, F7, L0, H7])
def test_a_probe_at_each_level(part: str) -> None:
    """RM0351 3.5.1, RM0090 3.7.3: level 1 answers no probe, nor the core once there was one, until power is applied;
    level 2 has no debug port."""
    twin = changed(part, Cut(at=0, when="before"))
    probe = Probe(twin)
    with pytest.raises(TwinError, match="not attached"):
        probe.read(0x08000000, 4)
    probe.attach()
    assert probe.read(0x08000000, 4) == twin.flash_read(0x08000000, 4)
    finish(twin)
    twin = changed(part)
    probe = Probe(twin)
    probe.attach()
    with pytest.raises(TwinError, match="level 1: flash at 0x08000000 answers no probe"):
        probe.read(0x08000000, 4)
    assert len(probe.read(0x20000000, 4)) == 4
    with pytest.raises(TwinError, match="until power is applied again"):
        finish(twin)
    twin.reset()
    with pytest.raises(TwinError, match="until power is applied again"):
        finish(twin)
    twin.power_on()
    finish(twin)
    register, open_ = SHIPPED[part]
    options = twin.flash_controller.options
    options[register] = options[register] & ~(0xFF * (open_ // 0xAA)) | 0xCC * (open_ // 0xAA)
    with pytest.raises(TwinError, match="no debug port"):
        probe.attach()


def test_h5_keeps_its_locks() -> None:
    """RM0481, FLASH_OPTCR and FLASH_OPTSR: keys first; PRODUCT_STATE is nobody's to write here."""
    for body, message in (
        ("REG(0x400220ec) = 1;", "WRP1R_PRG written while OPTLOCK"),
        ("REG(0x4002201c) = 2;", "OPTCR written while OPTLOCK"),
        (CODE[H5].replace("0x400220ec) = 0xfffffffe", "0x40022054) = 0x2d3072f8"), "PRODUCT_STATEs are for ever"),
    ):
        twin = Twin(H5)
        twin.flash_load(0x08000000, firmware(f"void main_(void) {{ {body} }}", H5))
        twin.power_on()
        with pytest.raises(TwinError, match=message):
            finish(twin)
