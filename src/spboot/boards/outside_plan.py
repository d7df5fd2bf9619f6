"""A plan with external flash: SLOT1 there, and where it is wished a second part of SLOT0."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from spboot.boards.model import Area, Slot, has_second_core, journal_size, page_size
from spboot.boards.outside import usable
from spboot.boards.plan import LEAST_SLOT, Plan, bootloader_area, bootloader_reason, free_runs, reserved_ram
from spboot.chips import Chip, Memory
from spboot.chips.external import External
from spboot.errors import BoardError

_BLOCK: Final = 0x1_0000
"""What chips erase at once in little more time than a sector: slots begin at whole ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    slot0: Area
    journal: Area
    apart: bool
    """The journal is in another bank than the bootloader."""


def plan_outside(chip: Chip, external: External, *, rest: int = 0, keep_free: int = 0) -> Plan:
    """SLOT0 with most of internal flash and, where *rest* is not 0, so many bytes of external flash; SLOT1 behind them.

    *keep_free*: bytes at the end of internal flash that stay the application's.  Raises BoardError: something does not
    fit."""
    outside = usable(chip, external)
    rest = _up(rest, outside.erase_unit)
    bootloader = bootloader_area(chip)
    found = max(
        _ways(chip, list(free_runs(chip, bootloader, keep_free)), outside, rest),
        key=lambda way: (way.slot0.size, way.apart, -way.journal.size, -way.slot0.address),
        default=None,
    )
    if found is None:
        raise BoardError(
            f"{chip.name} with {_kb(external.size)} of external flash: no two slots"
            + (f" with {_kb(rest)} of it each" if rest else "")
            + f" and {_kb(LEAST_SLOT)} of internal flash fit; ask for less"
        )
    first, second = found.slot0, _second(found.slot0.size, outside, rest)
    inside = Area(address=outside.address, size=rest) if rest else None
    slot0 = Slot(address=first.address, size=first.size, rest=inside)
    reasons = (bootloader_reason(chip, bootloader), *_reasons(chip, external, slot0, found))
    return Plan(
        bootloader=bootloader, slot0=slot0, slot1=second, journal=found.journal, ram=reserved_ram(chip), reasons=reasons
    )


def _up(value: int, unit: int) -> int:
    return -(-value // unit) * unit


def _kb(size: int) -> str:
    return f"{size // 1024:,} KB" if size % 1024 == 0 else f"{size} bytes"


def _second(size: int, outside: Memory, rest: int) -> Slot:
    """SLOT1 in external flash, behind the second part of SLOT0."""
    block = max(_BLOCK, outside.erase_unit)
    start = _up(outside.address + rest, block)
    behind = Area(address=_up(start + size, block), size=rest) if rest else None
    return Slot(address=start, size=size, rest=behind)


def _ways(chip: Chip, runs: list[Memory], outside: Memory, rest: int) -> Iterator[_Found]:
    """Every place of SLOT0 at the start of a run, with the most pages that leave a place for the journal."""
    joined = list(_joined(chip, runs))
    home = chip.flash[0].bank
    for first in joined:
        if has_second_core(chip) and first.bank != home:
            continue  # that core begins there
        page, batch = page_size(first.erase_unit, outside.erase_unit), page_size(outside.erase_unit)
        for third in joined:
            for pages in range(first.size // page, 0, -1):
                size = pages * page
                last = _second(size, outside, rest)
                if (last.rest or last).end > outside.end:
                    continue
                records = journal_size(pages + rest // batch, batch if rest else page, first.program_unit)
                need = _up(records, third.erase_unit)
                start = third.end - need if third == first else third.address
                if start < (first.address + size if third == first else third.address) or start + need > third.end:
                    continue
                if size >= LEAST_SLOT:
                    yield _Found(
                        slot0=Area(address=first.address, size=size),
                        journal=Area(address=start, size=need),
                        apart=chip.memory_at(start).bank != home,
                    )
                break


def _joined(chip: Chip, runs: list[Memory]) -> Iterator[Memory]:
    """*runs*, those of two banks as one where the second goes on in units of one size.

    With a second core, which begins in bank 2, they stay two."""
    last: Memory | None = None
    for run in runs:
        goes_on = last is not None and (last.end, last.erase_unit) == (run.address, run.erase_unit)
        if last is not None and goes_on and not has_second_core(chip):
            last = replace(last, size=last.size + run.size)
            continue
        if last is not None:
            yield last
        last = run
    if last is not None:
        yield last


def _reasons(chip: Chip, external: External, slot0: Slot, found: _Found) -> Iterator[str]:
    inner, outer = chip.memory_at(slot0.address).erase_unit, external.memory.erase_unit
    page = page_size(inner, outer)
    chips = f"{external.count} x {external.chip.name}" if external.count > 1 else external.chip.name
    if slot0.rest is None:
        yield f"two slots of {_kb(slot0.size)}: {slot0.size // page} pages of {_kb(page)}"
    else:
        many = slot0.rest.size // page_size(outer)
        yield (
            f"slots of two parts: {_kb(slot0.size)} in internal flash, in pages of {_kb(page)}, and "
            f"{_kb(slot0.rest.size)} in external flash, {many} pages of {_kb(page_size(outer))}"
        )
        yield "the second part is for assets: it is not encrypted, and no code and no secret belongs there"
    yield (
        f"SLOT1 in external flash ({chips} at {external.controller}), where its code is encrypted: SLOT0 has what the "
        "bootloader and the journal leave of internal flash"
    )
    yield "code in internal flash runs on while SLOT1 is written; nothing can be read from external flash meanwhile"
    bank = "in bank 2" if found.apart else "in the bank of the code, which stands still for each record"
    units = found.journal.size // chip.memory_at(found.journal.address).erase_unit
    many_units = f"{units} erase units hold" if units > 1 else "one erase unit holds"
    yield f"journal {_kb(found.journal.size)} {bank}: {many_units} a record for each page"
    if has_second_core(chip):
        yield "the Cortex-M4 begins where the journal is, unless option bit BCM4 is 0, and stops at once there"
