"""The serial ports that a browser's own WebSerial finds: pseudo-terminals, by a libudev of ours (udev.c).

Chromium takes for a serial port what libudev lists, if its numbers are those of a driver that the kernel calls serial
(/proc/tty/drivers); it opens the path that libudev names, and asks nobody whether that one has these numbers."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import termios
import time
from pathlib import Path
from typing import Final

from spboot.link.port import BITS

SOURCE: Final = Path(__file__).with_name("udev.c")
DRIVERS: Final = Path("/proc/tty/drivers")
_FLAGS: Final = ("-std=gnu11", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror", "-shared", "-fPIC",
                 "-fvisibility=hidden", "-Wl,-soname,libudev.so.1")  # fmt: skip
_VERSION: Final = "LIBUDEV_183 { global: udev_*; local: *; };\n"
"""Of the symbols that a browser is linked with: since libudev 183."""
Adapter = dict[str, int | str]
"""A USB adapter, by the names under which a profile of Chromium keeps one that a page may open without a question."""
STLINK: Final[Adapter] = {
    "name": "STM32 STLink", "vendor_id": 0x0483, "product_id": 0x374B, "serial_number": "0667FF303430",
}  # fmt: skip
OTHER: Final[Adapter] = {
    "name": "USB UART", "vendor_id": 0x0403, "product_id": 0x6001, "serial_number": "A5069RR4",
}  # fmt: skip
"""One of another vendor than the page's board has."""
_SYS_ADMIN: Final = 21
"""CAP_SYS_ADMIN of linux/capability.h: who has it opens ports that another has for itself (TIOCEXCL)."""
_STEP_S: Final = 0.001
_PAUSE_S: Final = 0.02
_HELD: Final = 1 << 16
"""Bytes that wait when nobody reads.  The kernel lets a serial port have ten times as many (TTYB_DEFAULT_MEM_LIMIT of
tty_buffer.c), a pseudo-terminal 8,192 alone: a busy machine pauses for longer."""
_DRAIN_S: Final = 10.0
_AS_USERS_ARE: Final = ("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin")
"""Command in front of a program that shall find a port taken, also where root runs the tests."""


def missing() -> str:
    """Why ports cannot be listed here; "" when they can."""
    if shutil.which("gcc") is None:
        return "gcc is not installed: make tools"
    if shutil.which("setpriv") is None:
        return "setpriv (util-linux) is not installed"
    return "" if _serial_driver() else f"{DRIVERS} names no serial driver, so Chromium takes nothing for a port"


def rules() -> bool:
    """Whether this process may open a port that another has for itself."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    held = int(status.split("CapEff:")[1].split()[0], 16)
    return bool(held >> _SYS_ADMIN & 1)


def as_users() -> tuple[str, ...]:
    """Command in front of a program that shall have no more rights than users have."""
    return _AS_USERS_ARE if rules() else ()


def feed(descriptor: int, data: bytes, baud: int) -> int:
    """Bytes come in, as fast as they do on a line, into the end of a pseudo-terminal that does not block; how many of
    them found no room, which on a line are lost.  What this process sleeps is a pause of the device."""
    before, done, lost, waiting = time.monotonic(), 0, 0, b""
    while done < len(data):
        time.sleep(_STEP_S)
        now = time.monotonic()
        count = min(len(data) - done, int(min(now - before, _PAUSE_S) * baud / BITS))
        if count == 0:
            continue
        waiting = _taken(descriptor, waiting + data[done : done + count])
        lost += len(waiting[_HELD:])
        waiting = waiting[:_HELD]
        before, done = now, done + count
    deadline = time.monotonic() + _DRAIN_S
    while waiting and time.monotonic() < deadline:
        time.sleep(_STEP_S)
        waiting = _taken(descriptor, waiting)
    return lost + len(waiting)


def _taken(descriptor: int, data: bytes) -> bytes:
    """What is left of *data* when there was no more room."""
    try:
        return data[os.write(descriptor, data) :]
    except BlockingIOError:
        return data


def mode(descriptor: int) -> tuple[int, str]:
    """Rate and frame of a pseudo-terminal, by either end of it; "8N1" without handshake."""
    _, _, flags, _, coming, going, _ = termios.tcgetattr(descriptor)
    rates = {getattr(termios, name): int(name[1:]) for name in dir(termios) if re.fullmatch(r"B\d+", name)}
    assert coming == going, f"{rates[coming]} and {rates[going]} baud"
    parity = "N" if not flags & termios.PARENB else "O" if flags & termios.PARODD else "E"
    frame = f"{8 if flags & termios.CSIZE == termios.CS8 else '?'}{parity}{2 if flags & termios.CSTOPB else 1}"
    return rates[going], frame + (" with handshake" if flags & termios.CRTSCTS else "")


def share(path: str) -> None:
    """End that a pseudo-terminal is one program's, which a port ends when it is closed, and this when its device is."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(descriptor, termios.TIOCNXCL)
    os.close(descriptor)


class Ports:
    """What is plugged in, as files in a folder of *folder*."""

    def __init__(self, folder: Path) -> None:
        self._devices, self._library = folder / "devices", folder / "library"
        self._part = folder / "part"
        for made in (self._devices, self._library):
            made.mkdir()
        names = folder / "names"
        names.write_text(_VERSION, encoding="ascii")
        made = self._library / "libudev.so.1"
        subprocess.run(["gcc", *_FLAGS, f"-Wl,--version-script={names}", SOURCE, "-o", made], check=True)

    @property
    def environment(self) -> dict[str, str]:
        """Of a browser that sees these ports and no others."""
        return {"LD_LIBRARY_PATH": str(self._library), "SPBOOT_UDEV": str(self._devices)}

    def plug(self, path: str, name: str = "ttyACM0", adapter: Adapter = STLINK) -> None:
        """An adapter is plugged in, and is the device *path*."""
        major, minor = _serial_driver()
        lines = {
            "DEVNAME": path, "MAJOR": major, "MINOR": minor, "ID_BUS": "usb",
            "ID_VENDOR_ID": f"{adapter['vendor_id']:04x}", "ID_MODEL_ID": f"{adapter['product_id']:04x}",
            "ID_MODEL_ENC": str(adapter["name"]).replace(" ", r"\x20"), "ID_SERIAL_SHORT": adapter["serial_number"],
        }  # fmt: skip
        self._part.write_text("".join(f"{key}={value}\n" for key, value in lines.items()), encoding="ascii")
        self._part.rename(self._devices / name)

    def pull(self, name: str = "ttyACM0") -> None:
        """It is gone, if it was there."""
        (self._devices / name).unlink(missing_ok=True)

    def clear(self) -> None:
        """Nothing is plugged in."""
        for device in self._devices.iterdir():
            device.unlink()


def allow(profile: Path, origin: str) -> None:
    """Make a profile in which somebody has chosen the adapters in the browser's list before, for pages of *origin*."""
    objects = {f"{origin},*": {"setting": {"chosen-objects": [STLINK, OTHER]}}}
    settings = {"profile": {"content_settings": {"exceptions": {"serial_chooser_data": objects}}}}
    (profile / "Default").mkdir(parents=True)
    (profile / "Default" / "Preferences").write_text(json.dumps(settings), encoding="utf-8")


def _serial_driver() -> tuple[str, str] | tuple[()]:
    """Major and first minor number of a driver that the kernel calls serial; () where it has none."""
    lines = DRIVERS.read_text(encoding="ascii").splitlines() if DRIVERS.exists() else []
    found = [line.split() for line in lines if line.split()[4:5] == ["serial"]]
    return (found[0][2], found[0][3].split("-")[0]) if found else ()
