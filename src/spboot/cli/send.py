"""`spboot send`: deliver an update over a serial port."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from spboot.cli import completing, files, kinds, line, options
from spboot.cli.progress import progress
from spboot.cli.rate import Rate
from spboot.cli.transcript import Transcript
from spboot.errors import FormatError, LinkError
from spboot.inspection import DAMAGED, judge
from spboot.link.delivery import Delivery
from spboot.link.serial_port import SerialPort
from spboot.link.verdict import Verdict

_SILENT: Final = 3
"""Exit code when the device did not say what became of the file."""
_SECONDS: Final = click.FloatRange(0.1)


@click.command("send")
@click.argument("port_name", metavar="[PORT]", required=False, shell_complete=completing.port)
@click.argument("file", type=options.PATH, metavar="FILE", required=False)
@line.baud
@line.board
@click.option("--load", is_flag=True, help="Type `load` until the bootloader answers: reset the board meanwhile.")
@click.option(
    "--key",
    default="",
    metavar="TEXT",
    help="Send TEXT, an application's update command, every second until it answers.",
)
@click.option(
    "--timeout",
    type=_SECONDS,
    default=60.0,
    show_default=True,
    help="Seconds to wait for the device to ask for the file.",
)
@click.option(
    "--block", type=click.Choice(["128", "1024"]), default="1024", show_default=True, help="YMODEM block size."
)
@click.option(
    "--quiet-after",
    type=_SECONDS,
    default=3.0,
    show_default=True,
    help="Show the device's text until it pauses this long.",
)
@click.option("--any-file", is_flag=True, help="Send FILE whatever it is: the device alone judges it.")
@click.option("--no-verdict", is_flag=True, help="For a device that says nothing: a file that it took whole is enough.")
@click.pass_context
def command(
    context: click.Context,
    port_name: str | None,
    file: Path | None,
    baud: int | None,
    board_name: str | None,
    load: bool,
    key: str,
    timeout: float,
    block: str,
    quiet_after: float,
    any_file: bool,
    no_verdict: bool,
) -> None:
    """Send an update to a device by YMODEM.

    FILE (.sfb, .sfbp, .sfbk) goes to the device on the serial port PORT, whose text is shown meanwhile.  Its time
    stamps begin again at each boot.  Without PORT it is the only port that is probably a board; see `spboot ports`.
    A FILE that is no update, or a damaged one, is refused before the device is asked.

    Ends with 0 when the device said that the update is complete, with 1 when it said otherwise or could not be reached,
    with 3 when it took the file and did not say what became of it, with 130 when it was interrupted.

    \b
    Examples:
      spboot send app-1.1.0.sfb --load                  # then reset the board
      spboot send /dev/ttyACM0 app-1.2.0.sfbp --key u   # to its application
    """
    if file is None:
        port_name, file = None, line.path(port_name, "FILE")
    data = files.read(file) if any_file else _update(file)
    screen, rate = Transcript(), Rate()
    delivery = Delivery(
        poke=b"load" if load else b"", key=key.encode(), timeout_s=timeout, quiet_s=quiet_after, block=int(block)
    )
    speed = line.speed(baud, board_name)
    with SerialPort(line.named(port_name), speed) as port, progress(file.name, of_bytes=True) as tick:
        try:
            verdict = delivery.run(
                port, file.name, data, on_text=screen.show, on_restart=_tell_of_restart, progress=rate.through(tick)
            )
        except KeyboardInterrupt:
            click.echo("the device was told that the file ends here", err=True)
            raise
    if not _conclude(file, f"{len(data)} bytes sent{rate}", verdict) and not no_verdict:
        context.exit(_SILENT)


def _update(path: Path) -> bytes:
    """An update, as far as that can be seen without keys.  Raises FormatError, DiskError."""
    data = kinds.read(path, kinds.UPDATE)
    with files.named(path):
        verdict, why = judge(data)
    if verdict == DAMAGED:
        raise FormatError(f"{path}: damaged: {why}; copy or make it again")
    return data


def _conclude(file: Path, done: str, verdict: Verdict | None) -> bool:
    """Whether the device said what became of the file.  Raises LinkError when it refused it."""
    if verdict is not None and not verdict.accepted:
        reason = "".join(f"\n  {words}" for words in verdict.words)
        raise LinkError(f"{file.name}: the device refused it{':' if reason else ' and did not say why'}{reason}")
    what = " did not say what became of it" if verdict is None else f": {verdict.words[-1]}"
    click.echo(f"{file.name}: {done}; the device{what}", err=True)
    return verdict is not None


def _tell_of_restart(why: str) -> None:
    click.echo(f"{why}: waiting for it to ask for the file again", err=True)
