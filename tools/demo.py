#!/usr/bin/env python3
"""`make demo`: a bootloader, three versions of an application of some 100 KB, and two updates on an emulated board, for
all to see.  `make demo BOARD=LAMP.toml` rehearses them on a board of your own."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from spboot import boards, image
from spboot.boards import Area, Board
from spboot.build.demo import build_demo
from spboot.errors import SpbootError
from spboot.link import ymodem
from spboot.twin import Twin
from spboot.twin.host import images
from spboot.twin.host.port import TwinPort
from spboot.twin.timeline import PS_PER_S
from spboot.version import Version

BOARD: Final = "NUCLEO-L476RG"
RUNNING: Final = b"r resets"
SPBOOT: Final = Path(sys.executable).with_name("spboot")
CARGO: Final = 92_000
"""Bytes of generated firmware beside the demo's own; less where the slot is small."""
VERSIONS: Final = ("1.0.0", "1.1.0", "1.2.0")
_BITS: Final = 10
"""A byte on the line, with its start and stop bit."""
_ROW: Final = 64
_START_S: Final = 60.0
"""Longest wait for the application, in virtual time: large sectors take seconds each, twice."""


class DemoError(SpbootError):
    """The device did not do what the demo wants to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One update.  *changed*: area -> pages that were erased, by number from its start.  Seconds are the twin's."""

    name: str
    file_bytes: int
    line_s: float
    flash_s: float
    all_s: float
    changed: dict[str, frozenset[int]]

    @property
    def pages(self) -> int:
        return sum(len(pages) for pages in self.changed.values())


