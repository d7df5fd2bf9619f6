"""The example `gui`: built by its README, updated on the twin, and seen: what LTDC shows is what its assets and its
code say, pixel for pixel, before and behind each update, and behind each cut of one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import spboot
from spboot.errors import SpbootError
from spboot.twin.snapshot import Snapshot
from tests.integrations.gui import (
    CHANGES,
    DRAWN,
    FIRST,
    HEIGHT,
    WIDTH,
    Built,
    Figures,
    Shown,
    drawn,
    first_release,
    next_release,
    updated,
)


@dataclass(frozen=True, slots=True)
class Bench:
    """A first version and what became of it, and a device that runs the first one."""

    first: Built
    device: spboot.Device
    running: Snapshot
    changed: dict[str, Built] = field(default_factory=dict)

    @classmethod
    def of(cls, first: Built) -> Bench:
        device = first.started()
        return cls(first, device, device.snapshot())

    def release(self, name: str) -> Built:
        if name not in self.changed:
            edits, shown = CHANGES[name]
            self.changed[name] = next_release(self.first, edits, shown.version)
        return self.changed[name]

    def shows(self, what: Shown) -> bool:
        """Pixel for pixel.  Sizes of all assets are those of the first version."""
        return self.device.twin.frame() == what.frame(self.first.project.folder / "assets" / "assets.toml")

    def update(self, name: str) -> Figures:
        """From the first version on; what is shown is looked at before and after."""
        shown = CHANGES[name][1]
        self.device.restore(self.running)
        assert self.shows(FIRST)
        figures = updated(self.device, name, self.release(name))
        print(figures)
        assert self.device.version == shown.version and self.shows(shown)
        assert not self.device.twin.warnings and not self.device.twin.faults
        return figures


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench.of(first_release(tmp_path_factory.mktemp("gui") / "lamp", quick=True))


def test_an_update_of_code_is_seen(bench: Bench) -> None:
    found = bench.update("code")
    assert found.patch < 500, found
    assert found.assets == 0 and found.waiting <= 8, found


@pytest.mark.soak
def test_a_cut_leaves_the_old_picture_or_the_new_one(bench: Bench) -> None:
    """A photo and a font are other ones.  Never a mix: the whole update, and cut while SLOT1 is written, and within the
    install."""
    device, shown = bench.device, CHANGES["assets"][1]
    device.restore(bench.running)
    before = len(device.twin.log)
    found = bench.update("assets")
    assert found.patch < 4000 and 2 <= found.assets <= 4, found
    log, slot1, ended = device.twin.log, bench.first.board.slot1, []
    assert slot1 is not None
    install = next(at for at in range(before, len(log)) if 0x90000000 <= log[at].address < slot1.address)
    for at in ((before + install) // 2, (install + len(log)) // 2):
        device.restore(bench.running)
        device.cut(at)
        with suppress(SpbootError):  # the sender, whose device is gone
            device.call("application")
            device.send(bench.release("assets").patch(FIRST.version))
        drawn(device)
        assert device.waiting is None, "the cut did not happen"
        assert device.heard.count(DRAWN.encode()) == 1
        version = shown if device.version == shown.version else FIRST
        assert device.version == version.version and bench.shows(version), at
        ended.append(version)
    assert ended == [FIRST, shown]


def test_the_window_is_there_again_behind_an_update_that_was_refused(bench: Bench) -> None:
    """The patch is damaged, which shows behind its first half.  `d` draws all of it out of flash again."""
    device = bench.device
    device.restore(bench.running)
    image = bytearray(bench.release("assets").patch(FIRST.version).read_bytes())
    image[len(image) // 2] ^= 1
    device.call("application")
    with pytest.raises(SpbootError):
        device.send(bytes(image))
    device.wait(2)
    assert b"update: not done" in device.heard
    device.twin.rams.put(device.twin.display.registers["L1CFBAR"], bytes(2 * WIDTH * HEIGHT))
    assert not bench.shows(FIRST)
    device.type("d")
    device.read_until(DRAWN)
    assert bench.shows(FIRST)


@pytest.mark.soak
def test_with_seven_megabytes(tmp_path: Path) -> None:
    """On the board and with the assets of the README."""
    bench = Bench.of(first_release(tmp_path / "lamp", gallery=True))
    found = {name: bench.update(name) for name in ("code", "picture", "font")}
    assert all(each.patch * 100 < each.image for each in found.values())
    assert found["code"].assets == 0 and found["code"].patch < 500
    assert 6 <= found["picture"].assets <= 7 and found["picture"].patch < 21_600
    assert 3 <= found["font"].assets <= 5 and found["font"].patch < 4000
