"""What all examples need, made once: keys for the field, and the bootloader with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import spboot
from spboot.gitversion import GitVersion
from tests.integrations.bench import Bench
from tests.integrations.project import BOARD
from tests.integrations.web_iap import Net, built, started
from tests.system.shelf import Shelf


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with keys and boot."""
    folder = tmp_path_factory.mktemp("made")
    keys, version = spboot.Keys.new(folder / "keys", "lamp"), GitVersion.given(spboot.Version(1, 0, 0))
    linkage = spboot.prebuild(
        spboot.Board.load(BOARD), keys, folder / "linkage", place=folder / "boot", version=version
    )
    assert linkage.made, "there was no bootloader"
    return folder


@pytest.fixture(scope="session")
def web_once(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The example `web-iap`: two releases, and a device that runs the first of them, with its link up."""
    shelf = Shelf("web-iap", tmp_path_factory.mktemp("web"))
    project, old, new = shelf.once("built", lambda: built(shelf.folder / "lamp"))
    return Bench.of(project, old, new, started(old))


@pytest.fixture
def web(web_once: Bench) -> Iterator[Bench]:
    """The device as it was when it had started."""
    twin = web_once.device.twin
    twin.cable.plug()
    web_once.device.restore(web_once.running)
    yield web_once
    assert not twin.faults and not twin.warnings


@pytest.fixture
def net(web: Bench) -> Iterator[Net]:
    """Its network, in virtual time."""
    made = Net(web.device)
    yield made
    made.slirp.close()
