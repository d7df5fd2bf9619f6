"""The commands of a page of the documents, run as they stand there, in their order, in one folder.

A page says in comments, which no reader sees, how it is run:

    <!-- run: SETUP -->       it is; SETUP is a function of page_setups.py, which says what lies in the folder
    <!-- run: SETUP, soak --> by `make soak`, as it takes long
    <!-- not run: REASON -->  the block that follows is not
    <!-- ends with: 1 -->     each command of the block that follows ends with this exit code; else with 0

A block of commands is one that is indented or fenced and begins with a program of PROGRAMS, behind `$ ` or not; other
lines in it are what a command prints.  A folder that is entered and a variable that is set hold for the commands after.
`spboot twin` runs on until the next one, or the end of the page: it gets --speed, so that nobody waits; without --pty
it is left when an image starts.  /dev/ttyACM0 is the port of the twin that runs; `send --load` without a --key gets its
reset by the key `r`."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_PROGRAMS: Final = (
    "spboot make pip git cp mv rm mkdir cd export python python3 pytest openssl npm openocd pyocd st-flash"
    " STM32_Programmer_CLI gdb-multiarch cmake ninja west pio softhsm2-util pkcs11-tool curl sha256sum cat ls diff cmp"
    " unzip tar eval source .venv/bin/python .venv/bin/spboot"
)
PROGRAMS: Final = frozenset(_PROGRAMS.split())
PORT: Final = "/dev/ttyACM0"
LEAVE: Final = b"\x1d"
STARTED: Final = b"] starting "
SPEED: Final = "4"
HANGS_S: Final = 600
_KEEP: Final = 'code=$?; { printf "%s\\0" "$PWD"; env -0; } > "$1"; exit $code'
"""What a command leaves to the next one: its folder and its variables."""
_MARK: Final = re.compile(r"<!-- (not run|ends with): (.*) -->")
_SHELLS: Final = {"", "console", "sh", "bash", "shell"}
_RUN: Final = re.compile(r"^<!-- run: (\w+)(, soak)? -->$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A line of a page.  *reason*: why it is not run, or ""."""

    line: str
    code: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The commands of a page, and its set-up; "" for a page that does not say how it is run."""

    path: Path
    setup: str
    soak: bool
    commands: tuple[Command, ...]

    @classmethod
    def load(cls, path: Path) -> Page:
        """Read a page, and nothing else."""
        text = path.read_text(encoding="utf-8")
        run = _RUN.search(text)
        found = tuple(_commands(text.splitlines()))
        return cls(path=path, setup=run[1] if run else "", soak=bool(run and run[2]), commands=found)

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))


def _commands(lines: list[str]) -> Iterator[Command]:
    for (mark, word), block in _blocks(lines):
        joined = re.sub(r"\\\n\s*", "", "\n".join(block)).splitlines()
        typed = [line.removeprefix("$ ") for line in joined]
        if not typed or not _is_command(typed[0]):
            continue
        code = int(word) if mark == "ends with" else 0
        reason = word if mark == "not run" else ""
        yield from (Command(line=line, code=code, reason=reason) for line in typed if _is_command(line))


def _blocks(lines: list[str]) -> Iterator[tuple[tuple[str, str], list[str]]]:
    """(mark before it, lines) of every indented block, and of every fenced one that may be of a shell."""
    none = ("", "")
    mark, at, paragraph = none, 0, False
    while at < len(lines):
        line, start = lines[at], at
        at += 1
        if line.startswith("```"):
            while at < len(lines) and not lines[at].startswith("```"):
                at += 1
            if line[3:].strip() in _SHELLS:
                yield mark, lines[start + 1 : at]
            at += 1
            mark, paragraph = none, False
        elif line.startswith("    ") and not paragraph:
            while at < len(lines) and (not lines[at].strip() or lines[at].startswith("    ")):
                at += 1
            yield mark, [each[4:] for each in lines[start:at]]
            mark = none
        elif found := _MARK.fullmatch(line.strip()):
            mark = (found[1], found[2])
        elif line.strip():
            mark, paragraph = none, not line.startswith(("#", "<!--"))
        else:
            paragraph = False


def _is_command(line: str) -> bool:
    return line.split(" ", 1)[0] in PROGRAMS


class Shell:
    """Runs the commands of one page, as if somebody typed them."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self._here = folder
        self._kept = folder.with_name(f"{folder.name}-kept")
        self._twin: subprocess.Popen[bytes] | None = None
        self._port = ""
        kept = {name: text for name, text in os.environ.items() if not name.startswith(("SPBOOT_", "PYTEST_"))}
        programs = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
        who = {f"GIT_{role}_{what}": "page" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        self._environment = {**kept, **who, "PATH": programs, **variables}

    def run(self, command: Command) -> None:
        """Run one, and hold it to its exit code."""
        line = command.line.replace(PORT, self._port or PORT)
        if line.startswith("spboot twin"):
            self._start_twin(line)
            return
        process = subprocess.Popen(
            ["bash", "-c", f"{line}\n{_KEEP}", "bash", str(self._kept)],
            cwd=self._here,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if re.search(r"^spboot send .*--load", line) and "--key" not in line:
            time.sleep(1)
            self.type_keys(b"r")
        try:
            said = process.communicate(timeout=HANGS_S)[0].decode(errors="replace")
        finally:
            process.kill()
        assert process.returncode == command.code, f"$ {line}\n{said}\nended with {process.returncode}"
        if self._kept.exists():
            here, *variables = self._kept.read_text(encoding="utf-8").rstrip("\0").split("\0")
            self._here = Path(here)
            self._environment = dict(each.split("=", 1) for each in variables)

    def _start_twin(self, line: str) -> None:
        self.stop_twin()
        words = shlex.split(line, comments=True)
        command = [*words, *(() if "--speed" in words else ("--speed", SPEED))]
        self._twin = subprocess.Popen(
            command, cwd=self._here, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._twin.stdout
        if "--pty" in words:
            self._port = self._twin.stdout.readline().decode().strip()
            assert self._port, f"{line}: it did not say its port"
        else:  # its console is here: until the application starts
            assert any(STARTED in said for said in self._twin.stdout), f"{line}: no application started"
            self.stop_twin()

    def type_keys(self, keys: bytes) -> None:
        """Press *keys* where the twin runs."""
        assert self._twin and self._twin.stdin, "no twin runs"
        self._twin.stdin.write(keys)
        self._twin.stdin.flush()

    def stop_twin(self) -> None:
        """Leave the twin that runs, which has to end well."""
        if self._twin is None:
            return
        twin, self._twin = self._twin, None
        assert twin.stdin
        try:
            twin.stdin.write(LEAVE)
            twin.stdin.close()
            assert twin.wait(HANGS_S) == 0
        finally:
            twin.kill()


@contextmanager
def shell(folder: Path, variables: dict[str, str] | None = None) -> Iterator[Shell]:
    """A shell in *folder*, with *variables* in its environment, whose twin does not outlive it."""
    with ExitStack() as stack:
        opened = Shell(folder, variables or {})
        stack.callback(opened.stop_twin)
        yield opened
