"""The example `web-iap` as a user builds it, on the twin with its cable, and clients in virtual time or in life."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import spboot
from spboot.formats.header import HEADER_SIZE, Header
from spboot.formats.manifest import EXTENSION_SIZE
from spboot.twin import PowerCut
from spboot.twin.host.pty import PtyBridge
from spboot.twin.host.slirp import Forward, Slirp
from spboot.version import Version
from tests.integrations.bench import Built, next_release
from tests.integrations.project import Edit, Project, environment

BOARD: Final = "NUCLEO-F429ZI"
READY: Final = "app: self-test good\r\n"
CONSOLE: Final = "USART3"
ROOT: Final = Path(__file__).resolve().parents[2]
FASTER: Final[Edit] = ("src/main.c", "#define BLINK_MS 250u", "#define BLINK_MS 125u")
_STEP_S: Final = 0.05
FILL: Final = 0xA5
"""What RAM has at power-on, so that it is seen which of it was used."""
CONFIRMED: Final = "app: confirmed, this version stays"
INSTALLS: Final = "the device resets in a second and installs them"
ENDED_EARLY: Final = "refused, nothing has changed: ended early: send the whole file\n"


def lwip() -> Path:
    """Its sources, fetched once for this clone as the example fetches them (get_lwip.sh)."""
    folder = ROOT / "build" / "lwip"
    if not (folder / "lwip-2.1.3").is_dir():
        done = subprocess.run(
            ["sh", ROOT / "examples" / "web-iap" / "get_lwip.sh", folder], capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "lwip-2.1.3"


def first_release(folder: Path) -> tuple[Project, Built]:
    """Version 1.0.0, built by the commands of the README and kept."""
    project = Project.new("web-iap", folder, board=BOARD)
    project.env = environment(LWIP=str(lwip()))
    for command in project.typed:
        said = project.run(*command)
        assert "warning" not in said, said
    project.run("cmake", "--build", "build", "-t", "app_release")
    return project, Built.of(project, "releases", "1.0.0")


def built(folder: Path) -> tuple[Project, Built, Built]:
    """Two releases, the second with a patch from the first."""
    project, old = first_release(folder)
    return project, old, next_release(project, [FASTER])


def started(built: Built) -> spboot.Device:
    """A new device that runs *built*, with its link up."""
    device = spboot.Device(spboot.Board.load(BOARD))
    device.program(built.factory)
    device.twin.cable.plug()
    device.twin.power_on(ram_fill=FILL)
    device.read_until(READY)
    return device


def version_of(device: spboot.Device) -> str:
    """In the header of SLOT0, off its flash."""
    data = device.twin.flash_read(device.board.slot0.address, HEADER_SIZE + EXTENSION_SIZE)
    return str(Version.unpack(Header.parse(data).manifest.version))


class Net:
    """The device behind a port of this machine, in virtual time: it runs only while `pump` or a client runs it."""

    def __init__(self, device: spboot.Device) -> None:
        self.device = device
        self.slirp = Slirp(device.twin.cable, lambda: device.twin.timeline.now // 1000, Forward.parse("0"))
        self.on_cut: Callable[[], None] | None = None

    def step(self) -> None:
        """A little."""
        self.slirp.exchange()
        try:
            self.device.twin.run(until=lambda: self.slirp.waiting, seconds=_STEP_S)
        except PowerCut:
            if self.on_cut is None:
                raise
            self.on_cut()

    def pump(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Until it is so; False after *seconds* of the twin."""
        end = self.device.twin.time + seconds
        while not until():
            if self.device.twin.time >= end:
                return False
            self.step()
        return True

    @property
    def said(self) -> int:
        """Bytes that the device has said on its console."""
        return len(self.device.twin.uart(CONSOLE).output)

    def heard(self, words: str, start: int, seconds: float = 40.0) -> str:
        """All that it said behind byte *start*, once *words* are in it."""
        output = self.device.twin.uart(CONSOLE).output
        assert self.pump(seconds, lambda: words.encode() in output[start:]), bytes(output[start:]).decode()
        return bytes(output[start:]).decode()


@dataclass
class Client:
    """A connection of raw bytes."""

    net: Net
    socket: socket.socket = field(init=False)
    received: bytearray = field(default_factory=bytearray)
    closed: bool = False

    def __post_init__(self) -> None:
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex(("127.0.0.1", self.net.slirp.port))
        self.net.step()  # which takes it out of the queue

    def look(self) -> bool:
        """Take what came; whether the other side has ended the connection."""
        try:
            while data := self.socket.recv(1 << 16):
                self.received += data
            self.closed = True
        except BlockingIOError:
            pass
        except OSError:
            self.closed = True
        return self.closed

    def send(self, data: bytes) -> None:
        """All of it, as fast as it is taken."""
        left = data
        while left and not self.closed:
            try:
                left = left[self.socket.send(left) :]
            except BlockingIOError:
                self.net.step()
            except OSError:
                self.closed = True
            self.look()

    def answer(self, seconds: float = 60.0) -> tuple[int, str]:
        """Status and body, once the other side has ended the connection."""
        self.net.pump(seconds, self.look)
        head, _, body = bytes(self.received).partition(b"\r\n\r\n")
        found = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        self.socket.close()
        return (int(found[1]) if found else 0), body.decode()


def head(length: int | str, *, method: str = "POST", more: str = "") -> bytes:
    """Of a request with a body."""
    return f"{method} /update HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{more}\r\n".encode()


def form(data: bytes, *, name: str = "a.sfb", boundary: str = "----x") -> bytes:
    """A whole request, as a browser makes it of a file."""
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode() + data + f"\r\n--{boundary}--\r\n".encode()  # fmt: skip
    return head(len(body), more=f"Content-Type: multipart/form-data; boundary={boundary}\r\n") + body


def asked(net: Net, request: bytes) -> tuple[int, str]:
    """The answer to a whole request."""
    client = Client(net)
    client.send(request)
    return client.answer()


@contextmanager
def served(device: spboot.Device) -> Iterator[str]:
    """The device runs in a thread of its own, for real clients; its address.  It waits as in life: a busy machine
    has the ten seconds of a head, too."""
    stop = threading.Event()
    twin = device.twin
    with (
        PtyBridge(twin, CONSOLE) as bridge,
        Slirp(twin.cable, lambda: twin.timeline.now // 1000, Forward.parse("0")) as slirp,
    ):
        bridge.wire = slirp
        thread = threading.Thread(target=bridge.pump, kwargs={"until": stop.is_set})
        thread.start()
        try:
            yield f"http://127.0.0.1:{slirp.port}"
        finally:
            stop.set()
            thread.join()


def installed(net: Net, start: int) -> None:
    """What was sent behind byte *start* of the console is confirmed, and is there after a reset."""
    net.heard(CONFIRMED, start)
    start = net.said
    net.device.reset()
    assert "starting 1.1.0" in net.heard(READY, start)


def stays(net: Net) -> None:
    """Nothing has changed: the old version answers, and starts again."""
    code, body = asked(net, b"GET /status HTTP/1.1\r\n\r\n")
    assert (code, json.loads(body)["version"]) == (200, "1.0.0")
    start = net.said
    net.device.reset()
    assert "starting 1.0.0" in net.heard("app: u updates", start)


def taken(net: Net, data: bytes) -> None:
    """The device takes it, and keeps it."""
    start = net.said
    code, words = asked(net, form(data))
    assert code == 200, words
    installed(net, start)
