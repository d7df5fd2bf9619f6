"""`spboot chip`: one part."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator

import click

from spboot import chips
from spboot.boards.layout import size_text
from spboot.boards.plan import plan
from spboot.builder.bootloader import NEEDED, driven
from spboot.builder.support import missing
from spboot.chips import Block, Chip, Memory
from spboot.chips.external import CONTROLLER, SIGNALS, signal_of
from spboot.cli import completing, tables
from spboot.errors import BoardError


@click.command("chip")
@click.argument("part", shell_complete=completing.part)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(part: str, as_json: bool) -> None:
    """Show one part: memories, consoles, drivers.

    PART, as STM32L476RG, with the pins that its consoles can have, and what is supported or missing.

    \b
    Examples:
      spboot chip STM32L476RG
      spboot chip STM32L476RG --json
    """
    chip = chips.load(part.upper())
    lacks = missing(chip)
    if as_json:
        click.echo(json.dumps(_facts(chip, lacks), indent=2))
        return
    click.echo(f"{chip.name}: {chip.line}, core {chip.core}, device id {chip.device_id:#x}\n")
    tables.show("memories", _MEMORY, (_memory(memory) for memory in chip.memories))
    for memories in chip.alternatives:
        flash = [memory for memory in memories if memory.kind == "flash"]
        tables.show("flash with other option bytes (not supported)", _MEMORY, (_memory(memory) for memory in flash))
    tables.show(
        "consoles: pins with their alternate function",
        ("port", "IP version", "driver", "TX", "RX"),
        (_console(block) for block in _consoles(chip)),
    )
    outside = [*_outside(chip)]
    if outside:
        tables.show(
            "external flash: pins with their alternate function", ("controller", "address", "signal", "pins"), outside
        )
    tables.show("drivers", ("block", "IP version", "driver"), (_driver(chip, name) for name in NEEDED))
    click.echo(f"bootloader: {'yes' if lacks is None else f'no: {lacks}'}")
    for reason in _plan(chip):
        click.echo(f"  {reason}")


_MEMORY = ("memory", "address", "size>", "erase unit>", "program unit>", "write protection>", "erased")


def _consoles(chip: Chip) -> list[Block]:
    found = [chip.blocks[name] for name in sorted(chip.blocks) if name.startswith(("USART", "UART", "LPUART"))]
    return [block for block in found if _pins(block, "TX") and _pins(block, "RX")]


def _pins(block: Block, signal: str) -> list[str]:
    return [f"{pin}/{number}" for pin, role, number in block.pins if role == signal]


def _memory(memory: Memory) -> tuple[str, ...]:
    head = (memory.name, f"{memory.address:#010x}", size_text(memory.size))
    if memory.kind != "flash":
        return (*head, "", "", "", "")
    units = (memory.erase_unit, memory.program_unit, memory.protect_unit)
    return (*head, *(size_text(unit) for unit in units), f"{memory.erased:#04x}")


def _console(block: Block) -> tuple[str, ...]:
    there = "yes" if block.ip in driven() else "no"
    return block.name, block.ip, there, " ".join(_pins(block, "TX")), " ".join(_pins(block, "RX"))


def _outside(chip: Chip) -> Iterator[tuple[str, ...]]:
    """What can have flash outside: a row for each signal, of each port where an IO manager has several."""
    for name in sorted(chip.blocks):
        if not CONTROLLER.fullmatch(name):
            continue
        window, ports = chip.window_of(name), (1, 2) if "OCTOSPIM" in chip.blocks else (1,)
        for port in ports:
            for signal in SIGNALS:
                block, role = signal_of(chip, name, signal, port)
                pins = [f"{pin}/{number}" for pin, found, number in block.pins if found == role]
                if pins:
                    where = f"{name}, port {port}" if len(ports) > 1 else name
                    yield where, f"{window.start:#010x}", signal, " ".join(pins)


def _driver(chip: Chip, name: str) -> tuple[str, ...]:
    ip = chip.block(name).ip
    return name, ip, "yes" if ip in driven() else "no"


def _plan(chip: Chip) -> tuple[str, ...]:
    try:
        return plan(chip).reasons
    except BoardError:
        return ()


def _facts(chip: Chip, lacks: str | None) -> dict[str, object]:
    return {
        "part": chip.name,
        "family": chip.family,
        "line": chip.line,
        "core": chip.core,
        "device_id": chip.device_id,
        "memories": [dataclasses.asdict(memory) for memory in chip.memories],
        "alternatives": [[dataclasses.asdict(memory) for memory in memories] for memories in chip.alternatives],
        "consoles": [
            {"port": b.name, "ip": b.ip, "driver": b.ip in driven(), "tx": _pins(b, "TX"), "rx": _pins(b, "RX")}
            for b in _consoles(chip)
        ],
        "external": [
            dict(zip(("controller", "address", "signal", "pins"), row, strict=True)) for row in _outside(chip)
        ],
        "missing": lacks,
    }
