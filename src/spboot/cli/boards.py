"""`spboot boards`: the boards that come with spboot, or one of them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click

from spboot import boards
from spboot.boards import Board, Pin
from spboot.boards.layout import size_text
from spboot.builder.bootloader import driven
from spboot.builder.support import missing
from spboot.cli import completing, tables


@click.command("boards")
@click.argument("name", metavar="[BOARD]", required=False, shell_complete=completing.board)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(name: str | None, as_json: bool) -> None:
    """List the boards, or show one.

    BOARD is the name of a board that comes with spboot, or the .toml file of your own.

    \b
    Examples:
      spboot boards
      spboot boards NUCLEO-L476RG
      spboot boards LAMP.toml --json
    """
    found = [Board.load(each) for each in ([name] if name else boards.all_names())]
    if as_json:
        facts = [_facts(board) for board in found]
        click.echo(json.dumps(facts[0] if name else facts, indent=2))
    elif name:
        _show(found[0])
    else:
        tables.show("", ("board", "part", "console", "image>", "slots", "bootloader"), (_row(board) for board in found))


def _row(board: Board) -> tuple[str, ...]:
    return (
        board.name,
        board.chip.name,
        _console(board),
        size_text(board.image_capacity),
        "two" if board.slot1 else "one",
        "yes" if _can_be_built(board) else "not yet",
    )


def _can_be_built(board: Board) -> bool:
    """A driver for every block it needs; `spboot chip` says which one is missing."""
    return missing(board.chip) is None and board.chip.block(board.console.port).ip in driven()


def _console(board: Board) -> str:
    return f"{board.console.port} {board.console.tx.name}/{board.console.rx.name}"


def _switch(pin: Pin | None) -> str:
    return f"{pin.name}, active {'high' if pin.active_high else 'low'}" if pin else "none"


def _show(board: Board) -> None:
    rows = [
        ("part", f"{board.chip.name}, {board.chip.core}"),
        ("clock", f"{board.clock_hz / 1_000_000:g} MHz"),
        ("supply", f"{board.vdd_mv} mV, core by {board.core_supply.upper()}"),
        ("console", f"{_console(board)}, {board.console.baud} baud"),
        ("button", _switch(board.button)),
        ("LED", _switch(board.led)),
        *((name, f"{area.address:#010x}, {size_text(area.size)}") for name, area in board.areas.items()),
        *_external(board),
        *_usb(board),
        *_ethernet(board),
        ("page", _pages(board)),
        ("image", f"{board.image_address:#010x}, at most {size_text(board.image_capacity)}"),
        ("reserved RAM", f"{board.ram.address:#010x}, {board.ram.size} bytes"),
    ]
    tables.show(board.name, ("", ""), rows)


def _external(board: Board) -> Iterator[tuple[str, str]]:
    """The flash outside, and where it hangs."""
    found = board.external
    if found is None:
        return
    chips = f"{found.count} x {found.chip.name}" if found.count > 1 else found.chip.name
    where = f"{found.controller}, port {found.port}" if found.port > 1 else found.controller
    yield "external flash", f"{chips} at {where}, {found.address:#010x}, {size_text(found.size)}"
    yield "its pins", ", ".join(f"{signal} {pin}" for signal, (pin, _) in found.pins.items())


def _usb(board: Board) -> Iterator[tuple[str, str]]:
    """The connector for flash drives."""
    if board.usb is not None:
        yield "USB", ", ".join([board.usb.core, *(f"{key[4:]} {pin}" for key, pin in board.usb.pins.items())])


def _ethernet(board: Board) -> Iterator[tuple[str, str]]:
    """The PHY."""
    found = board.ethernet
    if found is not None:
        pins = (f"{signal} {pin}" for signal, pin in found.lines.items())
        yield "Ethernet", ", ".join([f"{found.phy} at {found.address}", *pins])


def _pages(board: Board) -> str:
    size = size_text(board.page_size)
    return size if board.slot0.rest is None else f"{size}, in external flash {size_text(board.rest_page_size)}"


def _facts(board: Board) -> dict[str, object]:
    return {
        "board": board.name,
        "part": board.chip.name,
        "clock_hz": board.clock_hz,
        "vdd_mv": board.vdd_mv,
        "core_supply": board.core_supply,
        "console": {
            "port": board.console.port,
            "tx": board.console.tx.name,
            "rx": board.console.rx.name,
            "baud": board.console.baud,
        },
        "flash": {name: {"address": area.address, "size": area.size} for name, area in board.areas.items()},
        "external": _external_facts(board),
        "usb": None if board.usb is None else {"core": board.usb.core, "pins": board.usb.pins},
        "ethernet": None if board.ethernet is None else {"phy": board.ethernet.phy, "pins": board.ethernet.pins},
        "page_size": board.page_size,
        "rest_page_size": board.rest_page_size,
        "image_address": board.image_address,
        "image_capacity": board.image_capacity,
        "reserved_ram": {"address": board.ram.address, "size": board.ram.size},
    }


def _external_facts(board: Board) -> dict[str, object] | None:
    found = board.external
    if found is None:
        return None
    return {
        "controller": found.controller,
        "port": found.port,
        "chip": found.chip.name,
        "chips": found.count,
        "address": found.address,
        "size": found.size,
        "erase_unit": found.memory.erase_unit,
        "pins": {signal: pin for signal, (pin, _) in found.pins.items()},
        "verify": found.verify,
    }
