"""The erase of a bank or of all banks: one operation of the log, with its time, which a cut can tear."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from spboot.twin import Cut, PowerCut, Twin

from .conftest import finish, out, twin_of

STATUS = "OUT[0] = FLASH_SR & 0xfa;"


@dataclass(frozen=True, kw_only=True)
class Bank:
    """*code* erases the *size* bytes from *address* on, in *ms* milliseconds; *source* says so."""

    part: str
    code: str
    address: int
    size: int
    ms: float
    source: str


def _ecc(part: str, code: str, address: int, size: int, ms: float, source: str) -> Bank:
    return Bank(part=part, code=f"FLASH_CR = {code}; {STATUS}", address=address, size=size, ms=ms, source=source)


BANKS = (
    _ecc("STM32L476RG", "1u << 15; FLASH_CR = 1u << 15 | 1u << 16; while (FLASH_SR & BUSY) {}", 0x08080000, 0x80000,
         22.13, "RM0351 3.3.6, DS10969 table 53"),
    _ecc("STM32G0B1RE", "1u << 15; FLASH_CR = 1u << 15 | 1u << 16; while (FLASH_SR & BUSY) {}", 0x08040000, 0x40000,
         22.1, "RM0444, FLASH_CR; DS13560 table 48"),
    _ecc("STM32G474RE", "1u << 15; FLASH_CR = 1u << 15 | 1u << 16; while (FLASH_SR & BUSY) {}", 0x08040000, 0x40000,
         22.13, "RM0440, FLASH_CR; DS12288 table 47"),
    _ecc("STM32L562QE", "1u << 15; FLASH_CR = 1u << 15 | 1u << 16; while (FLASH_SR & BUSY) {}", 0x08040000, 0x40000,
         22.13, "RM0438, FLASH_NSCR; DS12736 table 95"),
    Bank(part="STM32F429ZI", code=f"FLASH_CR = 1u << 15 | X32; FLASH_CR |= 1u << 16; while (FLASH_SR & 1u << 16) {{}}"
         f" {STATUS}", address=0x08100000, size=0x100000, ms=8000, source="RM0090 3.6.3, 3.9.7; DS9405 table 48"),
    Bank(part="STM32H745XI", code="FLASH_CR2 = 8 | X64; FLASH_CR2 = 8 | X64 | 0x80; while (FLASH_SR2 & 7) {}"
         " OUT[0] = FLASH_SR2 >> 17;", address=0x08100000, size=0x100000, ms=5000, source="RM0399 4.3.10; DS13313 44"),
    Bank(part="STM32H563ZI", code="FLASH_CR = 8 | 1u << 31 | 1u << 5; rest(); OUT[0] = FLASH_SR & 0xfe0000;",
         address=0x08100000, size=0x100000, ms=256, source="RM0481, FLASH_NSCR"),
)  # fmt: skip


def _make(bank: Bank) -> Twin:
    twin = twin_of(f"void main_(void) {{ OUT[0] = 99; unlock(); {bank.code} }}", bank.part)
    twin.flash_load(bank.address, bytes(64))
    twin.flash_load(bank.address + bank.size - 64, bytes(64))
    twin.flash_load(bank.address - 64, b"keep" * 16)
    return twin


@pytest.mark.parametrize("bank", BANKS, ids=lambda bank: f"{bank.part}-{bank.source}")
def test_a_bank_is_one_operation(bank: Bank) -> None:
    twin = _make(bank)
    finish(twin, 20)
    assert [(op.kind, op.address, op.size) for op in twin.log] == [("erase", bank.address, bank.size)]
    assert out(twin) == 0
    assert twin.log.busy_ps == pytest.approx(bank.ms * 1e9, rel=0.001)
    assert twin.flash_read(bank.address, bank.size) == b"\xff" * bank.size
    assert twin.flash_read(bank.address - 64, 64) == b"keep" * 16
    page = twin.flash.page
    assert twin.log.erases(bank.address + 5 * page, bank.address + 6 * page) == 1
    assert twin.log.erases(0, bank.address) == 0
    assert twin.log.by_page("erase", page) == dict.fromkeys(range(bank.address, bank.address + bank.size, page), 1)


@pytest.mark.parametrize("bank", BANKS, ids=lambda bank: bank.part)
def test_a_cut_tears_it_all_over(bank: Bank) -> None:
    """Both ends of the bank are a mixture, and what is beside it stays."""
    twin = _make(bank)
    twin.arm(Cut(at=0, when="torn", pattern=("random", 3)))
    with pytest.raises(PowerCut, match=f"torn erase of {bank.size} bytes"):
        twin.run(seconds=1)
    for place in (bank.address, bank.address + bank.size - 64):
        assert twin.flash_read(place, 64) not in (bytes(64), b"\xff" * 64)
    assert twin.flash_read(bank.address - 64, 64) == b"keep" * 16


def test_both_banks_at_once() -> None:
    """RM0351 3.3.6: MER1 and MER2 erase the two banks; it takes no longer than one (DS10969 table 53)."""
    twin = twin_of(
        "static void work(void) { FLASH_KEYR = 0x45670123; FLASH_KEYR = 0xcdef89ab; FLASH_CR = 1u << 15 | 4;"
        " FLASH_CR = 1u << 15 | 4 | 1u << 16; while (FLASH_SR & BUSY) {} DONE = 1; for (;;) {} }"
        "void main_(void) { in_ram(work); }",
        "STM32L476RG",
    )
    finish(twin)
    assert [(op.kind, op.address, op.size) for op in twin.log] == [("erase", 0x08000000, 0x100000)]
    assert twin.log.busy_ps == pytest.approx(22.13e9, rel=0.001)
    assert twin.flash_read(0x08000000, 0x100000) == b"\xff" * 0x100000


@pytest.mark.parametrize(
    ("part", "code", "ms"),
    [
        pytest.param(
            "STM32U575ZI",
            "FLASH_CR = 1u << 15 | 4; FLASH_CR |= 1u << 16; while (FLASH_SR & BUSY) {}",
            384,
            id="DS14217-table-86",
        ),
        pytest.param(
            "STM32H563ZI",
            "FLASH_CR = 1u << 15; FLASH_CR |= 1u << 5; while (FLASH_SR & 1) {}",
            512,
            id="DS14053-table-46",
        ),
    ],
)
def test_both_banks_one_behind_the_other(part: str, code: str, ms: int) -> None:
    """A mass erase takes twice the time of a bank."""
    twin = twin_of(
        f"static void work(void) {{ FLASH_KEYR = 0x45670123; FLASH_KEYR = 0xcdef89ab; {code}"
        " DONE = 1; for (;;) {} } void main_(void) { in_ram(work); }",
        part,
    )
    finish(twin, 2)
    assert twin.log.busy_ps == pytest.approx(ms * 1e9, rel=0.001)


@pytest.mark.parametrize(
    ("part", "code", "options"),
    [
        ("STM32L476RG", "FLASH_CR = 1u << 15; FLASH_CR = 1u << 15 | 1u << 16;", {"WRP2AR": 0xFF050005}),
        ("STM32F429ZI", "FLASH_CR = 1u << 15 | X32; FLASH_CR |= 1u << 16;", {"OPTCR1": 0x0FFB0000}),
    ],
)
def test_one_protected_page_protects_its_bank(part: str, code: str, options: dict[str, int]) -> None:
    """RM0351 3.5.2, RM0090 3.7.3: no mass erase while an area is write-protected."""
    twin = twin_of(f"void main_(void) {{ unlock(); {code} OUT[0] = FLASH_SR & 0xfa; }}", part)
    twin.flash_controller.options.update(options)
    twin.power_on()
    finish(twin)
    assert out(twin) == 16
    assert len(twin.log) == 0
