"""One bootloader and one page for all; a device that has just started its application for each."""

from __future__ import annotations

import os
import random
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from spboot.boards import Board
from spboot.web import page
from spboot.web.facts import Purpose
from spboot.web.server import Server
from tests.system.rig import Rig, Workshop, workshop
from tests.web import ports as serial_ports
from tests.web.bench import Bench, bench
from tests.web.bridge import Bridge
from tests.web.chromium import Chromium, chromium
from tests.web.ports import Ports, as_users

BOARD = "NUCLEO-L476RG"
LONG = 9_000
"""Bytes behind the demo in a file that takes a while: nothing of them is like anything else."""


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return workshop(Board.load(BOARD), "clang", tmp_path_factory.mktemp("web"))


@pytest.fixture(scope="session")
def purpose() -> Purpose:
    return Purpose(board=Board.load(BOARD), product="demo", name="lamp")


@pytest.fixture(scope="session")
def address(purpose: Purpose) -> Iterator[str]:
    """Where the page is."""
    with Server(page.html(purpose), 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.address
        server.shutdown()


@pytest.fixture(scope="session")
def files(shop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Updates of the demo application."""
    folder = tmp_path_factory.mktemp("files")
    for version in ("1.0.0", "1.1.0"):
        (folder / f"lamp-{version}.sfb").write_bytes(shop.image(version))
    (folder / "lamp-1.1.0.sfbp").write_bytes(shop.patch("1.0.0", "1.1.0"))
    return folder


@pytest.fixture(scope="session")
def long_file(shop: Workshop, files: Path) -> Path:
    """A full image of 1.1.0 that is long enough to be stopped in its middle."""
    path = files / "long-1.1.0.sfb"
    path.write_bytes(shop.wrap(shop.demo("1.1.0") + random.Random(1).randbytes(LONG), "1.1.0"))
    return path


@pytest.fixture(scope="session")
def started(shop: Workshop) -> Callable[[], Rig]:
    """Puts the one device back to where its application 1.0.0 has just started."""
    rig = Rig(shop)
    rig.boot()
    snapshot = rig.snapshot()

    def again() -> Rig:
        rig.restore(snapshot)
        return rig

    return again


@pytest.fixture
def device(started: Callable[[], Rig]) -> Iterator[Bench]:
    with bench(started()) as made:
        yield made


@pytest.fixture
def opened(browser: Chromium, address: str, device: Bench) -> Iterator[Callable[[], Bridge]]:
    """Opens the page in a tab whose port leads to the device."""
    with ExitStack() as stack:

        def open_tab() -> Bridge:
            bridge = Bridge(browser, device.path)
            stack.callback(bridge.close)
            bridge.tab.go(address)
            return bridge

        yield open_tab


@pytest.fixture(scope="session")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Ports:
    if why := serial_ports.missing():
        pytest.skip(why)
    return Ports(tmp_path_factory.mktemp("ports"))


@pytest.fixture(scope="session")
def real(ports: Ports, address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A browser whose ports are *ports*, and who may open the adapter from the page."""
    profile = tmp_path_factory.mktemp("real") / "profile"
    serial_ports.allow(profile, address.rstrip("/"))
    with chromium(profile, environment=ports.environment, command=as_users()) as browser:
        yield browser


@pytest.fixture
def line(ports: Ports) -> Iterator[int]:
    """The far end of a line at which no twin is."""
    far, near = os.openpty()
    tty.setraw(near)
    ports.plug(os.ttyname(near))
    os.close(near)
    os.set_blocking(far, False)
    yield far
    ports.clear()
    os.close(far)
