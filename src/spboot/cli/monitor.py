"""`spboot monitor`: a terminal at a serial port."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from typing import IO, Final

import click

from spboot.cli import completing, files, line, options
from spboot.cli.interruption import told_to_stop
from spboot.cli.keyboard import LEAVE, Keyboard
from spboot.cli.transcript import Transcript
from spboot.errors import LinkError
from spboot.link.serial_port import SerialPort

_LEAVE: Final = bytes((LEAVE,))
_LOOK_S: Final = 0.02
"""How long the port is listened to before the keys are looked at."""


@click.command("monitor")
@click.argument("port_name", metavar="[PORT]", required=False, shell_complete=completing.port)
@line.baud
@line.board
@click.option("--timestamps", is_flag=True, help="Begin each line with the time of its first letter.")
@click.option("--log", "log_file", type=options.PATH, metavar="FILE", help="Add what is shown to FILE as well.")
@click.option("--until", metavar="TEXT", help="End when the device says TEXT.")
@click.option("--seconds", type=click.FloatRange(0.0), metavar="N", help="End after N seconds.")
def command(
    port_name: str | None,
    baud: int | None,
    board_name: str | None,
    timestamps: bool,
    log_file: Path | None,
    until: str | None,
    seconds: float | None,
) -> None:
    """Show what a device says, and type to it.

    PORT is the serial port; without it the only one that is probably a board.  Ctrl-] leaves; every other key goes to
    the device as it is, Ctrl-C too.  What comes through a pipe on stdin goes to the device as well, and a pipe on
    stdout gets whole lines.

    Ends with 0 when it is left, when TEXT was said, and after N seconds without --until; with 1 when the port goes
    away, or when TEXT is not said in N seconds; with 130 when it was interrupted.

    \b
    Examples:
      spboot monitor
      spboot monitor COM3 --board NUCLEO-L476RG --timestamps --log lamp.log
      spboot monitor /dev/ttyACM0 --until "starting 1.1.0" --seconds 30
    """
    rate = line.speed(baud, board_name)
    if log_file is not None:
        files.check_output(log_file)
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(SerialPort(line.named(port_name), rate))
        log = stack.enter_context(log_file.open("a", encoding="utf-8")) if log_file else None
        _watch(port, log, stamped=timestamps, until=until, seconds=seconds)


def _watch(port: SerialPort, log: IO[str] | None, *, stamped: bool, until: str | None, seconds: float | None) -> None:
    """Until somebody leaves, or *until* is said, or *seconds* passed.  Raises LinkError, KeyboardInterrupt."""
    wanted, said = (until or "").encode(), b""
    end = None if seconds is None else time.monotonic() + seconds
    at_screen = sys.stdout.isatty()
    with (
        told_to_stop() as stop,
        Transcript(stamped=stamped, raw=at_screen, whole=not at_screen, log=log) as screen,
        Keyboard() as keys,
    ):
        by_hand = not keys.closed and sys.stdin.isatty()
        if by_hand:
            click.echo(f"{port.name}, {port.baud} baud; Ctrl-] leaves", err=True)
        while end is None or time.monotonic() < end:
            data = port.read(256, _LOOK_S)
            screen.show(data)
            said = (said + data)[-len(wanted) - len(data) :]
            if wanted and wanted in said:
                return
            typed = keys.read()
            mine, left, _ = typed.partition(_LEAVE) if by_hand else (typed, b"", b"")
            if mine:
                port.write(mine)
            if left:
                return
            if stop():
                raise KeyboardInterrupt
    if wanted:
        raise LinkError(f"{port.name}: the device did not say {until!r} in {seconds:g} s")
