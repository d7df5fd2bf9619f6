"""The page in a real browser, at the shipped bootloader on the twin: what it says, and what the device has afterwards.

The browser's serial port is a bridge to the pseudo-terminal of the twin (bridge.js); the page is as it is shipped."""

from __future__ import annotations

import os
import time
import tty
from collections.abc import Callable
from pathlib import Path

import pytest

from spboot import release
from spboot.errors import LinkError
from spboot.keys import Keys
from spboot.link import ymodem
from tests.system.rig import Rig, Workshop
from tests.web.bench import Bench
from tests.web.bridge import Bridge
from tests.web.chromium import Tab
from tests.web.hands import by_application, by_loader, choose, connect, outcome, sending, starts

Open = Callable[[], Bridge]
CAN = bytes((ymodem.CAN,))


def test_a_full_image_through_the_loader(opened: Open, device: Bench, files: Path) -> None:
    tab = opened().tab
    connect(tab)
    tab.drop("#drop", files / "lamp-1.1.0.sfb")
    tab.click("#send")
    assert outcome(tab, "reset the board") == "waiting for the device to ask for the file: reset the board"
    device.reset_to_loader()
    said = outcome(tab, "runs now")
    size = (files / "lamp-1.1.0.sfb").stat().st_size
    assert said.startswith(f"lamp-1.1.0.sfb: {size} bytes sent in ")
    assert f"; the device: version 1.1.0 received, {size} bytes, verified, changed pages: " in said
    assert said.endswith("; 1.1.0 runs now")
    assert tab.text("#device") == "NUCLEO-L476RG, product demo, has 1.1.0"
    tab.wait("document.querySelector('#console').textContent.includes('starting 1.1.0\\n')")
    assert "\x06" not in tab.text("#console")
    assert (device.installed(), tab.problems) == ("1.1.0", [])


def test_a_patch_through_the_application(opened: Open, device: Bench, files: Path) -> None:
    """What is typed reaches the application, too."""
    tab = opened().tab
    by_application(tab, files / "lamp-1.1.0.sfbp")
    assert "; the device: update: complete, resetting to install it; " in outcome(tab, "1.1.0 runs now")
    assert device.installed() == "1.1.0"
    tab.fill("#typed", "s")
    tab.click("#typing button")
    tab.wait("document.querySelector('#console').textContent.includes('patch: stage idle')")


def test_a_wrong_file_is_refused_before_a_byte_is_sent(
    opened: Open, device: Bench, files: Path, shop: Workshop, tmp_path: Path
) -> None:
    bridge = opened()
    tab = bridge.tab
    connect(tab)
    starts(device, tab)
    image = (files / "lamp-1.1.0.sfb").read_bytes()
    other = Keys.new(tmp_path / "other", "torch", development=True)
    foreign = release.full_image(shop.made(shop.demo("1.1.0"), "1.1.0"), keys=other)
    made = {
        "old.sfb": (shop.image("1.0.0"), "would refuse it, code 26: already installed: give"),
        "base.sfbp": (shop.patch("1.1.0", "1.2.0"), "code 4: patch for another firmware: send the full"),
        "torch.sfb": (foreign, "code 13: update for another product"),
        "short.sfb": (image[:-1], f"the file has {len(image) - 1} bytes, expected {len(image)}: get the whole file"),
        "flipped.sfb": (image[:-1] + bytes((image[-1] ^ 1,)), "damaged: payload: chunk 4 does not have the hash that"),
        "notes.txt": (b"What is to be done today" * 9, "manifest: magic is 0x6857, expected 0x5053: not an"),
        "nothing.sfb": (b"", "manifest is 0 bytes, expected 76"),
    }  # fmt: skip
    for name, (data, words) in made.items():
        (tmp_path / name).write_bytes(data)
        tab.choose("#file", tmp_path / name)
        tab.wait(f"document.querySelector('#fault').textContent.startsWith({name + ': '!r})")
        assert words in tab.text("#fault")
        assert tab.evaluate("document.querySelector('#send').disabled")
    for_board = shop.image("1.1.0")[:12] + (0x12345678).to_bytes(4, "little") + shop.image("1.1.0")[16:]
    (tmp_path / "board.sfb").write_bytes(for_board)
    tab.choose("#file", tmp_path / "board.sfb")
    tab.wait("document.querySelector('#fault').textContent.includes('code 27: update for another board')")
    assert f"board 0x12345678; this device: {shop.board.name}, product demo with 1.0.0" in tab.text("#fault")
    assert bridge.written == b""
    assert device.installed() == "1.0.0"


