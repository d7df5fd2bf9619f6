"""The page itself: made by the command, opened from a disk, without a net and without ports; what its title may be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from spboot import cli
from spboot.boards import Board
from spboot.web import page
from spboot.web.facts import Purpose
from tests.web.bridge import Bridge
from tests.web.chromium import Chromium

BOARD = "NUCLEO-L476RG"
LISTEN = (
    "window.violated = []; addEventListener('securitypolicyviolation', (e) => violated.push(e.effectiveDirective));"
)
LEAKS = {
    "fetch": "fetch('ADDRESS').then(() => 'went', () => 'stopped')",
    "image": "new Promise((r) => { const i = new Image(); i.onload = i.onerror = () => r('x');"
    " i.src = 'ADDRESSa.png'; })",
    "script": "new Promise((r) => { const s = document.createElement('script'); s.onload = s.onerror = () => r('x');"
    " s.src = 'ADDRESSa.js'; document.head.append(s); })",
    "inline": "(() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
    " document.head.append(s); })()",
}
"""What a page could send or load by, each of which its policy stops."""


def test_the_command_makes_a_page_that_works_from_a_disk(browser: Chromium, tmp_path: Path, address: str) -> None:
    done = CliRunner().invoke(cli.root, ["web", "-o", str(tmp_path / "out"), "--board", BOARD, "--name", "lamp"])
    assert done.exit_code == 0, done.output
    tab = browser.open(LISTEN)
    tab.go((tmp_path / "out" / "index.html").as_uri())
    assert tab.text("h1") == "Update of lamp"
    assert "lamp on NUCLEO-L476RG" in tab.text("#lead") and "ST-LINK virtual COM port" in tab.text("#lead")
    assert tab.evaluate("[isSecureContext, document.querySelector('#unable').hidden]") == [True, True]
    assert (tab.problems, tab.evaluate("violated")) == ([], [])
    assert tab.evaluate("navigator.serial.getPorts().then((ports) => ports.length)") == 0, "allowed from a disk"
    for leak in LEAKS.values():
        tab.evaluate(leak.replace("ADDRESS", address))
    tab.wait("violated.length >= 4")
    assert tab.evaluate("[...new Set(violated)].sort().join(' ')") == "connect-src img-src script-src-elem"
    assert tab.evaluate("window.ran") is None
    tab.close()


def test_a_browser_without_webserial(browser: Chromium, address: str) -> None:
    tab = browser.open("delete Navigator.prototype.serial")
    tab.go(address)
    assert tab.text("#unable").startswith("this browser has no WebSerial: open the page in one that has it")
    assert tab.evaluate("document.querySelector('#connect').disabled")
    tab.close()


def test_ports_are_those_of_the_board_or_all(browser: Chromium, address: str) -> None:
    bridge = Bridge(browser, "/dev/there-is-none")
    bridge.tab.go(address)
    for every, expected in ((False, [{"usbVendorId": 0x0483}]), (True, [])):
        bridge.tab.evaluate(f"document.querySelector('#every').checked = {str(every).lower()}")
        bridge.tab.evaluate("bridge.filters = null")
        bridge.tab.click("#connect")
        bridge.tab.wait("bridge.filters !== null")
        assert bridge.tab.evaluate("bridge.filters") == expected
    bridge.tab.wait("document.querySelector('#outcome').className === 'bad'")
    bridge.close()


def test_nobody_chooses_a_port_or_may(browser: Chromium, address: str) -> None:
    tab = browser.open()
    tab.go(address)
    for name, words in (("NotFoundError", "no port was chosen"), ("SecurityError", "the browser gives no port: why")):
        refusal = f"() => Promise.reject(new DOMException('why', '{name}'))"
        tab.evaluate(f"navigator.serial.requestPort = {refusal}")
        tab.click("#connect")
        tab.wait(f"document.querySelector('#outcome').textContent === {words!r}")
    tab.close()


def test_several_files_and_a_foreign_one(browser: Chromium, address: str, files: Path, tmp_path: Path) -> None:
    bridge = Bridge(browser, "/dev/there-is-none")
    bridge.tab.go(address)
    bridge.tab.drop("#drop", files / "lamp-1.0.0.sfb", files / "lamp-1.1.0.sfb")
    bridge.tab.wait("document.querySelector('#outcome').className === 'bad'")
    assert bridge.tab.text("#outcome") == "2 files were given: an update is one"
    data = bytearray((files / "lamp-1.1.0.sfb").read_bytes())
    data[8] ^= 1  # of its product
    (tmp_path / "other.sfb").write_bytes(data)
    bridge.tab.choose("#file", tmp_path / "other.sfb")
    bridge.tab.wait("document.querySelector('#fault').textContent.includes('code 13: update for another product')")
    assert "this page is for: NUCLEO-L476RG, product demo)" in bridge.tab.text("#fault")
    bridge.close()


@pytest.mark.parametrize("name", ["<b>&amp;", "a @script@ b", "</script><script>alert(1)//"])
def test_any_name_is_text(browser: Chromium, tmp_path: Path, name: str) -> None:
    path = tmp_path / "index.html"
    path.write_text(page.html(Purpose(board=Board.load(BOARD), name=name, key=name)), encoding="utf-8")
    tab = browser.open()
    tab.go(path.as_uri())
    assert (tab.text("h1"), tab.evaluate("document.title")) == (f"Update of {name}", f"Update of {name}")
    assert tab.evaluate("document.querySelector('#key').value") == name
    assert (tab.problems, tab.dialogs) == ([], [])
    tab.close()


def test_the_page_names_no_other_place() -> None:
    text = page.html(Purpose())
    assert not re.search(r"https?://|src=|@import|url\(", text)
    assert page.html(Purpose()) == text
