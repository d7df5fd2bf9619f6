"""The page at Chromium's own WebSerial, its streams and its errors, with the shipped bootloader on the twin.

Nothing is put in the place of `navigator.serial`.  The browser opens the twin's pseudo-terminal itself; that there is
one it hears from a libudev of ours (ports.py)."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from spboot.link import serial_port, ymodem
from tests.system.rig import Workshop
from tests.web import ports as serial_ports
from tests.web import screen as screens
from tests.web.bench import Bench
from tests.web.chromium import Chromium, Tab, chromium
from tests.web.hands import AGAIN, by_application, by_loader, connect, outcome, sending, shows, starts
from tests.web.ports import OTHER, STLINK, Ports, as_users
from tests.web.screen import Screen

Open = Callable[[], Tab]
TAKEN = "the port cannot be opened: close the terminal program or the other tab that has it open"
GONE = "the port went away: plug it in, then begin again from the start"


@pytest.fixture
def plugged(ports: Ports, device: Bench) -> Iterator[Ports]:
    """The device is plugged in."""
    ports.plug(device.path)
    yield ports
    ports.clear()


@pytest.fixture
def opened(real: Chromium, address: str, plugged: Ports) -> Iterator[Open]:
    """Opens the page in a tab, which finds the port."""
    with ExitStack() as stack:

        def open_tab() -> Tab:
            tab = real.open()
            stack.callback(tab.close)
            tab.go(address)
            shows(tab, AGAIN)
            return tab

        yield open_tab


def free(tab: Tab, device: Bench) -> None:
    """The page lets go of the port, which another program may open then."""
    assert device.listened()
    tab.click("#release")
    shows(tab, "#release", False)
    assert not device.listened(), "the browser still has the port open"
    if not serial_ports.rules():
        pytest.skip("root alone ends that a pseudo-terminal is one program's")
    serial_ports.share(device.path)


def test_a_full_image_through_the_loader(opened: Open, device: Bench, files: Path) -> None:
    tab = opened()
    by_loader(tab, files / "lamp-1.1.0.sfb", AGAIN)
    device.reset_to_loader()
    said = outcome(tab, "runs now")
    size = (files / "lamp-1.1.0.sfb").stat().st_size
    assert f"; the device: version 1.1.0 received, {size} bytes, verified, changed pages: " in said
    assert said.endswith("; 1.1.0 runs now")
    assert tab.text("#device") == "NUCLEO-L476RG, product demo, has 1.1.0"
    assert (device.installed(), tab.problems) == ("1.1.0", [])


@pytest.mark.soak
def test_a_patch_through_the_application_and_the_port_given_back(
    opened: Open, device: Bench, files: Path, shop: Workshop, tmp_path: Path
) -> None:
    """While the page has the port `spboot send` may not have it, and afterwards it does its work."""
    (tmp_path / "lamp-1.2.0.sfbp").write_bytes(shop.patch("1.1.0", "1.2.0"))
    options = [device.path, str(tmp_path / "lamp-1.2.0.sfbp"), "--key", "u"]
    send = [*as_users(), sys.executable, "-c", "from spboot.cli import main; main()", "send", *options]
    tab = opened()
    by_application(tab, files / "lamp-1.1.0.sfbp", AGAIN)
    assert "; the device: update: complete, resetting to install it; " in outcome(tab, "1.1.0 runs now")
    assert device.installed() == "1.1.0"
    done = subprocess.run(send, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, ""), done
    assert "is in use: close the terminal program that has it open" in done.stderr
    free(tab, device)
    done = subprocess.run(send, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    assert device.installed() == "1.2.0"
    assert tab.problems == []


def test_a_wrong_file_is_refused_before_a_byte_is_sent(
    opened: Open, device: Bench, files: Path, shop: Workshop, tmp_path: Path
) -> None:
    tab = opened()
    connect(tab, AGAIN)
    starts(device, tab)
    (tmp_path / "base.sfbp").write_bytes(shop.patch("1.1.0", "1.2.0"))
    for path, words in (
        (files / "lamp-1.0.0.sfb", "code 26: already installed"),
        (tmp_path / "base.sfbp", "code 4: patch for another firmware"),
    ):
        tab.choose("#file", path)
        tab.wait(f"document.querySelector('#fault').textContent.startsWith({path.name + ': '!r})")
        assert words in tab.text("#fault")
        assert tab.evaluate("document.querySelector('#send').disabled")
    assert (device.heard(), device.installed()) == (b"", "1.0.0")


@pytest.mark.soak
def test_cancel_in_the_middle_and_again_to_the_end(opened: Open, device: Bench, long_file: Path) -> None:
    tab = opened()
    by_application(tab, long_file, AGAIN)
    sending(tab)
    tab.click("#cancel")
    said = outcome(tab, "cancelled")
    assert said == f"{long_file.name}: cancelled: the device was told that the file ends here"
    tab.wait("document.querySelector('#console').textContent.includes('update: not done')")
    assert device.heard().endswith(bytes((ymodem.CAN,)) * 8)
    assert device.installed() == "1.0.0"
    tab.click("#send")
    outcome(tab, "1.1.0 runs now")
    assert device.installed() == "1.1.0"


@pytest.mark.soak
def test_the_cable_is_pulled_in_the_middle_and_plugged_in_again(
    opened: Open, device: Bench, long_file: Path, plugged: Ports
) -> None:
    tab = opened()
    by_application(tab, long_file, AGAIN)
    sending(tab)
    device.replug()
    plugged.pull()
    assert outcome(tab, "went away") == f"{long_file.name}: {GONE}"
    assert tab.text("#device") == "No port is open."
    shows(tab, AGAIN, False)
    assert device.installed() == "1.0.0"
    plugged.plug(device.path)
    shows(tab, AGAIN)
    device.reset()
    connect(tab, AGAIN)
    tab.click("#send")
    outcome(tab, "1.1.0 runs now")
    assert (device.installed(), tab.problems) == ("1.1.0", [])


def test_the_cable_is_pulled_while_nothing_is_done(opened: Open, device: Bench, plugged: Ports) -> None:
    tab = opened()
    connect(tab, AGAIN)
    device.replug()
    plugged.pull()
    assert outcome(tab, "went away") == GONE
    assert tab.text("#device") == "No port is open."


def test_another_program_has_it(opened: Open, device: Bench, plugged: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of ours: it claims the port, as it does each that is no pseudo-terminal."""
    monkeypatch.setattr(serial_port, "_PSEUDO", ())
    tab = opened()
    with serial_port.SerialPort(device.path, 115_200):
        tab.click(AGAIN)
        assert outcome(tab, "cannot be opened").startswith(TAKEN)
    if serial_ports.rules():
        serial_ports.share(device.path)
        connect(tab, AGAIN)
        assert tab.text("#outcome") == ""


