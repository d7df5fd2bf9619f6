"""No port is typed: the only ST-LINK is taken, and of two none.

The ports stand in a /sys and a /dev that are mounted for one process alone, as Linux has them for an ST-LINK; behind
/dev/ttyACM0 is a pseudo-terminal.  pyserial and the command read them as they read real ones."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.system.test_send import DATA, HANGS_S, TAKEN, Device

if sys.platform != "linux":
    pytest.skip("the /sys and /dev of Linux", allow_module_level=True)

MOUNTS = """
set -e
mkdir "$HOLD/dev" "$HOLD/sys"; mount --rbind /dev "$HOLD/dev"; mount -t tmpfs none /dev; mkdir /dev/pts
mount --bind "$HOLD/dev/pts" /dev/pts
for name in null zero urandom random; do ln -s "$HOLD/dev/$name" /dev/$name; done; ln -s /proc/self/fd /dev/fd
mkdir "$HOLD/sys/usb"; mount -t tmpfs none /sys/class/tty
for number in $NUMBERS; do
    usb="$HOLD/sys/$number-1"; mkdir -p "$usb/interface" /sys/class/tty/ttyACM$number
    echo 0483 > "$usb/idVendor"; echo 374b > "$usb/idProduct"; echo 066FFF0$number > "$usb/serial"
    echo STM32 STLink > "$usb/product"; echo 3 > "$usb/bNumInterfaces"; ln -s "$HOLD/sys/usb" "$usb/interface/subsystem"
    ln -s "$usb/interface" /sys/class/tty/ttyACM$number/device; ln -s "$LINE" /dev/ttyACM$number
done
if [ -n "$GONE" ]; then rm "$HOLD"/sys/*-1/*Interfaces; fi
exec "$@"
"""


def with_stlinks(
    numbers: str, line: str, hold: Path, *arguments: str | Path, gone: bool = False
) -> tuple[int, str, str]:
    """`spboot` where there are as many ST-LINKs as *numbers* has, all at *line*; exit code, stdout, stderr."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("no namespaces here")
    hold.mkdir()
    command = [sys.executable, "-c", "from spboot.cli import main; main()", *map(str, arguments)]
    environment = f"HOLD={hold} NUMBERS='{numbers}' LINE={line} GONE={'yes' if gone else ''}\n"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", environment + MOUNTS, "sh", *command],
        capture_output=True,
        text=True,
        timeout=HANGS_S,
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def test_the_only_one(tmp_path: Path) -> None:
    file = tmp_path / "app.sfb"
    file.write_bytes(DATA)
    device = Device()

    def acts() -> None:
        device.receive()
        device.say(TAKEN)

    thread = threading.Thread(target=acts)
    thread.start()
    try:
        code, out, err = with_stlinks("0", device.path, tmp_path / "hold", "send", file, "--quiet-after", "0.5")
    finally:
        device.stop.set()
        thread.join()
    assert code == 0, out + err
    assert err.startswith("port: /dev/ttyACM0 (ST-LINK virtual COM port)\n")
    assert f"app.sfb: {len(DATA)} bytes sent" in err


@pytest.mark.parametrize("command", ["send app.sfb", "monitor"])
def test_of_two_none(command: str, tmp_path: Path) -> None:
    (tmp_path / "app.sfb").write_bytes(DATA)
    words = [str(tmp_path / word) if word == "app.sfb" else word for word in command.split()]
    code, _, err = with_stlinks("0 1", "/dev/null", tmp_path / "hold", *words)
    assert code == 1
    assert err == (
        "error: 2 ports may be the board: name one: /dev/ttyACM0 (ST-LINK virtual COM port), "
        "/dev/ttyACM1 (ST-LINK virtual COM port)\n"
    )


def test_a_port_that_is_unplugged_meanwhile(tmp_path: Path) -> None:
    """Its folder is there, and nothing in it any more."""
    code, _, err = with_stlinks("0", "/dev/null", tmp_path / "hold", "monitor", gone=True)
    assert (code, err) == (1, "error: the system does not tell its serial ports: name the port of the board\n")


def test_they_are_listed(tmp_path: Path) -> None:
    code, out, _ = with_stlinks("0 1", "/dev/null", tmp_path / "hold", "ports", "--json")
    assert code == 0
    assert json.loads(out)[1] == {
        "name": "/dev/ttyACM1",
        "description": "STM32 STLink",
        "vid": 0x0483,
        "pid": 0x374B,
        "serial_number": "066FFF01",
        "what": "ST-LINK virtual COM port",
        "likely": 2,
    }
    code, out, _ = with_stlinks("0", "/dev/null", tmp_path / "again", "ports")
    assert code == 0
    assert "0483:374b" in out and "066FFF00" in out
    code, out, _ = with_stlinks("", "/dev/null", tmp_path / "none", "ports")
    assert (code, "plug in the board" in out, "group dialout" in out) == (0, True, True)
