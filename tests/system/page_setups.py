"""What lies in the folder in which a page is followed, by the word of its mark (page.py).

A function for each."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import spboot
from spboot import examples
from spboot.builder.demo import build_demo
from spboot.version import Version

BOARD: Final = "NUCLEO-L476RG"
LAMP: Final = "--mcu STM32L475VG --console USART1:PB6:PB7 --button PC13:low --led PA5:high"
"""The board of docs/porting.md."""


def empty(folder: Path) -> None:
    """Nothing."""


def demo_elfs(folder: Path) -> None:
    """Three versions of the demo application, in the folder and where `make demo` leaves them; any two files."""
    (folder / "out" / "demo").mkdir(parents=True)
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        made = build_demo(spboot.Board.load(BOARD), Version.parse(version), folder)
        (folder / "out" / "demo" / made.name).write_bytes(made.read_bytes())
    (folder / "old.bin").write_bytes(bytes(range(256)) * 8)
    (folder / "new.bin").write_bytes(bytes(range(256)) * 7 + b"new" + bytes(range(253)))


def factory(folder: Path) -> None:
    """Keys, a bootloader in boot, app.elf, and factory.hex of both."""
    board, keys = spboot.Board.load(BOARD), spboot.Keys.new(folder / "keys", "demo", development=True)
    boot = spboot.build(board, keys=keys, folder=folder / "boot")
    build_demo(board, Version(1, 0, 0), folder).rename(folder / "app.elf")
    app = spboot.Image.load(folder / "app.elf", board, "1.0.0")
    spboot.merge(boot, app, keys=keys).save(folder / "factory.hex")


def lamp_app(folder: Path) -> None:
    """app-1.0.0.elf for a board of one's own, whose file is not there yet."""
    spboot_command = [sys.executable, "-c", "from spboot.cli import main; main()"]
    subprocess.run([*spboot_command, "board", "new", "LAMP", *LAMP.split()], cwd=folder, check=True)
    board = spboot.Board.load(folder / "LAMP.toml")
    build_demo(board, Version(1, 0, 0), folder).rename(folder / "app-1.0.0.elf")
    (folder / "LAMP.toml").unlink()


def repository(folder: Path) -> None:
    """A git repository with a commit, build/lamp.elf, and keys that are not for development."""
    git = ["git", "-c", "user.name=page", "-c", "user.email=page"]
    (folder / "main.c").write_text("int main(void);\n")
    (folder / ".gitignore").write_text("build/\nkeys/\nout/\nboot/\nreleases/\n")
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "a lamp"]):
        subprocess.run([*git, *words], cwd=folder, check=True)
    spboot.Keys.new(folder / "keys", "lamp")
    (folder / "build").mkdir()
    build_demo(spboot.Board.load(BOARD), Version(1, 2, 0), folder / "build").rename(folder / "build" / "lamp.elf")


def project(folder: Path) -> None:
    """That repository with a project file."""
    repository(folder)
    (folder / "spboot.toml").write_text(f'board = "{BOARD}"\nkeys = "keys"\nname = "lamp"\n')


def released(folder: Path) -> None:
    """Two releases of the demo application, 1.0.0 and 1.1.0, and a project file."""
    board, keys = spboot.Board.load(BOARD), spboot.Keys.new(folder / "keys", "lamp")
    (folder / "spboot.toml").write_text(f'board = "{BOARD}"\nkeys = "keys"\nname = "lamp"\n')
    spboot.build(board, keys=keys, folder=folder / "boot")
    kept: list[spboot.Release] = []
    for number in ("1.0.0", "1.1.0"):
        version = Version.parse(number)
        making = spboot.Making(
            app=build_demo(board, version, folder),
            board=board,
            keys=keys,
            version=version,
            name="lamp",
            bootloader=folder / "boot",
        )
        kept.append(spboot.postbuild(making, folder / "releases", kept))


def _example(name: str) -> Callable[[Path], None]:
    """The project that `spboot example` begins."""

    def put(folder: Path) -> None:
        examples.copy(examples.find(name), folder)

    return put


EXAMPLES: Final = {
    f"examples/{name}/README.md": name
    for name in ("cmake", "cubemx-cmake", "cubemx-makefile", "stm32cubeide", "rtos-iap", "gui", "web-iap")
}
"""Pages that are copied to users, and so have no mark in them."""

SETUPS: Final[dict[str, Callable[[Path], None]]] = {
    each.__name__: each for each in (empty, demo_elfs, factory, lamp_app, repository, project, released)
} | {name: _example(name) for name in EXAMPLES.values()}
