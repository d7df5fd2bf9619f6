"""`python -m tests.integrations.web_iap_picture`: the picture of docs/web-iap.md, of the page in a browser."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.integrations.web_iap import ROOT, built, served, started
from tests.web import png
from tests.web.chromium import chromium

_MOST = 60 << 10
"""Bytes of it."""


def main() -> None:
    with tempfile.TemporaryDirectory() as name, chromium(Path(name) / "profile") as browser:
        folder = Path(name)
        _, old, new = built(folder / "lamp")
        (folder / "notes.txt").write_text("What is to be done today\n" * 9)
        with served(started(old)) as address:
            tab = browser.open()
            tab.call("Emulation.setDeviceMetricsOverride", width=620, height=560, deviceScaleFactor=1, mobile=False)
            tab.go(address.replace("127.0.0.1", "localhost"))
            tab.wait("document.querySelector('#version').textContent === '1.0.0'")
            for file, words, picture in (
                (folder / "notes.txt", "refused", "web-iap-refused.png"),
                (new.patch, "installs them", "web-iap-taken.png"),
            ):
                tab.choose("#file", file)
                tab.click("#send")
                tab.wait(f"document.querySelector('#said').textContent.includes({words!r})")
                tab.evaluate("document.activeElement.blur()")
                path = ROOT / "docs" / picture
                path.write_bytes(png.smaller(tab.picture("html")))
                assert path.stat().st_size < _MOST
                print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
