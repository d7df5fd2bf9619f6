"""`spboot twin`: the emulated board."""

from __future__ import annotations

import contextlib
import hashlib
import math
from dataclasses import replace
from pathlib import Path

import click

from spboot import boards, disk
from spboot.boards import Board
from spboot.builder.personal import target_of
from spboot.chips.silence import Silence
from spboot.cli import completing, files, options
from spboot.cli.console import say
from spboot.cli.session import Session
from spboot.device import Device
from spboot.errors import TwinError
from spboot.formats.manifest import name_id
from spboot.twin import STRICT, Cut, Forward, Strict
from spboot.twin.host import state as states
from spboot.twin.usb.stick import Stick


def faster_than_nothing(text: str) -> float:
    """A speed."""
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not speed > 0:
        raise click.BadParameter(f"{text!r} is not a number above 0: 1 is real time, 10 is ten times as fast")
    return speed


@click.command("twin")
@click.argument("board_name", metavar="BOARD", required=False, shell_complete=completing.board)
@click.option(
    "--image",
    "images",
    type=options.PATH,
    multiple=True,
    metavar="FILE",
    help="Program it (.hex, .bin, .elf).",
)
@click.option("--state", type=options.PATH, metavar="FILE", help="Keep the flash in FILE between runs.")
@click.option(
    "--pty",
    is_flag=False,
    flag_value="",
    metavar="[PATH]",
    help="Put the console on a pseudo-terminal and print its name: PATH, a link to it, so that it is always the same.",
)
@click.option("--button", is_flag=True, help="Hold the button down for a second at the first power-on.")
@click.option(
    "--cut",
    metavar="N",
    help="Cut the power at flash operation N, from 0, then boot again; N may be an id, as 40:torn:random=7, and of one "
    "more cut behind it, as 40+12:after.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="ID",
    help="A fault that lasts: worn:0x08040000=3 (a page worn after 3 erases), maximal (longest times of flash).",
)
@click.option("--torn", is_flag=True, help="With --cut: operation N is half done.")
@click.option(
    "--speed",
    type=faster_than_nothing,
    metavar="FACTOR",
    default="1",
    show_default=True,
    help="Speed of virtual time while the firmware idles, relative to real time.",
)
@click.option(
    "--gdb",
    "gdb_port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Let a gdb of this machine in at PORT of localhost; 0 takes one that is free.",
)
@click.option(
    "--silent",
    multiple=True,
    metavar="NAME",
    help="Keep a peripheral silent that the twin has no model of, as I2C1; all: every one of them.",
)
@click.option(
    "--ready",
    multiple=True,
    metavar="NAME.OFFSET=BITS",
    help="Bits that read as 1 in a register of a silent peripheral, as I2C1.0x18=1.",
)
@click.option(
    "--frame",
    type=options.PATH,
    metavar="FILE",
    help="Write what the display shows (LTDC of STM32F4) to FILE, as PNG, when the twin is left and at key f.",
)
@click.option(
    "--net",
    metavar="PORT[=ADDRESS[:PORT]]",
    help="Plug in the Ethernet cable; PORT of localhost leads to the device, port 80 of 192.168.0.10 if not given.",
)
@click.option("--stick", type=options.PATH, metavar="IMAGE", help="Plug in a USB drive with the bytes of IMAGE.")
@click.option(
    "--strict",
    type=click.Choice(STRICT),
    default="bootloader",
    show_default=True,
    help="Whose code is stopped where it does what the manual forbids and silicon bears; other code is warned.",
)
@click.option("--seed", default=0, metavar="NUMBER", show_default=True, help="Decides what RAM holds at power-on.")
def command(
    board_name: str | None,
    images: tuple[Path, ...],
    state: Path | None,
    pty: str | None,
    button: bool,
    cut: str | None,
    torn: bool,
    faults: tuple[str, ...],
    speed: float,
    gdb_port: int | None,
    silent: tuple[str, ...],
    ready: tuple[str, ...],
    frame: Path | None,
    net: str | None,
    stick: Path | None,
    strict: Strict,
    seed: int,
) -> None:
    """Run the firmware of a board on an emulated chip.

    Its console is here, or with --pty on a pseudo-terminal, where `spboot send` or a terminal program finds it.

    Keys: Ctrl-] leaves; Ctrl-T and r resets, p cuts the power and gives it back, b presses the button, l resets with
    the button held, f writes the frame, ? shows these.  With --pty they are typed where the twin runs, and need no
    Ctrl-T.

    \b
    Examples:
      spboot twin NUCLEO-L476RG --image factory.hex
      spboot twin NUCLEO-L476RG --state board.state --pty board
      spboot twin NUCLEO-L476RG --image factory.hex --cut 40 --torn
      spboot twin NUCLEO-L476RG --image factory.hex --cut 40:marginal=7
      spboot twin NUCLEO-L476RG --image factory.elf --gdb 3333
      spboot twin NUCLEO-L476RG --image factory.hex --silent LCD
      spboot twin NUCLEO-F429ZI --image factory.hex --net 8080
    """
    if board_name is None and pty:
        board_name, pty = pty, ""  # --pty BOARD
    if board_name is None:
        raise click.UsageError("Missing argument 'BOARD'.")
    armed = _cut(cut, torn)
    board = Board.load(board_name)
    device = Device(board, seed=seed, silence=_silence(board, silent, ready), strict=strict)
    _ask_for(device, armed, faults)
    _attach(device, stick, frame)
    link, forward = None if pty is None else Path(pty), _forward(device, net)
    session = Session(device, button=button, pty=link, speed=speed, gdb_port=gdb_port, frame=frame, net=forward)
    _run(session, images, state)


