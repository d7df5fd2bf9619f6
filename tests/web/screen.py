"""A screen with a keyboard that nobody sits at (Xvfb, xdotool): the dialogs of a browser that no page reaches."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_WAIT_S: Final = 10.0
_MOVES_S: Final = 60.0
_STILL_S: Final = 2.0
_LOOK_S: Final = 0.1
_PROGRAMS: Final = ("Xvfb", "xdotool")


def missing() -> str:
    """Why there is none here; "" when there can be one."""
    lacking = [name for name in _PROGRAMS if shutil.which(name) is None]
    return f"{' and '.join(lacking)} not installed: make tools" if lacking else ""


@dataclass(frozen=True)
class Screen:
    """A screen for programs that are started with its `environment`."""

    display: str
    pixels: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"DISPLAY": self.display}

    def still(self) -> None:
        """Until nothing on it has moved for a while."""
        since, before = time.monotonic(), b""
        end = since + _MOVES_S
        while (now := time.monotonic()) - since < _STILL_S:
            assert now < end, f"the screen moves for more than {_MOVES_S} s"
            seen = self.pixels.read_bytes()
            if seen != before:
                before, since = seen, now
            time.sleep(_LOOK_S)

    def press(self, *keys: str) -> None:
        """Keys one after the other, by the names of X: "shift+Tab"."""
        command = ["xdotool", "key", "--delay", "100", *keys]
        subprocess.run(command, check=True, env={**os.environ, **self.environment}, timeout=_WAIT_S)


@contextlib.contextmanager
def screen(folder: Path) -> Iterator[Screen]:
    """One that does not outlive its use, with a number that no other has; its pixels are a file in *folder*."""
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1000x800x24", "-nolisten", "tcp", "-fbdir", folder]
    process = subprocess.Popen(command, pass_fds=(writer,), stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        with os.fdopen(reader, encoding="ascii") as said:  # it ends when the program does
            yield Screen(f":{said.readline().strip()}", folder / "Xvfb_screen0")
    finally:
        process.terminate()
        process.wait(_WAIT_S)
