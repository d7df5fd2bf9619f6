"""The day of day.py is what docs/day.txt tells, and its picture is drawn of that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spboot import releases
from tests.system import day
from tests.system.terminal import SPBOOT
from tests.system.test_wheels import Machine, posix
from tests.system.test_wheels import wheels as wheels


def masked(lines: list[str]) -> list[str]:
    """Without numbers of bytes and seconds, which another release of GCC changes."""
    return [re.sub(r"\b[\d,.]+ (bytes|s\b)", r"N \1", line) for line in lines]


def check(lines: list[str], folder: Path) -> None:
    assert masked(lines) == masked(day.TEXT.read_text(encoding="utf-8").splitlines()), "python -m tests.system.day"
    found = releases.all_in(folder / "lamp" / "releases")
    assert [(str(each.version), each.git) for each in found] == [(v, f"v{v}") for v in ("1.0.0", "1.1.0", "1.2.0")]
    assert [[str(item.base) for item in each.patches] for each in found] == [[], ["1.0.0"], ["1.0.0", "1.1.0"]]


def test_the_day(tmp_path: Path) -> None:
    check(day.transcript(day.lived(tmp_path, SPBOOT)), tmp_path)


@posix
@pytest.mark.soak
def test_the_day_from_the_wheel_alone(wheels: dict[str, Path], tmp_path: Path) -> None:
    """In an environment that has nothing but the wheel and what it asks for."""
    machine = Machine(tmp_path, wheels["manylinux_2_17_x86_64"], "[all]")
    check(day.transcript(day.lived(machine.folder, machine.place / "bin" / "spboot")), machine.folder)


def test_the_recording_is_of_the_text() -> None:
    lines = day.TEXT.read_text(encoding="utf-8").splitlines()
    assert day.PICTURE.read_text(encoding="utf-8") == day.drawn(lines)
    readme = (day.ROOT / "README.md").read_text(encoding="utf-8")
    assert "](docs/day.svg)" in readme
    assert "http" not in day.PICTURE.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
