"""`spboot chips`: the parts we know."""

from __future__ import annotations

import fnmatch
import json

import click

from spboot import chips
from spboot.boards.layout import size_text
from spboot.builder.support import missing
from spboot.chips import Chip, nor_flash
from spboot.chips.nor_flash import NorFlash
from spboot.cli import tables
from spboot.errors import BoardError


@click.command("chips")
@click.argument("pattern", default="*")
@click.option("--supported", is_flag=True, help="Only parts that we can build a bootloader for.")
@click.option("--external", is_flag=True, help="Chips of external flash in place of parts.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(pattern: str, supported: bool, external: bool, as_json: bool) -> None:
    """List the parts we know.

    PATTERN is a part of their name, as L476, or one with wildcards for the whole of it.

    \b
    Examples:
      spboot chips --supported
      spboot chips L476
      spboot chips 'STM32L4?6*' --json
      spboot chips --external
    """
    if external:
        _show_external(pattern.upper(), as_json=as_json)
        return
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


def _show_external(pattern: str, *, as_json: bool) -> None:
    """The chips of external flash that come with spboot."""
    found = [nor_flash.load(name) for name in nor_flash.names() if _fits(name, pattern)]
    if not found:
        raise BoardError(f"no flash chip fits {pattern!r}; known: {', '.join(nor_flash.names())}")
    if as_json:
        click.echo(json.dumps([_external_facts(chip) for chip in found], indent=2))
        return
    heads = ("chip", "id", "size>", "erase unit>", "erase of it", "erase of 64 KB", "program of 256 bytes")
    tables.show("", heads, (_external_row(chip) for chip in found))
    click.echo("times: typical, at most; a chip of your own is a .toml file: see docs/external-flash.md")


def _external_facts(chip: NorFlash) -> dict[str, object]:
    erases = {command.size: command.us for command in chip.commands if command.does == "erase"}
    return {
        "chip": chip.name,
        "id": chip.id.hex(),
        "size": chip.size,
        "erase_unit": chip.sector,
        "erase_us": {str(size): us for size, us in sorted(erases.items())},
        "program_us": chip.times.program,
    }


def _external_row(chip: NorFlash) -> tuple[str, ...]:
    erases = (_ms(chip.erase_us(size)) for size in (chip.sector, 0x1_0000))
    units = (size_text(chip.size), size_text(chip.sector))
    return (chip.name, chip.id.hex(" ").upper(), *units, *erases, _ms(chip.times.program))


def _ms(us: tuple[int, int]) -> str:
    return f"{us[0] / 1000:g} ms, {us[1] / 1000:g} ms"


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
