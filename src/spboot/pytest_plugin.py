"""Fixtures for tests of updates: a board, its keys, its bootloader, and a device, on the twin or at a serial port.

pytest loads it wherever spboot is installed; nothing but names is imported until a fixture is used (docs/python.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import spboot

_FACTORY = """spboot_factory is not defined.  Write in conftest.py what is on a new device:

    @pytest.fixture(scope="session")
    def spboot_factory(spboot_board, spboot_keys, spboot_bootloader):
        app = spboot.Image.load("app-1.0.0.elf", spboot_board, "1.0.0")
        return spboot.merge(spboot_bootloader, app, keys=spboot_keys)"""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, and their counterparts in pytest's own file."""
    group = parser.getgroup("spboot", "updates of STM32 boards")
    group.addoption("--spboot-board", metavar="BOARD", help="Board name or .toml file.")
    group.addoption("--spboot-keys", metavar="DIR", help="Key folder; without it new development keys are made.")
    group.addoption(
        "--spboot-port", metavar="PORT", help="Run on the board at this serial port instead of on the emulated chip."
    )
    group.addoption("--spboot-depth", metavar="DEPTH", default="quick", help="Of spboot_rehearse: quick, all or each.")
    group.addoption("--spboot-part", metavar="K/N", default="1/1", help="Of spboot_rehearse: the K-th of N shares.")
    parser.addini("spboot_board", "Board name or .toml file, relative to this file.", default="")
    parser.addini("spboot_keys", "Key folder, relative to this file.", default="")


@pytest.fixture(scope="session")
def spboot_board(pytestconfig: pytest.Config) -> spboot.Board:
    """The board of --spboot-board, or spboot_board of pytest's file."""
    name = _wanted(pytestconfig, "board", is_path=lambda text: text.endswith(".toml"))
    if not name:
        pytest.fail("which board? Give --spboot-board, or spboot_board in pytest's file: a name or a .toml", False)
    return spboot.Board.load(name)


@pytest.fixture(scope="session")
def spboot_keys(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> spboot.Keys:
    """The keys of --spboot-keys, or spboot_keys of pytest's file; new development keys on the twin when not given."""
    folder = _wanted(pytestconfig, "keys", is_path=bool)
    if folder:
        return spboot.Keys.load(folder, need_private=(Path(folder) / "signing.pem").exists())
    if pytestconfig.getoption("--spboot-port"):
        pytest.fail("which keys? The board at the port takes updates of its own keys only: give --spboot-keys", False)
    return spboot.Keys.new(tmp_path_factory.mktemp("spboot") / "keys", "development", development=True)


@pytest.fixture(scope="session")
def spboot_bootloader(
    spboot_board: spboot.Board, spboot_keys: spboot.Keys, tmp_path_factory: pytest.TempPathFactory
) -> spboot.Bootloader:
    """The bootloader of `spboot_board` with `spboot_keys`, built once."""
    return spboot.build(spboot_board, spboot_keys, tmp_path_factory.mktemp("spboot") / "boot")


@pytest.fixture(scope="session")
def spboot_factory() -> spboot.Program:
    """What a new device has in flash: yours to define, in conftest.py."""
    pytest.fail(_FACTORY, pytrace=False)


@pytest.fixture
def spboot_device(
    request: pytest.FixtureRequest, pytestconfig: pytest.Config, spboot_board: spboot.Board
) -> Iterator[spboot.Device]:
    """The board: a new twin with `spboot_factory` in its flash, switched on; with --spboot-port the one that is wired
    there, as it is."""
    port: str | None = pytestconfig.getoption("--spboot-port")
    with spboot.Device(spboot_board, port=port) as device:
        if port is None:
            device.program(request.getfixturevalue("spboot_factory"))
            device.power_on()
        yield device


@pytest.fixture(scope="session")
def spboot_rehearse(
    pytestconfig: pytest.Config,
    spboot_board: spboot.Board,
    spboot_keys: spboot.Keys,
    spboot_bootloader: spboot.Bootloader,
) -> Callable[..., spboot.Rehearsal]:
    """Rehearses an update: called with the old image, the new one, and what `spboot.rehearse` and `Subject` take by
    name, it fails the test where a device is lost."""

    def run(old: spboot.Image, new: spboot.Image, **more: object) -> spboot.Rehearsal:
        from spboot.rehearsal import part_of

        try:
            part = part_of(str(pytestconfig.getoption("--spboot-part")))
        except spboot.TwinError as error:
            pytest.fail(f"--spboot-part: {error}", pytrace=False)
        options = {name: more.pop(name) for name in ("scenarios", "executor", "until_lost", "progress") if name in more}
        subject = spboot.Subject.made(spboot_board, spboot_keys, spboot_bootloader, old, new, **more)
        depth = pytestconfig.getoption("--spboot-depth")
        found = spboot.rehearse(subject, depth=depth, part=part, **options)  # type: ignore[arg-type]
        if found.losses:
            pytest.fail("\n".join(f"lost: {loss.id}: {loss.words}" for loss in found.losses), pytrace=False)
        return found

    return run


def _wanted(config: pytest.Config, what: str, *, is_path: Callable[[str], bool]) -> str:
    """What the option says, otherwise pytest's file; a path in that is relative to where the file is."""
    given: str | None = config.getoption(f"--spboot-{what}")
    if given:
        return given
    text: str = config.getini(f"spboot_{what}")
    return str((config.inipath or Path()).parent / text) if is_path(text) else text
