"""`spboot chips`: the parts we know."""

from __future__ import annotations

import fnmatch
import json

import click

from spboot import chips
from spboot.boards.layout import size_text
from spboot.builder.support import missing
from spboot.chips import Chip
from spboot.cli import tables
from spboot.errors import BoardError


@click.command("chips")
@click.argument("pattern", default="*")
@click.option("--supported", is_flag=True, help="Only parts that we can build a bootloader for.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(pattern: str, supported: bool, as_json: bool) -> None:
    """List the parts we know.

    PATTERN is a part of their name, as L476, or one with wildcards for the whole of it.

    \b
    Examples:
      spboot chips --supported
      spboot chips L476
      spboot chips 'STM32L4?6*' --json
    """
    names = [name for name in chips.names() if _fits(name, pattern.upper())]
    if not names:
        raise BoardError(
            f"no part fits {pattern!r}; try less of the name, as L476; `spboot chips` lists all, "
            f"of {', '.join(chips.families())}"
        )
    found = [(chip, missing(chip)) for chip in map(chips.load, names)]
    if supported:
        found = [(chip, lacks) for chip, lacks in found if lacks is None]
    if as_json:
        click.echo(json.dumps([_facts(chip, lacks) for chip, lacks in found], indent=2))
        return
    tables.show(
        "",
        ("part", "core", "flash>", "banks>", "erase unit", "program unit>", "RAM>", "bootloader"),
        (_row(chip, lacks) for chip, lacks in found),
    )
    ready = sum(lacks is None for _, lacks in found)
    click.echo(f"{len(found)} parts, {ready} with a bootloader; `spboot chip PART` says why not")


def _fits(name: str, pattern: str) -> bool:
    return pattern in name or fnmatch.fnmatchcase(name, pattern)


def _flash(chip: Chip) -> int:
    return sum(run.size for run in chip.flash)


def _ram(chip: Chip) -> int:
    return sum(memory.size for memory in chip.ram)


def _facts(chip: Chip, lacks: str | None) -> dict[str, object]:
    return {
        "part": chip.name,
        "family": chip.family,
        "core": chip.core,
        "flash": _flash(chip),
        "banks": max(run.bank for run in chip.flash),
        "erase_units": sorted({run.erase_unit for run in chip.flash}),
        "program_unit": chip.flash[0].program_unit,
        "ram": _ram(chip),
        "missing": lacks,
    }


def _row(chip: Chip, lacks: str | None) -> tuple[str, ...]:
    units = sorted({run.erase_unit for run in chip.flash})
    return (
        chip.name,
        chip.core,
        size_text(_flash(chip)),
        str(max(run.bank for run in chip.flash)),
        ", ".join(size_text(unit) for unit in units),
        f"{chip.flash[0].program_unit} bytes",
        size_text(_ram(chip)),
        "no" if lacks else "yes",
    )
