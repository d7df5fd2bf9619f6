"""`spboot demo`: keys, bootloader, three versions of an application, and two updates of an emulated board."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
from click.core import ParameterSource

from spboot import boards, kit, trial
from spboot.boards import Board
from spboot.builder.demo import build_demo, cargo_size
from spboot.cli import completing, files, options, tables
from spboot.cli.interruption import told_to_stop
from spboot.cli.screen import Screen, map_lines
from spboot.cli.telling import Telling, telling
from spboot.device import Device, Through
from spboot.device.cost import Cost, measure
from spboot.device.picture import svg
from spboot.device.upgrade import START_S
from spboot.errors import DeviceError
from spboot.image import Image
from spboot.version import Version

_BOARD: Final = "NUCLEO-L476RG"
_READY: Final = b"r resets"
"""The application's last words at its start."""
_VERSIONS: Final = ("1.0.0", "1.1.0", "1.2.0")
_MARK: Final = ".made-by-spboot-demo"
"""A folder with this file is the demo's to remove."""
_PICTURE: Final = "demo.svg"
_HERE: Final = ""
"""--files without a folder."""


@click.command("demo")
@click.argument("board_name", metavar="[BOARD]", default=_BOARD, shell_complete=completing.board)
@click.option(
    "-o",
    "--output",
    type=options.PATH,
    default="out/demo",
    show_default=True,
    metavar="DIR",
    help="Folder for all files; that of an earlier demo is made anew.",
)
@click.option(
    "--files",
    "into",
    is_flag=False,
    flag_value=_HERE,
    metavar="[DIR]",
    help="Write what somebody with the board needs to try it, and run nothing; into out/files/BOARD without DIR.",
)
@click.option("--force", is_flag=True, help="With --files: make the files of an earlier run anew, with its keys.")
@telling
@click.pass_context
def command(
    context: click.Context, board_name: str, output: Path, into: str | None, force: bool, tell: Telling
) -> None:
    """Show two updates of an emulated board.

    Makes development keys, a bootloader and three versions of an application of some 100 KB, by the commands that it
    shows, and updates BOARD by a full image and then by a patch, with its console on the screen.  At the end it
    compares what the two updates cost, also as a picture, and says what to try next.  It needs a minute or two, and no
    board.

    With --files it writes a folder for who has BOARD: bootloader, factory file, full image, patch, development keys,
    and a README.md that says what to do.

    \b
    Examples:
      spboot demo
      spboot demo LAMP.toml --output lamp-demo    # a board of your own
      spboot demo NUCLEO-L476RG --files           # for a board on your table
    """
    board = Board.load(board_name)
    if into is not None:
        _check_files(context, into)
        _write_files(board, board_name, Path("out", "files", board.name) if into == _HERE else Path(into), force, tell)
        return
    if force or tell.as_json or not tell.talks:
        raise click.UsageError("--force, --json and -q go with --files")
    _prepare(output)
    demo = _Demo(context, board, board_name, output)
    demo.make_files()
    costs = demo.run_updates()
    files.write(output / _PICTURE, svg(f"Two updates of {board.name}", costs).encode())
    _report(board, costs)
    click.echo(
        f"\nThe application announced {_VERSIONS[-1]}.  All files are in {output}, {_PICTURE} shows this as a picture."
    )
    click.echo("What next:")
    for line in demo.next_steps():
        click.echo(f"  {line}")


def _check_files(context: click.Context, into: str) -> None:
    if context.get_parameter_source("output") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--files and --output both name the folder: give it to --files")
    if into.endswith(".toml") or into in boards.all_names():
        raise click.UsageError(f"--files {into}: expected a folder, and {into} is a board: type it before --files")


def _write_files(board: Board, name: str, folder: Path, force: bool, tell: Telling) -> None:
    own = Path(name) if name.endswith(".toml") else None
    made = kit.write(board, folder, board_file=own, again=force, tell=tell.more)
    tell.facts(
        board=board.name, folder=folder, key=made.key, development=True,
        files=[{"file": item.file, "what": item.what, "size": item.size, "sha256": item.sha256} for item in made.items],
    )  # fmt: skip
    tell.say(f"{folder}: {len(made.items)} files for {board.name}, development key {made.key}")
    tell.say(f"{folder / kit.README} says what to do")