LIST = ("shift+Tab", "shift+Tab")
"""Keys from the button that cancels to the list of ports."""


@pytest.mark.soak
def test_the_list_of_the_browser(ports: Ports, line: int, address: str, tmp_path: Path) -> None:
    """It has the ports that the page asks for; who cancels it gets a sentence; and what was chosen in it is offered
    without a question, also after the browser was closed."""
    if why := screens.missing():
        pytest.skip(why)
    ports.plug("/dev/null", "ttyUSB0", OTHER)
    with screens.screen(tmp_path) as screen:
        environment = ports.environment | screen.environment
        with chromium(tmp_path / "profile", environment=environment, command=as_users()) as browser:
            tab = browser.open()
            tab.go(address)
            assert tab.evaluate(ALLOWED) == []
            ask(tab, screen, "Return")
            assert outcome(tab, "chosen") == "no port was chosen"
            ask(tab, screen, *LIST, "Down", "Down", "Return")  # there is no second one
            shows(tab, "#release")
            assert (tab.evaluate(ALLOWED), tab.text("#outcome")) == ([STLINK["vendor_id"]], "")
            tab.click("#release")
            shows(tab, AGAIN)
            tab.evaluate("document.querySelector('#every').click()")
            ask(tab, screen, *LIST, "Down", "Down", "Return")
            outcome(tab, "cannot be opened")  # it is no terminal
            assert tab.evaluate(ALLOWED) == [OTHER["vendor_id"], STLINK["vendor_id"]]
            shows(tab, AGAIN, False)
        with chromium(tmp_path / "profile", environment=environment, command=as_users()) as browser:
            tab = browser.open()
            tab.go(address)
            shows(tab, AGAIN)
            assert tab.evaluate(ALLOWED) == [OTHER["vendor_id"], STLINK["vendor_id"]]


ALLOWED = "navigator.serial.getPorts().then((all) => all.map((port) => port.getInfo().usbVendorId).sort())"


def ask(tab: Tab, screen: Screen, *keys: str) -> None:
    """Open the list of the browser, which a page does not see, and press *keys*."""
    tab.click("#connect")
    screen.still()
    screen.press(*keys)


def test_ports_come_and_go(opened: Open, plugged: Ports) -> None:
    """One that the browser gives is offered while it is plugged in, is of the page's vendor, and no other is there."""
    tab = opened()
    plugged.plug("/dev/null", "ttyACM1")
    shows(tab, AGAIN, False)
    plugged.pull("ttyACM1")
    shows(tab, AGAIN)
    plugged.plug("/dev/null", "ttyUSB0", OTHER)
    tab.wait("navigator.serial.getPorts().then((ports) => ports.length === 2)")
    shows(tab, AGAIN)
    tab.evaluate("document.querySelector('#every').click()")
    shows(tab, AGAIN, False)
    plugged.pull("ttyUSB0")
    shows(tab, AGAIN)
    plugged.pull()
    shows(tab, AGAIN, False)


def test_a_page_that_is_left_gives_the_port_back(opened: Open, device: Bench, address: str) -> None:
    tab = opened()
    connect(tab, AGAIN)
    assert device.listened()
    tab.go(f"{address}?other")
    end = time.monotonic() + 30
    while device.listened():
        assert time.monotonic() < end, "the browser still has the port open"


@pytest.mark.soak
def test_two_tabs(opened: Open, device: Bench, files: Path) -> None:
    """The second hears why, and an update of the first goes on."""
    first, second = opened(), opened()
    by_loader(first, files / "lamp-1.1.0.sfb", AGAIN)
    second.click(AGAIN)
    assert outcome(second, "cannot be opened").startswith(TAKEN)
    device.reset_to_loader()
    outcome(first, "1.1.0 runs now")
    free(first, device)
    connect(second, AGAIN)
    starts(device, second)
    assert second.text("#device") == "NUCLEO-L476RG, product demo, has 1.1.0"
    assert first.problems + second.problems == []
