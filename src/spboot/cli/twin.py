"""`spboot twin`: the emulated board."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from spboot import boards
from spboot.boards import Board
from spboot.cli import options
from spboot.errors import TwinError
from spboot.twin import Cut, PowerCut, Twin
from spboot.twin import state as states
from spboot.twin.images import load as load_image
from spboot.twin.pty import LineBridge, PtyBridge

_LEAVE = b"\x1d"


class _LeaveError(Exception):
    """Ctrl-] was typed."""


class _Terminal(LineBridge):
    """The terminal at the console; Ctrl-] leaves."""

    def received(self, data: bytes) -> None:
        if _LEAVE in data:
            raise _LeaveError
        super().received(data)


@click.command("twin")
@click.argument("board_name", metavar="BOARD")
@click.option(
    "--image",
    "images",
    type=options.PATH,
    multiple=True,
    metavar="FILE",
    help="Program it (.hex, .bin, .elf), unless --state has flash from before.",
)
@click.option("--state", type=options.PATH, metavar="FILE", help="Keep the flash in FILE between runs.")
@click.option("--pty", is_flag=True, help="Put the console on a pseudo-terminal and print its path.")
@click.option("--button", is_flag=True, help="Hold the button down at power-on.")
@click.option("--cut", type=click.IntRange(0), metavar="N", help="Cut the power at flash operation N, then boot again.")
@click.option("--torn", is_flag=True, help="With --cut: operation N is half done.")
@click.option("--speed", default=1.0, show_default=True, help="Of time while the firmware waits; 1 is real time.")
@click.option("--seed", default=0, show_default=True, help="Decides what RAM holds at power-on.")
def command(
    board_name: str,
    images: tuple[Path, ...],
    state: Path | None,
    pty: bool,
    button: bool,
    cut: int | None,
    torn: bool,
    speed: float,
    seed: int,
) -> None:
    """Run the firmware of BOARD on an emulated chip, with its console here or on a pseudo-terminal."""
    board = boards.load(board_name)
    twin = Twin(board.chip.name, seed=seed, vdd_mv=board.vdd_mv, core_supply=board.core_supply)
    if state is not None and state.exists():
        states.load(twin, state)
    elif images:
        for path in images:
            load_image(twin, path)
    else:
        raise click.UsageError("nothing to run: give --image, or --state with the flash of an earlier run")
    if board.button is not None:
        twin.pins.set(board.button.name, board.button.active_high == button)
    if cut is not None:
        twin.arm(Cut(at=cut, when="torn" if torn else "before"))
    try:
        with contextlib.suppress(_LeaveError):
            _run(twin, board, pty=pty, speed=speed)
    finally:
        if state is not None:
            states.save(twin, state)


def _run(twin: Twin, board: Board, *, pty: bool, speed: float) -> None:
    port = board.console.port
    twin.uart(port).baud = board.console.baud
    with contextlib.ExitStack() as stack:
        bridge: LineBridge
        if pty:
            bridge = stack.enter_context(PtyBridge(twin, port, speed))
            click.echo(bridge.path)
        else:
            if sys.platform == "win32":
                raise TwinError("on Windows the twin has no console yet: use a machine with a POSIX terminal")
            stack.enter_context(_raw_terminal())
            bridge = _Terminal(twin, port, sys.stdin.fileno(), sys.stdout.fileno(), speed)
        stop = stack.enter_context(_told_to_stop())
        twin.power_on()
        while not stop():
            try:
                bridge.pump(until=stop)
            except PowerCut as cut:
                click.echo(f"\r\n{cut}; power is back\r", err=True)
                twin.power_on()


@contextlib.contextmanager
def _told_to_stop() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was typed or the process was asked to end; an exception would be lost inside the emulator."""
    stop = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: stop.set()) for number in numbers]
    try:
        yield stop.is_set
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextlib.contextmanager
def _raw_terminal() -> Iterator[None]:
    """Keys reach the firmware one by one; Ctrl-C still ends the program."""
    descriptor = sys.stdin.fileno()
    if not os.isatty(descriptor):
        yield
        return
    import termios
    import tty

    before = termios.tcgetattr(descriptor)
    click.echo("Ctrl-] leaves\r", err=True)
    try:
        tty.setcbreak(descriptor)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
