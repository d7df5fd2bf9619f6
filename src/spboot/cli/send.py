"""`spboot send`: deliver an update over a serial port."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from spboot.cli import files, options
from spboot.cli.progress import progress
from spboot.errors import LinkError
from spboot.link import ymodem
from spboot.link.serial_port import SerialPort


@click.command("send")
@click.argument("port_name", metavar="PORT")
@click.argument("file", type=options.PATH, metavar="FILE")
@click.option("--baud", default=115_200, show_default=True, help="Speed of the line.")
@click.option("--load", is_flag=True, help="Type `load` until the bootloader answers: reset the board meanwhile.")
@click.option("--key", default="", metavar="TEXT", help="Send TEXT first, as an application's own update command.")
@click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait for the device to ask for the file.")
@click.option(
    "--block", type=click.Choice(["128", "1024"]), default="1024", show_default=True, help="YMODEM block size."
)
@click.option("--quiet-after", default=3.0, show_default=True, help="Show the device's text until it pauses this long.")
def command(
    port_name: str, file: Path, baud: int, load: bool, key: str, timeout: float, block: str, quiet_after: float
) -> None:
    """Send FILE (.sfb, .sfbp) to the device on PORT by YMODEM and show what it says."""
    data = files.read(file)
    with SerialPort(port_name, baud) as port:
        port.write(key.encode())
        ymodem.wait_for_call(port, timeout, on_text=_show, poke=b"load" if load else b"")
        try:
            with progress(file.name) as tick:
                ymodem.send(port, file.name, data, block=int(block), progress=tick)
        except ymodem.RefusedError as error:
            said = bytearray()
            ymodem.listen(port, 1.0, on_text=said.extend)
            reason = said.replace(b"\x18", b"").decode(errors="replace").strip()
            raise LinkError(f"{error}:\n{reason}") from None
        click.echo(f"{file.name}: {len(data)} bytes sent", err=True)
        ymodem.listen(port, quiet_after, on_text=_show)


def _show(text: bytes) -> None:
    sys.stdout.write(text.decode(errors="replace").replace("\r", ""))
    sys.stdout.flush()
