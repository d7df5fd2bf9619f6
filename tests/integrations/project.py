"""An example as a user has it: copied out of spboot into a git repository of its own, with keys for the field."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import spboot
from spboot.link.verdict import Hearing
from spboot.releases import Release

SPBOOT: Final = Path(sys.executable).with_name("spboot")
BOARD: Final = "NUCLEO-L476RG"
HANGS_S: Final = 600
_ALONE: Final = {
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org",
}  # fmt: skip
"""What git knows of a user, and no more."""

Edit = tuple[str, str, str]
"""File of the project, text that is there once, text in its place."""


def environment(**more: str) -> dict[str, str]:
    """spboot is on PATH, and nothing is said of a board, keys or a version."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("SPBOOT_", "GIT_", "MAKE"))}
    return kept | _ALONE | {"PATH": f"{SPBOOT.parent}{os.pathsep}{os.environ['PATH']}"} | more


@dataclass
class Project:
    """The example *name* in *folder*."""

    name: str
    folder: Path
    board: str = BOARD
    env: dict[str, str] = field(default_factory=environment)

    @classmethod
    def new(cls, name: str, folder: Path, *, made: Path | None = None, board: str = BOARD) -> Project:
        """Copied out, with a project file, committed and tagged v1.0.0.  *made*: where keys and boot lie; else there
        are keys, and no bootloader yet."""
        project = cls(name, folder, board)
        project.run("spboot", "example", name, str(folder), cwd=folder.parent)
        project.run("git", "init", "-q", ".")
        for each in ("keys", "boot") if made else ():
            shutil.copytree(Path(made or "") / each, folder / each)
            (folder / each / ".gitignore").write_text("*\n")
        project.run("spboot", "init", "--board", board, "--name", "lamp", "--production")
        project.commit("v1.0.0")
        return project

    def copy(self, folder: Path) -> Project:
        """As it is now, for one test to change: tests run in any order, on any worker."""
        shutil.copytree(self.folder, folder)
        return replace(self, folder=folder)

    def tried(
        self, *command: str, cwd: Path | None = None, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """*command* in the project's folder, however it ends."""
        return subprocess.run(
            command, cwd=cwd or self.folder, env=env or self.env, capture_output=True, text=True, timeout=HANGS_S
        )

    def run(self, *command: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
        """All that *command* says; it has to succeed."""
        done = self.tried(*command, cwd=cwd, env=env)
        assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def refused(self, *command: str, env: dict[str, str] | None = None) -> str:
        """All that *command* says, in one line; it has to fail."""
        done = self.tried(*command, env=env)
        assert done.returncode != 0, done.stdout
        return " ".join((done.stdout + done.stderr).split())

    def commit(self, tag: str, *options: str) -> None:
        self.run("git", "add", "-A")
        self.run("git", "commit", "-q", "-m", tag, *options)
        self.run("git", "tag", tag)

    def edit(self, edits: Iterable[Edit]) -> None:
        for file, old, new in edits:
            path = self.folder / file
            text = path.read_text(encoding="utf-8")
            assert text.count(old) == 1, f"{file}: {old!r} is there {text.count(old)} times, expected once"
            path.write_text(text.replace(old, new), encoding="utf-8")

    @property
    def typed(self) -> list[list[str]]:
        """The words of what its README says is typed to build it: lines of cmake."""
        text = (self.folder / "README.md").read_text(encoding="utf-8")
        return [line.split() for line in text.splitlines() if re.match(r" {4}cmake ", line)]

    def change(self, tag: str) -> None:
        """A faster LED, as a new version."""
        main = next(path for path in self.folder.rglob("main.c"))
        text = main.read_text()
        main.write_text(re.sub(r"\b250u?\b", "125", text))
        assert main.read_text() != text
        self.commit(tag)

    def release(self, kind: str, version: str) -> Release:
        return Release.load(self.folder / kind / f"lamp_{self.board}_{version}")


def flashing(folder: Path) -> dict[str, str]:
    """An environment whose spboot says what `flash` would program."""
    script = folder / "bin" / "spboot"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\n[ "$1" = flash ] && echo "flash of $2" && exit 0\nexec "{SPBOOT}" "$@"\n')
    script.chmod(0o755)
    return environment(PATH=f"{script.parent}:{environment()['PATH']}")


def built_and_updated(
    project: Project, make: Callable[[], str], keep: Callable[[], object], header: Path, name: str = ""
) -> None:
    """Two versions by the project's own tool, *make*; the first is kept by *keep*, and updated on the twin by the
    patch, through the application's own receiver.  The version is the same in git, files, header and device.  *name*:
    of the board, as the application has it."""
    name = name or project.board
    assert "warning" not in make()
    keep()
    project.change("v1.1.0")
    make()
    git = project.run("spboot", "version").strip()
    header_text = (project.folder / header).read_text()
    new, old = project.release("out", "1.1.0"), project.release("releases", "1.0.0")
    (patch,) = new.patches
    update = new.path(patch)
    told = spboot.inspect(new.path(new.image).read_bytes())["version"]
    assert git == re.findall(r'SPBOOT_VERSION "(.*)"', header_text)[0] == str(new.version) == told == "1.1.0"
    with spboot.Device(spboot.Board.load(project.board)) as device:
        device.program(next(old.folder.glob("BOOT_*.hex")))
        device.power_on()
        said = device.read_until("r resets")
        assert f"app 1.0.0 (v1.0.0) on {name}".encode() in said and b"installed as 1.0.0, bootloader" in said
        device.update(update, through="application")
        device.wait(0.5)
        assert device.version == git
        hearing = Hearing()
        hearing.feed(bytes(device.heard))
        assert hearing.verdict and hearing.verdict.accepted and "update: complete" in hearing.verdict.words[0]
        last = bytes(device.heard).decode().rpartition("update: complete")[2]
        assert f"app {git} (v1.1.0) on {name}, installed as {git}, bootloader" in last
        assert "not what was compiled in" not in last
