"""What a person does at the page, and what it says to that."""

from __future__ import annotations

from pathlib import Path

from tests.web.bench import Bench
from tests.web.chromium import Tab

AGAIN = "#again"
"""The button for the port of last time."""


def connect(tab: Tab, button: str = "#connect") -> None:
    """Open its port."""
    tab.click(button)
    tab.wait("document.querySelector('#connect').hidden")


def choose(tab: Tab, path: Path) -> None:
    """A file that the page finds nothing against."""
    tab.choose("#file", path)
    tab.wait("!document.querySelector('#send').disabled")


def by_application(tab: Tab, path: Path, button: str = "#connect") -> None:
    """An update begins that the application takes."""
    connect(tab, button)
    tab.click("#by-application")
    tab.fill("#key", "u")
    choose(tab, path)
    tab.click("#send")


def by_loader(tab: Tab, path: Path, button: str = "#connect") -> None:
    """An update begins, and waits for the loader."""
    connect(tab, button)
    choose(tab, path)
    tab.click("#send")
    outcome(tab, "reset the board")


def outcome(tab: Tab, words: str) -> str:
    """What it says of the update, once *words* are in it."""
    tab.wait(f"document.querySelector('#outcome').textContent.includes({words!r})")
    return tab.text("#outcome")


def starts(device: Bench, tab: Tab) -> None:
    """Reset the device; returns when the page has heard of its application, for the first time."""
    assert "r resets" not in tab.text("#console")
    device.reset()
    tab.wait("document.querySelector('#console').textContent.includes('r resets')")


def sending(tab: Tab) -> None:
    """Until blocks are on the line."""
    tab.wait("/^sending: [1-9]/.test(document.querySelector('#outcome').textContent)")


def shows(tab: Tab, button: str, shown: bool = True) -> None:
    """Wait until a button is there, or is not."""
    tab.wait(f"document.querySelector({button!r}).hidden === {str(not shown).lower()}")