def say(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def spboot(*arguments: str, cwd: Path) -> None:
    """Run the command a user would type, and show it."""
    print("$ spboot", *arguments, flush=True)
    done = subprocess.run([SPBOOT, *arguments], cwd=cwd, check=False)
    if done.returncode:
        raise DemoError(f"`spboot {arguments[0]}` ended with exit code {done.returncode}; it said why above")


class CountedPort(TwinPort):
    """Counts what goes over the line, both ways."""

    moved = 0

    def read(self, size: int, timeout_s: float) -> bytes:
        data = super().read(size, timeout_s)
        self.moved += len(data)
        return data

    def write(self, data: bytes) -> None:
        self.moved += len(data)
        super().write(data)


class Live:
    """The twin with its UART on the screen."""

    def __init__(self, board: Board, factory: Path) -> None:
        self.board = board
        self.twin = Twin(board.chip.name, vdd_mv=board.vdd_mv, core_supply=board.core_supply)
        self.twin.uart(board.console.port).baud = board.console.baud
        images.load(self.twin, factory)
        self.port = CountedPort(self.twin, board.console.port)
        self.twin.power_on()
        if board.button:
            self.twin.pins.set(board.button.name, int(not board.button.active_high))

    def show(self, text: bytes) -> None:
        sys.stdout.write(text.decode(errors="replace").replace("\r", ""))
        sys.stdout.flush()

    def show_until(self, words: bytes, seconds: float = _START_S) -> bytes:
        """Let it run, showing the console, until it says *words*; all that it said."""
        seen = b""
        while words not in seen:
            text = self.port.read(64, seconds)
            if not text:
                raise DemoError(f"{words!r} was not said within {seconds:g} s of the twin's time")
            seen += text
            self.show(text)
        self.show(b"\n")
        return seen

    def send(self, file: Path) -> None:
        """Answer the device's call for a file; progress on the screen."""

        def progress(done: int, total: int) -> None:
            if sys.stdout.isatty() or done == total:
                print(f"\r  sending {file.name}: {done} of {total} bytes", end="", flush=True)

        ymodem.send(self.port, file.name, file.read_bytes(), progress=progress)
        print(flush=True)

    def call(self, key: bytes) -> None:
        """Type *key* until the device calls."""
        ymodem.wait_for_call(self.port, 10, on_text=self.show, poke=key)
        self.show(b"\n")

    def update(self, name: str, file: Path) -> Cost:
        """Send *file* to the device, which has called, and let it install that and start."""
        log, began = self.twin.log, self.twin.time
        log.clear()
        self.port.moved = 0
        self.send(file)
        line_s = self.port.moved * _BITS / self.board.console.baud
        version = file.stem.rpartition("-")[2]
        if f"demo {version} on".encode() not in self.show_until(RUNNING):
            raise DemoError(f"the application did not announce {version}")
        return Cost(
            name=name,
            file_bytes=file.stat().st_size,
            line_s=line_s,
            flash_s=log.busy_ps / PS_PER_S,
            all_s=self.twin.time - began,
            changed={name: self._erased(area) for name, area in self.board.areas.items()},
        )

    def _erased(self, area: Area) -> frozenset[int]:
        """Pages of *area*, which may be larger than what is erased at once."""
        size = self.board.page_size
        return frozenset(
            (op.address - area.address) // size
            for op in self.twin.log
            if op.kind == "erase" and area.address <= op.address < area.end
        )


def cost_table(costs: Iterable[Cost]) -> Table:
    """Bytes and seconds side by side."""
    table = Table("update", title="What the updates cost", title_justify="left")
    for head in ("file bytes", "on the line", "pages erased", "flash busy", "until it runs"):
        table.add_column(head, justify="right")
    for cost in costs:
        line, flash, until = (f"{value:.2f} s" for value in (cost.line_s, cost.flash_s, cost.all_s))
        table.add_row(cost.name, f"{cost.file_bytes:,}", line, str(cost.pages), flash, until)
    return table


def page_map(board: Board, cost: Cost, image_size: int) -> list[str]:
    """A letter for each page of the slots that the image reaches: # was erased and written, . stayed as it was."""
    pages = -(-(board.vector_size + image_size) // board.page_size)
    lines = []
    for name in ("slot0", "slot1"):
        if name not in cost.changed or (name == "slot1" and board.slot1 is None):
            continue
        letters = "".join("#" if page in cost.changed[name] else "." for page in range(pages))
        for start in range(0, pages, _ROW):
            lines.append(f"  {name.upper() if not start else '':<5} {lit(letters[start : start + _ROW])}")
    return lines


def lit(letters: str) -> str:
    """On a terminal what changed stands out."""
    return letters.replace("#", "\033[7m#\033[0m") if sys.stdout.isatty() else letters


def cargo_size(board: Board) -> int:
    return min(CARGO, board.image_capacity * 6 // 10)


def build_applications(board: Board, out: Path) -> None:
    """All versions, two at a time."""

    def one(version: str) -> Path:
        return build_demo(board, Version.parse(version), out, cargo_size=cargo_size(board))

    with ThreadPoolExecutor(2) as pool:
        for elf in pool.map(one, VERSIONS):
            print(f"{elf.name}: built", flush=True)


def make_files(board: Board, name: str, out: Path) -> None:
    """*name*: what the commands call the board, from *out*."""
    say("1. Keys, bootloader, three versions of the demo application")
    spboot("keys", "new", "keys", "--product", "demo", "--development", cwd=out)
    spboot("build", name, "--keys", "keys", "-o", "boot", cwd=out)
    build_applications(board, out)
    common = ("--board", name, "--keys", "keys")
    say("2. The production file, a full image and " + ("a patch" if board.slot1 else "another"))
    boot = f"boot/spboot-{board.name}.bin"
    spboot("merge", boot, "demo-1.0.0.elf", *common, "--version", "1.0.0", "-o", "factory.hex", cwd=out)
    spboot("image", "demo-1.1.0.elf", *common, "--version", "1.1.0", "-o", "demo-1.1.0.sfb", cwd=out)
    if board.slot1 is None:
        spboot("image", "demo-1.2.0.elf", *common, "--version", "1.2.0", "-o", "demo-1.2.0.sfb", cwd=out)
        return
    change = ("--from", "demo-1.1.0.elf", "--from-version", "1.1.0", "--to", "demo-1.2.0.elf", "--version", "1.2.0")
    spboot("patch", *change, *common, "-o", "demo-1.2.0.sfbp", cwd=out)


def run_updates(board: Board, out: Path) -> list[Cost]:
    """A full image through the loader, then a patch through the application, or another full image."""
    say("3. Power on; 1.1.0 as full image through the bootloader's loader")
    live = Live(board, out / "factory.hex")
    live.call(b"load")
    costs = [live.update("1.0.0 -> 1.1.0, full image", out / "demo-1.1.0.sfb")]
    if board.slot1:
        say("4. 1.2.0 as patch through the running application")
        live.port.write(b"u")
        live.call(b"")
        return [*costs, live.update("1.1.0 -> 1.2.0, patch", out / "demo-1.2.0.sfbp")]
    say("4. 1.2.0 through the loader as well: a single slot takes no patches")
    live.port.write(b"r")
    live.call(b"load")
    return [*costs, live.update("1.1.0 -> 1.2.0, full image", out / "demo-1.2.0.sfb")]


def report(board: Board, costs: list[Cost], image_size: int) -> None:
    """What it cost, and where."""
    print()
    Console(width=None if sys.stdout.isatty() else 120).print(cost_table(costs))
    print(f"\nPages of {board.page_size:,} bytes, # erased and written, . left alone:")
    for cost in costs:
        print(f"\n  {cost.name}")
        print(*page_map(board, cost, image_size), sep="\n")


def next_steps(board: Board, name: str, out: Path) -> list[str]:
    """Three commands to try, as they are typed here."""
    here = os.path.relpath(out)
    command = os.path.relpath(SPBOOT)
    update = "demo-1.2.0.sfbp" if board.slot1 else "demo-1.2.0.sfb"
    return [
        f"{command} inspect {here}/{update} --keys {here}/keys",
        f"{command} twin {name} --image {here}/factory.hex --state {here}/board.state",
        f"{command} board new LAMP --mcu {board.chip.name}",
    ]


def prepare(out: Path) -> None:
    """An empty folder; what an earlier demo left is removed, and nothing else."""
    if out.exists() and any(out.iterdir()) and not (out / "keys" / "product.toml").exists():
        raise DemoError(f"{out} is not empty and not of an earlier demo: choose another --output")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("out/demo"))
    parser.add_argument("--board", default=BOARD)
    arguments = parser.parse_args()
    out: Path = arguments.output.resolve()
    board = boards.load(arguments.board)
    prepare(out)
    own = arguments.board.endswith(".toml")
    make_files(board, os.path.relpath(arguments.board, out) if own else arguments.board, out)
    costs = run_updates(board, out)
    report(board, costs, len(image.load(out / "demo-1.2.0.elf", board)))
    print(f"\nThe application announced 1.2.0.  All files are in {os.path.relpath(out)}.  What next:")
    for command in next_steps(board, arguments.board, out):
        print(f"  {command}")


if __name__ == "__main__":
    try:
        main()
    except SpbootError as error:
        print(f"demo: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