def test_a_wrong_file_for_a_device_that_was_not_heard(opened: Open, device: Bench, files: Path) -> None:
    """It says its version at its start, once the update waits; then its word was typed, and no block."""
    bridge = opened()
    tab = bridge.tab
    by_loader(tab, files / "lamp-1.0.0.sfb")
    device.reset_to_loader()
    said = outcome(tab, "would refuse it")
    assert "code 26: already installed" in said and "nothing was sent; the device starts its application" in said
    assert bridge.written.replace(b"load", b"") == b""
    assert device.installed() == "1.0.0"


def test_a_file_that_the_device_alone_can_judge(opened: Open, device: Bench, shop: Workshop, tmp_path: Path) -> None:
    """Of the right product, signed by another key."""
    other = Keys.new(tmp_path / "other", "demo", development=True)
    image = release.full_image(shop.made(shop.demo("1.1.0"), "1.1.0"), keys=other)
    (tmp_path / "x.sfb").write_bytes(image)
    tab = opened().tab
    by_application(tab, tmp_path / "x.sfb")
    said = outcome(tab, "the device refused it")
    assert said.startswith("x.sfb: the device refused it: patch: ")
    assert "code 15: wrong signature: damaged, or another key" in said
    assert device.installed() == "1.0.0"


def test_cancel_in_the_middle_and_again_to_the_end(opened: Open, device: Bench, long_file: Path, address: str) -> None:
    """The second time somebody leaves the page, which warns, and stays."""
    bridge = opened()
    tab = bridge.tab
    by_application(tab, long_file)
    sending(tab)
    tab.click("#cancel")
    said = outcome(tab, "cancelled")
    assert said == f"{long_file.name}: cancelled: the device was told that the file ends here"
    assert bytes(bridge.written).endswith(CAN * 8)
    tab.wait("document.querySelector('#console').textContent.includes('update: not done')")
    assert device.installed() == "1.0.0"
    tab.click("#send")
    sending(tab)
    leave(tab, address)
    outcome(tab, "1.1.0 runs now")
    assert device.installed() == "1.1.0"


def leave(tab: Tab, address: str) -> None:
    """Go to another page, and be warned."""
    tab.post("Page.navigate", url=f"{address}?other")
    end = time.monotonic() + 30
    while not tab.dialogs:
        assert time.monotonic() < end, "no warning"
        time.sleep(0.02)
    assert tab.dialogs == ["beforeunload"]


def test_cancel_before_the_device_calls(opened: Open, device: Bench, files: Path) -> None:
    tab = opened().tab
    by_loader(tab, files / "lamp-1.1.0.sfb")
    tab.click("#cancel")
    assert outcome(tab, "cancelled") == "lamp-1.1.0.sfb: cancelled: nothing was sent"


def pull_in_the_middle(bridge: Bridge, path: Path) -> None:
    """Send it to the application, and pull the cable."""
    tab = bridge.tab
    by_application(tab, path)
    sending(tab)
    bridge.pull()
    said = outcome(tab, "the port went away")
    assert said == f"{path.name}: the port went away: plug it in, then begin again from the start"
    assert tab.text("#device") == "No port is open."


