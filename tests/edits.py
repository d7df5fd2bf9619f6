"""Firmware with other words in it: a bug to be found, a bound made smaller."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spboot.builder import bootloader, program
from spboot.formats.spec import data_path

Edit = tuple[str, str, str]
"""File below firmware, text that is there once, text in its place."""


def edited_firmware(folder: Path, edits: Iterable[Edit]) -> Path:
    """A copy of our firmware below *folder*, with the *edits* one after another."""
    firmware = folder / "firmware"
    shutil.copytree(data_path("firmware"), firmware)
    for file, old, new in edits:
        path = firmware / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{file}: {old!r} is there {text.count(old)} times, expected once"
        path.write_text(text.replace(old, new), encoding="utf-8")
    return firmware


@contextmanager
def built_of(folder: Path, edits: Iterable[Edit]) -> Iterator[None]:
    """Bootloaders and applications are built of `edited_firmware` meanwhile."""
    firmware = edited_firmware(folder, edits)
    with pytest.MonkeyPatch.context() as patch:
        for module in (bootloader, program):
            patch.setattr(module, "data_path", lambda name: firmware if name == "firmware" else data_path(name))
        yield
