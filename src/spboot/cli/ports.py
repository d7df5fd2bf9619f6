"""`spboot ports`: the serial ports of this machine."""

from __future__ import annotations

import dataclasses
import json

import click

from spboot.cli import tables
from spboot.link import ports
from spboot.link.ports import SerialPortInfo


@click.command("ports")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """List the serial ports, and which is probably a board.

    `spboot send`, `update` and `monitor` take the port of the only ST-LINK, or else of the only USB adapter, when none
    is typed.

    \b
    Examples:
      spboot ports
      spboot ports --json
    """
    found = ports.listed()
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(port) for port in found], indent=2))
    elif found:
        tables.show("", ("port", "what", "USB", "serial number", "description"), map(_row, found))
    else:
        click.echo(ports.NONE)


def _row(port: SerialPortInfo) -> tuple[str, ...]:
    usb = "" if port.vid is None else f"{port.vid:04x}:{port.pid or 0:04x}"
    return port.name, port.what, usb, port.serial_number or "", port.description