def _prepare(output: Path) -> None:
    """An empty folder; that of an earlier demo is removed, and nothing else."""
    if output.exists() and not output.is_dir():
        raise DeviceError(f"{output} is a file, expected a folder: choose another --output")
    if output.exists() and any(output.iterdir()):
        if not (output / _MARK).exists():
            raise DeviceError(f"{output} is not empty and not of an earlier demo: choose another --output")
        shutil.rmtree(output)
    output.mkdir(parents=True, exist_ok=True)
    (output / _MARK).write_text("`spboot demo` removes this folder when it runs again.\n", encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Update:
    """One of the two updates.  *ask*: what the device is told before it is called."""

    old: str
    new: str
    file: Path
    kind: str
    through: Through
    ask: str = ""


class _Demo:
    """One run, in folder *out*; *name* is what the commands call the board."""

    def __init__(self, context: click.Context, board: Board, name: str, out: Path) -> None:
        self._root = context.find_root()
        self._board = board
        self._name = name
        self._out = out

    def make_files(self) -> None:
        """Everything that the device and its factory need, by the commands that a user types."""
        out, board = self._out, self._board
        _say("1. Keys, bootloader, three versions of the demo application")
        self._spboot("keys", "new", out / "keys", "--product", "demo", "--development")
        self._spboot("build", self._name, "--keys", out / "keys", "-o", out / "boot")
        self._build_applications()
        _say("2. The production file, a full image and " + ("a patch" if board.slot1 else "another"))
        common = ("--board", self._name, "--keys", out / "keys", "--version")
        boot = out / "boot" / f"spboot-{board.name}.bin"
        self._spboot("merge", boot, self._elf("1.0.0"), *common, "1.0.0", "-o", out / "factory.hex")
        first, second = self._updates()
        self._spboot("image", self._elf(first.new), *common, first.new, "-o", first.file)
        if second.kind == "patch":
            change = ("--from", self._elf(second.old), "--from-version", second.old, "--to", self._elf(second.new))
            self._spboot("patch", *change, *common, second.new, "-o", second.file)
        else:
            self._spboot("image", self._elf(second.new), *common, second.new, "-o", second.file)

    def _spboot(self, *arguments: str | Path) -> None:
        """Run a command, and show it."""
        words = [str(argument) for argument in arguments]
        click.echo(f"$ spboot {shlex.join(words)}")
        group = self._root.command
        group.main(words, prog_name="spboot", standalone_mode=False)

    def _build_applications(self) -> None:
        """All versions, two at a time."""
        size = cargo_size(self._board)
        with ThreadPoolExecutor(2) as pool:
            made = [
                pool.submit(build_demo, self._board, Version.parse(version), self._out, cargo_size=size)
                for version in _VERSIONS
            ]
            try:
                for each in made:
                    click.echo(f"{each.result()}: built")
            finally:
                pool.shutdown(cancel_futures=True)

    def _elf(self, version: str) -> Path:
        return self._out / f"demo-{version}.elf"

    def _updates(self) -> tuple[_Update, _Update]:
        """A full image through the loader, then a patch through the application; with a single slot another image."""
        old, middle, new = _VERSIONS
        image_file = self._out / f"demo-{middle}.sfb"
        first = _Update(old=old, new=middle, file=image_file, kind="full image", through="loader")
        if self._board.slot1 is not None:
            patch_file = self._out / f"demo-{new}.sfbp"
            return first, _Update(old=middle, new=new, file=patch_file, kind="patch", through="application")
        last_file = self._out / f"demo-{new}.sfb"
        return first, _Update(old=middle, new=new, file=last_file, kind="full image", through="loader", ask="r")

    def run_updates(self) -> list[Cost]:
        """Power on, and both updates, with the console on the screen."""
        device = Device(self._board)
        device.program(self._out / "factory.hex")
        device.power_on()
        size = len(Image.load(self._elf(_VERSIONS[-1]), self._board, _VERSIONS[-1]).data)
        with told_to_stop() as stop:
            return [self._run(device, update, Screen(size, stop), size, _words(update)) for update in self._updates()]

    def _run(self, device: Device, update: _Update, screen: Screen, image_size: int, words: str) -> Cost:
        _say(words)
        device.on_text = screen.hear
        with screen:
            device.type(update.ask)
            device.call(update.through)
            cost = measure(
                device,
                update.file,
                name=f"{update.old} -> {update.new}, {update.kind}",
                image_size=image_size,
                ready=_READY,
                seconds=START_S,
                look=screen.look,
                progress=screen.progress,
            )
        if device.version != update.new:
            raise DeviceError(f"{update.file}: the device started {device.version}, expected {update.new}")
        return cost

    def next_steps(self) -> list[str]:
        """Three commands to try, as they are typed here."""
        out, update = self._out, self._updates()[-1].file
        name = shlex.quote(self._name)
        return [
            f"{_typed()} inspect {_quoted(update)} --keys {_quoted(out / 'keys')}",
            f"{_typed()} twin {name} --image {_quoted(out / 'factory.hex')} --state {_quoted(out / 'board.state')}",
            f"{_typed()} board new LAMP --mcu {self._board.chip.name}",
        ]


def _words(update: _Update) -> str:
    if update.old == _VERSIONS[0]:
        return f"3. Power on; {update.new} as full image through the bootloader's loader"
    if update.kind == "patch":
        return f"4. {update.new} as patch through the running application"
    return f"4. {update.new} through the loader as well: a single slot takes no patches"


def _report(board: Board, costs: list[Cost]) -> None:
    """What it cost, and where."""
    click.echo()
    heads = ("update", "file bytes>", "on the line>", "pages erased>", "flash busy>", "until it runs>")
    tables.show("What the updates cost", heads, _cells(costs))
    first, last = costs
    if board.slot1 is not None:
        click.echo(
            f"The patch has {last.file_bytes:,} bytes, the full image {first.file_bytes:,}: "
            f"{last.line_s:.2f} s on the line beside {first.line_s:.2f} s.\n"
        )
    kept = "; where SLOT1 keeps the pages before is not drawn" if trial.room(board) else ""
    click.echo(f"Pages of {board.page_size:,} bytes, # erased and written, . left alone{kept}:")
    for cost in costs:
        click.echo(f"\n  {cost.name}")
        Screen.print(map_lines(cost.rows))


def _cells(costs: list[Cost]) -> Iterator[tuple[str, ...]]:
    for cost in costs:
        line, flash, until = (f"{value:.2f} s" for value in (cost.line_s, cost.flash_s, cost.all_s))
        yield cost.name, f"{cost.file_bytes:,}", line, str(cost.pages), flash, until


def _say(text: str) -> None:
    click.secho(f"\n{text}", bold=True)


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))


def _typed() -> str:
    """What the user typed to run this command."""
    called = Path(sys.argv[0])
    if called.stem != "spboot" or shutil.which("spboot") == str(called):
        return "spboot"
    return shlex.quote(os.path.relpath(called))