def _run(session: Session, images: tuple[Path, ...], state: Path | None) -> None:
    """Run the device with *images* or *state* in its flash, which is kept in *state* at the end."""
    with contextlib.ExitStack() as stack:
        if state is not None:
            files.check_output(state, *images)
            stack.enter_context(disk.alone(state))
        made_of = _fill(session.device, images, state)
        try:
            session.run()
        finally:
            if state is not None:
                states.save(session.device.twin, state, made_of)
            if session.bridge is not None:
                session.farewell(state)


def _ask_for(device: Device, armed: str | None, faults: tuple[str, ...]) -> None:
    """What the flash of the device is to suffer."""
    for fault in faults:
        device.fault(fault)
    if armed is not None:
        device.cut(armed)


def _attach(device: Device, stick: Path | None, frame: Path | None) -> None:
    """A drive, and who looks at the display."""
    if stick is not None:
        device.twin.plug(Stick(stick))
    if frame is not None:
        _ = device.twin.display  # refused at once where there is none
        files.check_output(frame)


def _forward(device: Device, text: str | None) -> Forward | None:
    """What --net asks for; refused at once where the board has no Ethernet."""
    if text is None:
        return None
    try:
        forward = Forward.parse(text)
    except TwinError as error:
        raise click.BadParameter(str(error), param_hint="'--net'") from None
    _ = device.twin.cable
    return forward


def _cut(text: str | None, torn: bool) -> str | None:
    """The id of the cut that --cut and --torn ask for."""
    if text is None:
        if torn:
            raise click.UsageError("--torn says how an operation is cut, and --cut N which one: give both")
        return None
    try:
        first, *others = Cut.chain(text)
    except TwinError as error:
        raise click.BadParameter(str(error), param_hint="'--cut'") from None
    if torn and first.when == "after":
        raise click.UsageError(f"--cut {text} is after its operation, --torn within it: give one of them")
    return "+".join(map(str, [replace(first, when="torn") if torn else first, *others]))


def _silence(board: Board, names: tuple[str, ...], ready: tuple[str, ...]) -> Silence:
    """What --silent and --ready ask for."""
    bits = {}
    for text in ready:
        place, _, value = text.partition("=")
        try:
            bits[place] = int(value, 0)
        except ValueError:
            raise click.BadParameter(
                f"{text!r} is not NAME.OFFSET=BITS, as I2C1.0x18=1", param_hint="'--ready'"
            ) from None
    return Silence.parse(names, bits, board.chip)


def _fill(device: Device, images: tuple[Path, ...], state: Path | None) -> list[str]:
    """Put *state* or *images* into flash; the hashes of the images that it was programmed with."""
    hashes = [hashlib.sha256(files.read(path)).hexdigest() for path in images]
    if state is not None and state.exists():
        made_of = states.load(device.twin, state)
        _check_board(device, state)
        if images and hashes != made_of:
            given = " and ".join(map(str, images))
            raise TwinError(
                f"{state} has the flash of an earlier run, which was not programmed with {given}: omit --image to go "
                f"on with it, or remove {state} to begin anew"
            )
        say(f"goes on with {state}{', where the image was programmed before' if images else ''}")
        return made_of
    if not images:
        raise click.UsageError("nothing to run: give --image, or --state with the flash of an earlier run")
    for path in images:
        try:
            with files.named(path):
                device.program(path)
        except TwinError:
            _check_board(device, path)  # the better reason for bytes outside of flash
            raise
        _check_board(device, path)
    return hashes


def _check_board(device: Device, source: Path) -> None:
    """Raise TwinError when the bootloader in flash is that of another board."""
    board = device.board
    target = target_of(device.twin.flash_read(board.bootloader.address, board.bootloader.size))
    if target is None or target == name_id(board.name):
        return
    other = boards.of_id(target)
    who = f"{other}: run `spboot twin {other}`" if other else f"a board that is not ours ({target:#010x})"
    raise TwinError(f"{source}: its bootloader is not that of {board.name}, but was built for {who}")