def test_the_cable_is_pulled_in_the_middle(opened: Open, device: Bench, long_file: Path) -> None:
    """What the device had of the file is nothing that it starts."""
    pull_in_the_middle(opened(), long_file)
    assert device.installed() == "1.0.0"
    before, end = len(device.said()), time.monotonic() + 60
    device.reset()
    while "demo 1.0.0 on" not in device.said()[before:]:
        assert time.monotonic() < end, "it does not start"
        time.sleep(0.05)


@pytest.mark.soak
def test_the_cable_is_back(opened: Open, device: Bench, long_file: Path) -> None:
    """The update goes through, although noise ends a stream of the port, which a new one follows."""
    bridge = opened()
    tab = bridge.tab
    pull_in_the_middle(bridge, long_file)
    device.reset()
    connect(tab)
    tab.click("#by-loader")
    tab.click("#send")
    outcome(tab, "reset the board")
    device.reset_to_loader()
    sending(tab)
    tab.evaluate("bridge.noise()")
    outcome(tab, "1.1.0 runs now")
    assert device.installed() == "1.1.0"


def test_two_tabs(opened: Open, device: Bench) -> None:
    first, second = opened().tab, opened().tab
    connect(first)
    second.click("#connect")
    words = "the port cannot be opened: close the terminal program or the other tab that has it open"
    assert outcome(second, "cannot be opened").startswith(words)
    first.click("#release")
    first.wait("document.querySelector('#release').hidden")
    connect(second)
    starts(device, second)
    assert second.text("#device") == "NUCLEO-L476RG, product demo, has 1.0.0"


class Nobody:
    """A port that nobody is at, whose time passes while it is read."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def read(self, size: int, timeout_s: float) -> bytes:
        self._now += timeout_s
        return b""

    def write(self, data: bytes) -> None:
        """It is lost."""


def test_a_device_that_does_not_answer(opened: Open, files: Path) -> None:
    """The words are those of `spboot send`."""
    near, far = os.openpty()
    tty.setraw(far)
    bridge = opened()
    bridge.plug(os.ttyname(far))
    tab = bridge.tab
    connect(tab)
    choose(tab, files / "lamp-1.1.0.sfb")
    tab.fill("#timeout", "1")
    for way, key, poke in (("#by-loader", b"", b"load"), ("#by-application", b"u", b"")):
        with pytest.raises(LinkError) as told:
            ymodem.wait_for_call(Nobody(), 1, on_text=lambda _: None, poke=poke, key=key)
        tab.click(way)
        tab.fill("#key", "u")
        tab.click("#send")
        assert outcome(tab, "meanwhile" if poke else "knows 'u'") == f"lamp-1.1.0.sfb: {told.value}"
    for descriptor in (near, far):
        os.close(descriptor)


@pytest.mark.soak
def test_a_reset_in_the_middle_begins_again(opened: Open, device: Bench, long_file: Path) -> None:
    tab = opened().tab
    by_loader(tab, long_file)
    device.reset_to_loader()
    sending(tab)
    device.reset_to_loader()
    outcome(tab, "1.1.0 runs now")
    assert device.installed() == "1.1.0"
    tab.wait("document.querySelector('#console').textContent.includes('starting 1.1.0')")
    said = tab.text("#console")
    assert said.count("loader: send") >= 2 and said.count("version 1.1.0 received") == 1


@pytest.mark.soak
def test_another_file_after_a_refusal(opened: Open, device: Bench, files: Path) -> None:
    """The loader still waits: without a reset it gets the right one."""
    tab = opened().tab
    by_loader(tab, files / "lamp-1.0.0.sfb")
    device.reset_to_loader()
    outcome(tab, "would refuse it")
    choose(tab, files / "lamp-1.1.0.sfb")
    tab.click("#send")
    outcome(tab, "1.1.0 runs now")
    assert device.installed() == "1.1.0"


def test_the_rig_is_where_it_was(started: Callable[[], Rig]) -> None:
    """Each test has the same device."""
    assert b"demo 1.0.0 on" in started().uart.output
