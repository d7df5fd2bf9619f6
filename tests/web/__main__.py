"""`python -m tests.web`: the pictures of docs/web.md, taken of the page in a browser, with a device on the twin."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from spboot.boards import Board
from spboot.web import page
from spboot.web.facts import Purpose
from tests.system.rig import Rig, workshop
from tests.web import png
from tests.web.bench import bench
from tests.web.bridge import Bridge
from tests.web.chromium import Tab, chromium

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
BOARD: Final = Board.load("NUCLEO-L476RG")
MOST: Final = 60 << 10
"""Bytes of a picture."""


def main() -> None:
    with tempfile.TemporaryDirectory() as name, chromium(Path(name) / "profile") as browser:
        folder = Path(name)
        shop = workshop(BOARD, "clang", folder / "shop")
        (folder / "index.html").write_text(page.html(Purpose(board=BOARD, product="demo", name="lamp")), "utf-8")
        (folder / "lamp-1.1.0.sfbp").write_bytes(shop.patch("1.0.0", "1.1.0"))
        (folder / "lamp-1.0.0.sfb").write_bytes(shop.image("1.0.0"))
        rig = Rig(shop)
        rig.boot()
        with bench(rig) as device:
            bridge = Bridge(browser, device.path)
            tab = bridge.tab
            tab.call("Emulation.setDeviceMetricsOverride", width=760, height=1300, deviceScaleFactor=1, mobile=False)
            tab.go((folder / "index.html").as_uri())
            tab.click("#connect")
            tab.wait("!document.querySelector('#release').hidden")
            device.reset()
            tab.wait("document.querySelector('#console').textContent.includes('r resets')")
            tab.choose("#file", folder / "lamp-1.0.0.sfb")
            tab.wait("!document.querySelector('#fault').hidden")
            keep(tab, "#file-part", "web-refused.png")
            tab.choose("#file", folder / "lamp-1.1.0.sfbp")
            tab.wait("!document.querySelector('#send').disabled")
            tab.click("#send")
            tab.wait("document.querySelector('#outcome').textContent !== ''")
            device.reset_to_loader()
            tab.wait("document.querySelector('#outcome').textContent.includes('runs now')")
            keep(tab, "main", "web-updated.png")
            bridge.close()


def keep(tab: Tab, selector: str, name: str) -> None:
    """Take the picture *name* of an element."""
    tab.evaluate("document.activeElement.blur()")
    (DOCS / name).write_bytes(png.smaller(tab.picture(selector)))
    size = (DOCS / name).stat().st_size
    assert size < MOST, f"{name} has {size} bytes, at most {MOST}"
    print(f"{DOCS / name}: {size} bytes")


if __name__ == "__main__":
    main()
