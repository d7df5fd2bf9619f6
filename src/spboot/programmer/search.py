"""Which programmers there are on this machine, and which of them can program a file."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spboot.errors import DeviceError
from spboot.programmer.factory import FactoryFile
from spboot.programmer.table import Programmer, table

_ANSWER_S: Final = 60.0
"""Longest wait for a programmer that is asked what it can do; no probe is needed for that."""


class ProgrammerError(DeviceError):
    """A programmer that is missing, cannot program this file, or did not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A programmer of this machine, which can program *file*.  *target*: what it calls the part, "" where it asks the
    part itself."""

    programmer: Programmer
    executable: Path
    file: FactoryFile
    target: str
    loader: Path | None = None
    """What writes external flash, where the file has bytes for it."""

    def line(self, probe: str | None = None) -> list[str]:
        """The words of the command that programs the file and resets the board; *probe*: the serial number of the debug
        probe.  Raises ProgrammerError for a name that the programmer cannot read."""
        name = str(self.file.path)
        if self.programmer.tcl:
            name = self.file.path.as_posix()
            if set(name) & set("{}\\"):
                raise ProgrammerError(
                    f"{name}: {self.programmer.title} reads no name with braces or backslashes: rename the file"
                )
        address = f"{self.file.board.bootloader.address:#010x}" if self.file.kind == "bin" else ""
        values = {
            "file": name,
            "address": address,
            "at": f" {address}".rstrip(),
            "loader": str(self.loader) if self.loader else "",
            "probe": probe or "",
            "target": self.target,
            "format": self.programmer.format.get(self.file.kind, ""),
        }
        return [str(self.executable), *self.programmer.line(values)]


def names() -> list[str]:
    """What --with may name."""
    return [programmer.name for programmer in table()]


def choose(file: FactoryFile, name: str | None = None, loader: Path | None = None) -> Found:
    """The first programmer of the table that is here and can program *file*, or the one called *name*.  *loader*: the
    program of STM32CubeProgrammer that writes external flash of the board, as MT25TL01G_STM32H745I-DISCO.stldr.

    Raises ProgrammerError: none can, with what was looked for and what to do."""
    if file.outside and loader is None:
        raise ProgrammerError(
            f"{file.path} has {file.outside:,} bytes for external flash: name what writes it on this board with "
            "--external-loader, a file of STM32CubeProgrammer that ends in .stldr (docs/external-flash.md)"
        )
    if loader is not None and not loader.is_file():
        raise ProgrammerError(f"{loader}: there is no such file, expected an external loader (.stldr)")
    why = []
    for programmer in table():
        if name not in (None, programmer.name):
            continue
        found = _try(programmer, file, loader)
        if isinstance(found, Found):
            return found
        why.append(found)
    who = "no programmer here" if name is None else f"{name} cannot be used"
    raise ProgrammerError(f"{who}: {'; '.join(why)}")


def locate(programmer: Programmer) -> Path | None:
    """Where its executable is: on PATH, beside the Python that runs us, or where its installer puts it."""
    beside = str(Path(sys.executable).parent)
    places = [folder for pattern in programmer.places.get(sys.platform, ()) for folder in _folders(pattern)]
    for path in (None, beside, *map(str, places)):
        found = shutil.which(programmer.executable, path=path)
        if found is not None:
            return Path(found)
    return None


def _folders(pattern: str) -> list[Path]:
    """Folders that fit *pattern*, the newest release first."""
    whole = Path(pattern).expanduser()
    stem = Path(whole.anchor)
    return sorted(stem.glob(str(whole.relative_to(stem))), reverse=True) if "*" in pattern else [whole]


def _try(programmer: Programmer, file: FactoryFile, loader: Path | None) -> Found | str:
    """The programmer, or why it is none for *file*."""
    executable = locate(programmer)
    if executable is None:
        return f"{programmer.title} ({programmer.executable}) was not found ({programmer.install})"
    if loader is not None and not programmer.outside:
        return f"{programmer.title} takes no external loader"
    if file.kind not in programmer.kinds:
        return f"{programmer.title} takes no .{file.kind}: give it the .hex"
    chip = file.board.chip
    target = _target(programmer, executable, file)
    if target is None:
        what = programmer.lacks.format(part=chip.name.lower())
        return f"{programmer.title} does not know {chip.name}: {what}"
    return Found(programmer=programmer, executable=executable, file=file, target=target, loader=loader)


def _target(programmer: Programmer, executable: Path, file: FactoryFile) -> str | None:
    """What it calls the part; "" when it finds out itself, None when it has no name for it."""
    chip = file.board.chip
    if programmer.lists_targets:
        return _listed(programmer, executable, chip.name.lower())
    target = programmer.target(chip)
    if not target:
        return target
    done = _asked(executable, [word.format(target=target) for word in programmer.has_target])
    return target if done.returncode == 0 else None


def _listed(programmer: Programmer, executable: Path, part: str) -> str | None:
    """The first name in the programmer's own list that is *part* with any package."""
    done = _asked(executable, list(programmer.lists_targets))
    try:
        known = sorted(str(target["name"]) for target in json.loads(done.stdout)["targets"])
    except (ValueError, KeyError, TypeError):
        raise ProgrammerError(
            f"{executable} does not list its targets, exit code {done.returncode}: install {programmer.title} again"
        ) from None
    return next((name for name in known if fits(name, part)), None)


def fits(target: str, part: str) -> bool:
    """Whether a pack's name of a device is that of *part*: stm32l476rgtx and stm32l476xg are, of stm32l476rg."""
    return len(target) >= len(part) and all(a in (b, "x") for a, b in zip(target, part, strict=False))


def _asked(executable: Path, words: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [str(executable), *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ANSWER_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProgrammerError(f"{executable} cannot be run: {error}: install it again, or use another one") from None
