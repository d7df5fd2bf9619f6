"""A flash and RAM plan for any part: where bootloader, slots, journal and reserved RAM go, and why there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from spboot.boards.model import Area, has_second_core, journal_size, page_size, vector_size
from spboot.chips import Chip, Memory
from spboot.errors import BoardError

BOOTLOADER_SIZE: Final = 24 * 1024
"""Bytes that a bootloader may grow to; a plan gives it whole units of erase and write protection, at least so much."""
RESERVED_RAM: Final = 5376
LEAST_RAM: Final = 8 * 1024
"""Bytes of RAM without which nothing useful runs beside the reserved RAM."""
LEAST_SLOT: Final = 12 * 1024
"""Bytes of a slot that is worth having."""
_WORTH: Final = 4
"""Two slots are chosen unless a single one would be so many times as large, or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Areas of one part.  *reasons* are sentences that say why they are so."""

    bootloader: Area
    slot0: Area
    slot1: Area | None
    journal: Area | None
    ram: Area
    reasons: tuple[str, ...]


def plan(chip: Chip, *, single_slot: bool = False, keep_free: int = 0) -> Plan:
    """The plan with the largest slots; SLOT1 and journal in another bank than the bootloader where that can be.

    *keep_free*: bytes at the end of flash that stay the application's.  Raises BoardError: the part is too small."""
    ram, bootloader = reserved_ram(chip), bootloader_area(chip)
    rest = list(free_runs(chip, bootloader, keep_free))
    single = max((_single(chip, run) for run in rest), key=lambda slot: slot.size, default=Area(address=0, size=0))
    double = _best([found for run in rest for found in _double(chip, run, rest)])
    reasons = [bootloader_reason(chip, bootloader)]
    if double and (single_slot or double.slot0.size < LEAST_SLOT or double.slot0.size * _WORTH <= single.size):
        reasons.append(
            f"a single slot: {'as asked' if single_slot else f'two would have {_kb(double.slot0.size)} each'}; "
            "a cut during an update leaves a device that waits for a full image"
        )
        double = None
    elif double is None:
        reasons.append("a single slot: there is no place for a second one whose pages fit those of the first")
    if double is None:
        if single.size < LEAST_SLOT:
            flash, unit = sum(run.size for run in chip.flash), chip.flash[0].erase_unit
            raise BoardError(
                f"{chip.name}: {_kb(flash)} of flash in units of {_kb(unit)} leave no slot of {_kb(LEAST_SLOT)} "
                f"beside a bootloader of {_kb(max(bootloader.size, BOOTLOADER_SIZE))}"
                + (f", as {_kb(keep_free)} are kept free; keep less" if keep_free else "")
            )
        return Plan(bootloader=bootloader, slot0=single, slot1=None, journal=None, ram=ram, reasons=tuple(reasons))
    return Plan(
        bootloader=bootloader,
        slot0=double.slot0,
        slot1=double.slot1,
        journal=double.journal,
        ram=ram,
        reasons=(*reasons, *_double_reasons(chip, double)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Double:
    slot0: Area
    slot1: Area
    journal: Area
    apart: bool
    """SLOT1 and journal are in another bank than the bootloader."""


def _best(found: list[_Double]) -> _Double | None:
    """Banks apart if that costs an eighth of the slots at most; then large slots, a small journal, low addresses."""
    largest = max((double.slot0.size for double in found), default=0)
    near = [double for double in found if double.slot0.size * 8 >= largest * 7]
    return max(near, key=lambda d: (d.apart, d.slot0.size, -d.journal.size, -d.slot0.address), default=None)


def _kb(size: int) -> str:
    return f"{size // 1024} KB" if size % 1024 == 0 else f"{size} bytes"


def _up(value: int, unit: int) -> int:
    return -(-value // unit) * unit


def main_ram(chip: Chip) -> Memory:
    """The RAM that applications use first: not SRAM2 at its second address, no memory that only the core can reach."""
    rams = [memory for memory in chip.ram if memory.name.startswith(("AXISRAM", "SRAM"))]
    return min((ram for ram in rams if ram.address >= 0x2000_0000), key=lambda ram: ram.address)


def reserved_ram(chip: Chip) -> Area:
    """What the bootloader keeps while the application runs.  Raises BoardError: too little RAM."""
    ram = main_ram(chip)
    if ram.size < LEAST_RAM:
        raise BoardError(
            f"{chip.name}: {ram.name} has {ram.size} bytes, expected {LEAST_RAM} or more: {RESERVED_RAM} are reserved"
        )
    return Area(address=ram.address, size=RESERVED_RAM)


def bootloader_area(chip: Chip) -> Area:
    """Whole units of erase and write protection from the start of flash on."""
    start, end = chip.flash[0].address, chip.flash[0].address
    for run in chip.flash:
        missing = start + BOOTLOADER_SIZE - run.address
        end = min(run.end, run.address + _up(max(missing, 0), run.protect_unit))
        if end - start >= BOOTLOADER_SIZE:
            break
    return Area(address=start, size=end - start)


def bootloader_reason(chip: Chip, bootloader: Area) -> str:
    """Why it has that size."""
    run = chip.memory_at(bootloader.end - 1)
    why = f"erase units have {_kb(run.erase_unit)}"
    if run.protect_unit > run.erase_unit:
        why = f"write protection covers {_kb(run.protect_unit)} at a time"
    return f"bootloader {_kb(bootloader.size)}: it needs {_kb(BOOTLOADER_SIZE)} at most, and {why}"


def free_runs(chip: Chip, bootloader: Area, keep_free: int) -> Iterator[Memory]:
    """What is left of each run of flash after the bootloader and before what stays free."""
    stop = chip.flash[-1].end - keep_free
    for run in chip.flash:
        first = max(run.address, _up(bootloader.end, vector_size(chip)))
        last = run.address + max(min(run.end, stop) - run.address, 0) // run.erase_unit * run.erase_unit
        if first < last:
            yield replace(run, address=first, size=last - first)


def _single(chip: Chip, run: Memory) -> Area:
    unit = page_size(run.erase_unit)
    return Area(address=run.address, size=run.size // unit * unit)


def _double(chip: Chip, first: Memory, rest: list[Memory]) -> Iterator[_Double]:
    """Every way to have SLOT0 at the start of *first*, with the largest slots each."""
    bank = chip.flash[0].bank
    for second in rest:
        for third in rest:
            page = page_size(first.erase_unit, second.erase_unit)
            for pages in range(min(first.size, second.size) // page, 0, -1):
                need = _up(journal_size(pages, page, first.program_unit), third.erase_unit)
                found = _fit(first, second, third, pages * page, need, journal_first=has_second_core(chip))
                if found:
                    slot1, journal = found
                    yield _Double(
                        slot0=Area(address=first.address, size=pages * page),
                        slot1=slot1,
                        journal=journal,
                        apart=second.bank != bank and third.bank != bank,
                    )
                    break


def _fit(
    first: Memory, second: Memory, third: Memory, size: int, journal: int, *, journal_first: bool
) -> tuple[Area, Area] | None:
    """SLOT1 in *second* and the journal in *third*, each behind what went there before; None when they do not fit."""
    used = {first.address: first.address + size}
    areas = []
    wanted = ((second, size), (third, journal))
    for run, length in reversed(wanted) if journal_first else wanted:
        start = used.get(run.address, run.address)
        if start + length > run.end:
            return None
        used[run.address] = start + length
        areas.append(Area(address=start, size=length))
    return (areas[1], areas[0]) if journal_first else (areas[0], areas[1])


def _double_reasons(chip: Chip, double: _Double) -> Iterator[str]:
    sizes = [chip.memory_at(area.address).erase_unit for area in (double.slot0, double.slot1)]
    page = page_size(*sizes)
    grouped = f", several erase units of {sizes[0]} bytes each" if sizes[0] < page else ""
    yield f"two slots of {_kb(double.slot0.size)}: {double.slot0.size // page} pages of {_kb(page)}{grouped}"
    if double.apart:
        yield "SLOT1 and journal in bank 2: code in bank 1 runs on while they are written"
    elif len({run.bank for run in chip.flash}) > 1:
        yield "SLOT1 or journal in bank 1: code stands still while they are written"
    else:
        yield "flash has one bank: code stands still while it is erased or programmed"
    units = double.journal.size // chip.memory_at(double.journal.address).erase_unit
    many = f"{units} erase units hold" if units > 1 else "one erase unit holds"
    yield f"journal {_kb(double.journal.size)}: {many} a record for each page"
    if has_second_core(chip):
        yield "the Cortex-M4 begins where the journal is, unless option bit BCM4 is 0, and stops at once there"
