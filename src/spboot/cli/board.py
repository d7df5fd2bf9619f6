"""`spboot board`: boards of your own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from spboot import boards, chips
from spboot.boards.draft import Wish, draft
from spboot.builder import bootloader
from spboot.builder.support import missing
from spboot.cli import completing, files, options, wiring
from spboot.cli.group import Group
from spboot.cli.telling import Telling, telling
from spboot.errors import BoardError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


def console(text: str) -> tuple[str, str, str]:
    """USART2:PA2:PA3."""
    parts = text.upper().split(":")
    if len(parts) != 3 or not all(parts):
        raise click.BadParameter(f"{text!r} is not PORT:TX:RX, as USART2:PA2:PA3")
    return parts[0], parts[1], parts[2]


def switch(text: str) -> tuple[str, str]:
    """PC13:low."""
    pin, _, level = text.partition(":")
    if not pin or level.lower() not in ("high", "low"):
        raise click.BadParameter(f"{text!r} is not PIN:LEVEL with the level when it is pressed or lit, as PC13:low")
    return pin.upper(), level.lower()


def _hertz(_context: click.Context, _option: click.Parameter, megahertz: int | None) -> int | None:
    return None if megahertz is None else megahertz * 1_000_000


@click.group("board", cls=Group)
def command() -> None:
    """Make a board of your own.

    \b
    Examples:
      spboot board new LAMP --mcu STM32L476RG
    """


@command.command("new")
@click.argument("name")
@click.option(
    "--mcu",
    required=True,
    metavar="PART",
    shell_complete=completing.part,
    help="Its part, as STM32L476RG; see `spboot chips`.",
)
@click.option("--console", type=console, metavar="PORT:TX:RX", help="UART for people and YMODEM, as USART2:PA2:PA3.")
@click.option("--button", type=switch, metavar="PIN:LEVEL", help="Held at reset it enters the loader, as PC13:low.")
@click.option("--led", type=switch, metavar="PIN:LEVEL", help="Lit while the loader waits, as PA5:high.")
@click.option(
    "--clock", "clock_hz", callback=_hertz, type=click.IntRange(1), metavar="MHZ", help="Clock of the core in MHz."
)
@click.option(
    "--vdd", "vdd_mv", type=click.IntRange(1650, 3600), metavar="MV", help="Supply in millivolts, if not 3300."
)
@click.option(
    "--core-supply",
    "core_supply",
    type=click.Choice(["ldo", "smps"]),
    help="How the board feeds the core, on parts that have both.",
)
@click.option(
    "--keep-free",
    type=wiring.size,
    default="0",
    metavar="SIZE",
    help="Leave SIZE at the end of flash alone, as 4K.",
)
@click.option("--single-slot", is_flag=True, help="One large slot: no patches, and a cut update needs another one.")
@click.option("--keys", is_flag=True, help="Room for signing keys that devices get later (spboot keys rotate).")
@wiring.options
@click.option("-o", "--output", type=options.PATH, metavar="FILE", help="File to write, if not NAME.toml here.")
@telling
def new(name: str, mcu: str, output: Path | None, tell: Telling, **wishes: Any) -> None:
    """Write the file of a board of your own.

    NAME is the board's name, and its file NAME.toml.  What is not given is chosen; what was chosen is printed, and why.
    `spboot chips --external` lists chips of external flash; one of your own is a .toml file beside that of the board.

    \b
    Examples:
      spboot board new LAMP --mcu STM32L476RG
      spboot board new LAMP --mcu STM32L476RG --console USART2:PA2:PA3 \\
          --button PC13:low --led PA5:high --clock 80
      spboot board new PANEL --mcu STM32F469NI --external QUADSPI:N25Q128A \\
          --external-pins CLK=PF10,NCS=PB6,IO0=PF8,IO1=PF9,IO2=PF7,IO3=PF6 \\
          --external-slot0 4M
    """
    if chips.part_of(name) and not chips.part_of(mcu):
        raise BoardError(f"{name} is a part and {mcu} is none: swap the two, as `spboot board new {mcu} --mcu {name}`")
    path, chip = _path(name, output), chips.load(mcu.upper())
    lacks = missing(chip)
    if lacks is not None:
        raise BoardError(f"there is no bootloader for {chip.name}: {lacks}; see `spboot chips --supported`")
    wish = Wish(**wishes)
    made = draft(path, chip, wish, bootloader.driven())
    bootloader.sources(made.board)
    files.write(path, made.text.encode())
    tell.facts(file=path, board=made.board.name, part=chip.name, choices=[str(choice) for choice in made.choices])
    tell.say(f"{path}: {made.board.name} with {chip.name}")
    for choice in made.choices:
        tell.say(f"  {choice}")
    tell.say(f"next: spboot map {path}; spboot build {path} --keys DIR -o DIR")


def _path(name: str, output: Path | None) -> Path:
    """Where the file goes; its stem is the board's name, so an output must agree with it."""
    if not _NAME.fullmatch(name):
        raise BoardError(f"board name {name!r}: expected up to 32 letters, digits, - and _, as LAMP-2")
    if name in boards.all_names():
        raise BoardError(f"{name} comes with spboot; choose another name: it is part of every update")
    path = output or Path(f"{name}.toml")
    if path.is_dir():
        raise BoardError(f"{path} is a folder: give the file in it, -o {path / name}.toml")
    if path.name != f"{name}.toml":
        raise BoardError(f"{path}: the file of board {name} is called {name}.toml: its name is the board's")
    files.check_output(path)
    if path.exists():
        raise BoardError(f"{path} exists; remove it first, or choose another name or folder (-o)")
    return path
