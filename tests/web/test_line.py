"""What a line carries, through Chromium's own WebSerial: all of it, whatever it is and however fast it comes."""

from __future__ import annotations

import base64
import os
import random
import select
from pathlib import Path

import pytest

from spboot.link.port import BITS
from spboot.web import page
from spboot.web.facts import Purpose
from tests.web import ports as serial_ports
from tests.web.chromium import Chromium
from tests.web.hands import AGAIN, choose, connect, outcome, shows

WORDS = "{:07d} of all that a device said"
SEEN = """window.seen = new Set();
new MutationObserver(() => {
    const lines = document.querySelector("#console").textContent.split("\\n");
    for (const line of lines.slice(1, -1)) seen.add(line);
}).observe(document.querySelector("#console"), { childList: true });"""
"""Keeps each whole line that the console shows; the first one may be cut."""
SHORT_S, LONG_S = 3.0, 10.0


@pytest.mark.parametrize("baud", [pytest.param(115_200, marks=pytest.mark.soak), 921_600])
@pytest.mark.parametrize("seconds", [SHORT_S, pytest.param(LONG_S, marks=pytest.mark.soak)])
def test_a_line_that_is_never_silent(real: Chromium, address: str, line: int, baud: int, seconds: float) -> None:
    """The page shows all that comes, and the system never has to drop a byte."""
    count = int(baud / BITS * seconds) // len(f"{WORDS.format(0)}\n")
    words = [WORDS.format(number) for number in range(count)]
    text = "".join(f"{each}\n" for each in ["first", *words])
    tab = real.open()
    tab.go(address)
    tab.evaluate(SEEN)
    tab.fill("#baud", str(baud))
    connect(tab, AGAIN)
    assert serial_ports.mode(line) == (baud, "8N1")
    assert serial_ports.feed(line, text.encode(), baud) == 0
    tab.wait(f"document.querySelector('#console').textContent.endsWith({words[-1] + chr(10)!r})")
    missing = set(words) - set(tab.evaluate("[...seen]"))
    tab.close()
    assert sorted(missing)[:9] == []


@pytest.mark.parametrize("baud", [115_200, 921_600])
def test_each_value_of_a_byte(real: Chromium, address: str, purpose: Purpose, line: int, baud: int) -> None:
    """Through port.js, both ways: those as well by which a terminal says that it was noise."""
    data = random.Random(baud).randbytes(baud // BITS) + bytes(range(256)) + b"\xff\xff\x00\x00\xff\x00\xff" * 99
    tab = real.open()
    tab.go(address)
    tab.evaluate(f"{page.script(purpose, 'port')}; window.made = $port; 0")
    tab.evaluate(
        f"navigator.serial.getPorts().then(async ([one]) => {{ window.port = await made.Port.open(one, {baud}) }})"
    )
    tab.evaluate(
        f"""window.read = (async () => {{
            const got = [];
            while (got.length < {len(data)}) {{
                const more = await port.read(1024, 5);
                if (!more.length) break;
                got.push(...more);
            }}
            return btoa(got.map((byte) => String.fromCharCode(byte)).join(""));
        }})(); 0"""
    )
    lost = serial_ports.feed(line, data, baud)
    got = base64.b64decode(tab.evaluate("read"))
    assert (lost, len(got), got == data) == (0, len(data), True)
    tab.evaluate("port.write(Uint8Array.from({ length: 256 }, (_, byte) => byte))")
    back = b""
    while len(back) < 256:
        assert select.select([line], [], [], 10)[0], f"only {len(back)} bytes came"
        back += os.read(line, 256)
    assert back == bytes(range(256))
    tab.evaluate("port.close()")
    tab.close()


@pytest.mark.soak
def test_a_line_that_takes_nothing(real: Chromium, address: str, line: int, files: Path) -> None:
    """It is said, and the port can still be given back."""
    tab = real.open()
    tab.go(address)
    connect(tab, AGAIN)
    tab.fill("#typed", "x" * 100_000)
    tab.click("#typing button")
    choose(tab, files / "lamp-1.1.0.sfb")
    tab.click("#send")
    said = outcome(tab, "takes no bytes")
    assert said == "lamp-1.1.0.sfb: the port takes no bytes for 5 s: pull the cable and plug it in again"
    tab.click("#release")
    shows(tab, "#release", False)
    watch = select.poll()
    watch.register(line, 0)
    assert watch.poll(10_000), "the browser still has the port open"
    assert tab.problems == []
    tab.close()
