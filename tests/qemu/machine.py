"""QEMU with the machine b-l475e-iot01a, an STM32L475VG.

Its UART takes a byte from the host when QEMU's main loop goes round, and nothing makes it do that when firmware has
fetched the byte before: some five bytes a second would come.  Empty lines at QEMU's monitor keep the loop going round;
bytes come at once then, whatever the rate, and none is lost."""

from __future__ import annotations

import functools
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.qemu.debugger import Debugger

MACHINE: Final = "b-l475e-iot01a"
FLASH, FLASH_SIZE = 0x0800_0000, 0x10_0000
VARIABLE: Final = "SPBOOT_QEMU"
"""Names the program when it is not on the path."""
MISSING: Final = (
    f"no qemu-system-arm with the machine {MACHINE} (QEMU 9.0 or later; Debian 13, or bookworm-backports) on the path "
    f"or in {VARIABLE}"
)
_PTY: Final = re.compile(r"redirected to (\S+)")
_SILENT_S: Final = 60.0
_ROUND_S: Final = 0.0002


@functools.cache
def program() -> str | None:
    """The QEMU to use; None when there is none that has the machine."""
    found = shutil.which(os.environ.get(VARIABLE, "qemu-system-arm"))
    if found is None:
        return None
    machines = subprocess.run([found, "-machine", "help"], capture_output=True, text=True, check=False, timeout=60)
    return found if MACHINE in machines.stdout.split() else None


class Qemu:
    """The machine with *content* at the start of its flash, stopped before its first instruction.  A context manager,
    which ends it.

    *trace*: events of QEMU's to note in `folder/trace`."""

    def __init__(self, content: bytes, folder: Path, *, trace: Iterable[str] = ()) -> None:
        found = program()
        assert found is not None, MISSING
        folder.mkdir(parents=True, exist_ok=True)
        self.trace = folder / "trace"
        self._lines: list[socket.socket] = []
        far = [self._far_end(), self._far_end()]
        command = [found, "-machine", MACHINE, "-nodefaults", "-display", "none", "-S", "-serial", "pty"]
        flash = folder / "flash.bin"
        flash.write_bytes(content.ljust(FLASH_SIZE, b"\xff"))
        command += ["-kernel", str(flash), "-D", str(self.trace)]
        for name, line in zip(("gdb", "monitor"), far, strict=True):
            command += ["-chardev", f"socket,id={name},fd={line.fileno()}", f"-{name}", f"chardev:{name}"]
        for event in trace:
            command += ["-trace", event]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[line.fileno() for line in far],
        )
        for line in far:
            line.close()
        self.console = self._pty()
        """The port that the console of the machine is at."""
        self.debugger = Debugger(self._lines[0], _SILENT_S)
        threading.Thread(target=_keep_awake, args=(self._lines[1],), daemon=True).start()

    def _far_end(self) -> socket.socket:
        near, far = socket.socketpair()
        self._lines.append(near)
        return far

    def _pty(self) -> str:
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        found = _PTY.search(said)
        assert found, f"QEMU did not start: {said!r}"
        return found[1]

    def __enter__(self) -> Qemu:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        for line in self._lines:
            line.close()


def _keep_awake(monitor: socket.socket) -> None:
    with suppress(OSError):
        while monitor.recv(1 << 16):
            time.sleep(_ROUND_S)
            monitor.sendall(b"\n")
