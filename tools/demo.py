#!/usr/bin/env python3
"""`make demo`: a bootloader, three versions of an application, and two updates on an emulated board, for all to see.
`make demo BOARD=LAMP.toml` rehearses them on a board of your own."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from spboot import boards
from spboot.boards import Board
from spboot.build.demo import build_demo
from spboot.link import ymodem
from spboot.twin import Twin, images
from spboot.twin.port import TwinPort
from spboot.version import Version

BOARD = "NUCLEO-L476RG"
RUNNING = b"r resets"
SPBOOT = Path(sys.executable).with_name("spboot")


def say(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def spboot(*arguments: str, cwd: Path) -> None:
    """Run the command a user would type, and show it."""
    print("$ spboot", *arguments, flush=True)
    subprocess.run([SPBOOT, *arguments], cwd=cwd, check=True)


class Live:
    """The twin with its UART on the screen."""

    def __init__(self, board: Board, image: Path) -> None:
        self.board = board
        self.twin = Twin(board.chip.name, vdd_mv=board.vdd_mv, core_supply=board.core_supply)
        images.load(self.twin, image)
        self.port = TwinPort(self.twin, board.console.port)
        self.twin.power_on()
        if board.button:
            self.twin.pins.set(board.button.name, int(not board.button.active_high))

    def show(self, text: bytes) -> None:
        sys.stdout.write(text.decode(errors="replace").replace("\r", ""))
        sys.stdout.flush()

    def show_until(self, words: bytes, seconds: float = 10.0) -> bytes:
        """Let it run, showing the console, until it says *words*; all that it said."""
        seen = b""
        while words not in seen:
            text = self.port.read(64, seconds)
            if not text:
                raise SystemExit(f"demo: {words!r} was not said within {seconds} s")
            seen += text
            self.show(text)
        self.show(b"\n")
        return seen

    def send(self, file: Path) -> None:
        """Answer the device's call for a file; progress on the screen."""
        data = file.read_bytes()

        def progress(done: int, total: int) -> None:
            print(f"\r  sending {file.name}: {done} of {total} bytes", end="", flush=True)

        ymodem.send(self.port, file.name, data, progress=progress)
        print(flush=True)

    def call(self, key: bytes) -> None:
        """Type *key* until the device calls."""
        ymodem.wait_for_call(self.port, 10, on_text=self.show, poke=key)
        self.show(b"\n")


def costs(live: Live) -> list[str]:
    """Flash operations since the last call, as table cells."""
    board, log = live.board, live.twin.log
    cells = []
    for area in (board.slot1, board.journal, board.slot0):
        if area is None:
            cells.append("none")
            continue
        cells.append(f"{log.erases(area.address, area.end)} / {log.programs(area.address, area.end)}")
    log.clear()
    return cells


def make_files(board: Board, name: str, out: Path) -> None:
    """*name*: what the commands call the board, from *out*."""
    say("1. Keys, bootloader, three versions of the demo application")
    spboot("keys", "new", "keys", "--product", "demo", "--development", cwd=out)
    spboot("build", name, "--keys", "keys", "-o", "boot", cwd=out)
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        print(f"{build_demo(board, Version.parse(version), out).name}: built")
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("out/demo"))
    parser.add_argument("--board", default=BOARD)
    arguments = parser.parse_args()
    out: Path = arguments.output.resolve()
    board = boards.load(arguments.board)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    own = arguments.board.endswith(".toml")
    make_files(board, os.path.relpath(arguments.board, out) if own else arguments.board, out)
    table = Table("update", "file bytes", "SLOT1", "journal", "SLOT0", title="Flash: units erased / units programmed")

    say("3. Power on; 1.1.0 as full image through the bootloader's loader")
    live = Live(board, out / "factory.hex")
    live.call(b"load")
    live.twin.log.clear()
    live.send(out / "demo-1.1.0.sfb")
    live.show_until(RUNNING)
    table.add_row("1.0.0 -> 1.1.0 full image", str((out / "demo-1.1.0.sfb").stat().st_size), *costs(live))

    if board.slot1:
        say("4. 1.2.0 as patch through the running application")
        live.port.write(b"u")
        live.call(b"")
    else:
        say("4. 1.2.0 through the loader as well: a single slot takes no patches")
        live.port.write(b"r")
        live.call(b"load")
    kind, file = ("patch", out / "demo-1.2.0.sfbp") if board.slot1 else ("full image", out / "demo-1.2.0.sfb")
    live.send(file)
    if b"demo 1.2.0 on" not in live.show_until(RUNNING):
        raise SystemExit("demo: the application did not announce 1.2.0")
    table.add_row(f"1.1.0 -> 1.2.0 {kind}", str(file.stat().st_size), *costs(live))
    print()
    Console().print(table)
    print(f"The application announced 1.2.0.  All files are in {os.path.relpath(out)}.")


if __name__ == "__main__":
    main()
