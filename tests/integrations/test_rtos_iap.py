"""The example `rtos-iap` on its boards: built by its README, updated on the twin by real clients, other tasks in time.

What the application counts and what a pin shows have to agree (tests/integrations/rtos_iap.py)."""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import spboot
from spboot.boards import Board
from spboot.errors import LinkError
from spboot.link import ymodem
from tests.integrations.bench import Bench, Built, next_release
from tests.integrations.project import BOARD, Edit
from tests.integrations.rtos_iap import (
    CONSOLE,
    FASTER,
    PROBES,
    READY,
    Lost,
    Told,
    Watch,
    built,
    copied,
    first_release,
    heard,
    refusal,
    reported,
    started,
    told,
)
from tests.system.shelf import Shelf
from tests.system.terminal import lrzsz, on_pty, opened

BUDGETS = tomllib.loads((Path(__file__).resolve().parents[2] / "budgets.toml").read_text())["rtos_iap"]
CONFIRMED = "app: confirmed, this version stays"
STACKS = ("control_stack", "filter_stack", "update_stack")
POINTS = range(1, 11)
BOARDS = tuple(PROBES)
on_each_board = pytest.mark.parametrize("made_once", BOARDS, indirect=True, scope="module")
"""In front of what runs on all of them each time; other tests do so in `make soak`."""


@pytest.fixture(
    scope="module", params=[each if each == BOARD else pytest.param(each, marks=pytest.mark.soak) for each in BOARDS]
)
def made_once(request: pytest.FixtureRequest, made: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    shelf = Shelf(f"rtos-iap-{request.param}", tmp_path_factory.mktemp("rtos"))
    project, old, new = shelf.once("built", lambda: built(request.param, shelf.folder / "lamp", made))
    return Bench.of(project, old, new, started(old))


@pytest.fixture
def bench(made_once: Bench) -> Iterator[Bench]:
    """The device as it was when it had started."""
    twin = made_once.device.twin
    made_once.device.restore(made_once.running)
    twin.uart(CONSOLE).lost.clear()
    yield made_once
    assert not twin.faults and not twin.warnings
    twin.uart(CONSOLE).on_byte.clear()


def limit(bench: Bench, name: str) -> float:
    """The budget *name* of the board."""
    return float(BUDGETS[bench.project.board][name])


def in_time(bench: Bench, watch: Watch, found: Told) -> None:
    """No turn was left out or late, and what the application says of it is what the pin shows."""
    assert len(watch.edges[0]) - 1 == round(watch.seconds * 1000 / 5) > 20
    assert max(watch.worst_us, found.control_late_us) <= limit(bench, "control_late_us"), (watch.worst_us, found)
    assert found.filter_late_us <= limit(bench, "filter_late_us"), found
    assert found.wrong == 0


def stays(bench: Bench) -> None:
    """What was installed is confirmed, and is there after a reset."""
    device = bench.device
    if CONFIRMED.encode() not in device.heard:
        device.read_until(CONFIRMED)
    device.reset()
    device.read_until(READY)
    assert device.version == "1.1.0"


def updated(bench: Bench, file: Path) -> None:
    """The device takes *file*, and keeps it."""
    bench.device.update(file, through="application")
    stays(bench)


# updates


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        pytest.param("patch", ("-k",), id="patch"),
        pytest.param("image", ("-k",), id="image", marks=pytest.mark.soak),
        pytest.param("image", (), id="image in blocks of 128", marks=pytest.mark.soak),
    ],
)
def test_an_update_by_sb(bench: Bench, kind: str, options: tuple[str, ...]) -> None:
    """lrzsz at a pseudo-terminal; the first key finds the chip in Stop."""
    device, watch = bench.device, Watch(bench.device, bench.old)
    start = len(device.twin.uart(CONSOLE).output)
    with on_pty(device) as path, opened(path) as line:  # type: ignore[arg-type]
        os.write(line, b"u")
        done = lrzsz("sb", line, *options, getattr(bench.new, kind))
        assert done.returncode == 0, done.stderr.decode()
        heard(device, "starting 1.1.0", start)
        heard(device, CONFIRMED, start)
    assert watch.at_end is not None and not device.twin.uart(CONSOLE).lost
    print(f"{kind} by sb: {watch.worst_us:.1f} us by the pin, {watch.at_end}")
    in_time(bench, watch, watch.at_end)


@pytest.mark.parametrize(
    ("made_once", "kind"),
    [
        *((BOARD, kind) for kind in ("patch", "image")),
        *((each, "patch") for each in BOARDS if each != BOARD),
        *(pytest.param(each, "image", marks=pytest.mark.soak) for each in BOARDS if each != BOARD),
    ],
    indirect=["made_once"],
    scope="module",
)
def test_an_update_by_our_sender(bench: Bench, kind: str) -> None:
    device, watch = bench.device, Watch(bench.device, bench.old)
    begun = device.port.now()
    device.call("application")
    device.send(getattr(bench.new, kind))
    said = device.read_until(CONFIRMED, 30).decode(errors="replace")
    took_s = device.port.now() - begun
    assert "update: complete" in said and "on trial" in said and f"app 1.1.0 (v1.1.0) on {bench.project.board}" in said
    assert watch.at_end is not None and not device.twin.uart(CONSOLE).lost
    print(f"{kind}: {took_s:.2f} s, {watch.worst_us:.1f} us by the pin, {watch.at_end}")
    in_time(bench, watch, watch.at_end)
    assert took_s <= limit(bench, f"{kind}_s")
    for stack in STACKS:
        assert getattr(watch.at_end, stack) <= limit(bench, stack), stack
    stays(bench)


@on_each_board
def test_size(bench: Bench) -> None:
    flash, ram = len(bench.old.loaded().data), bench.old.ram
    print(f"{flash} bytes of flash, {ram} of RAM")
    assert flash <= limit(bench, "flash") and ram <= limit(bench, "ram")


@on_each_board
def test_stop(bench: Bench) -> None:
    """Eight tenths of the time once the crystal runs, none before; the clock of the kernel is right all the same."""
    device = bench.device
    device.wait(0.003)
    first, at = reported(device), device.port.now()
    assert not device.twin.uart(CONSOLE).lost, "the key came in Stop"
    device.wait(1)
    second = reported(device)
    print(f"{(second['stop_ms'] - first['stop_ms']) / (second['ms'] - first['ms']):.3f} of the time in Stop")
    assert second["stop_ms"] - first["stop_ms"] > 800
    assert abs(second["ms"] - first["ms"] - (device.port.now() - at) * 1000) < 2
    with started(bench.old, crystal=False) as young:
        assert reported(young)["stops"] == 0


# its board


def test_a_board_without_a_header(bench: Bench, tmp_path: Path) -> None:
    """The project file is looked at again whenever it has changed."""
    project = copied(bench.project, tmp_path / "lamp")
    project.edit([("spboot.toml", f'board = "{project.board}"', 'board = "NUCLEO-G0B1RE"')])
    said = project.refused("cmake", "--build", "build")
    assert "no boards/nucleo-g0b1re.h for the board of spboot.toml, NUCLEO-G0B1RE: write one like" in said


@pytest.mark.soak
def test_a_board_of_ones_own(bench: Bench, tmp_path: Path) -> None:
    """Its file beside the project file, and a header that is said."""
    project = copied(bench.project, tmp_path / "lamp")
    given = Path(spboot.__file__).parent / "boards" / "data" / f"{project.board}.toml"
    shutil.copy(given, project.folder / "MINE.toml")
    project.edit([("spboot.toml", f'board = "{project.board}"', 'board = "MINE.toml"')])
    said = project.refused("cmake", "-B", "build")
    assert "no boards/mine.h for the board of spboot.toml, MINE: write one like" in said
    project.run("cmake", "-B", "build", f"-DBOARD_HEADER={project.board.lower()}.h")
    assert "warning" not in project.run("cmake", "--build", "build")
    assert next(project.folder.glob("out/lamp_MINE_*/BOOT_*.hex")).exists()


# trouble


@pytest.mark.soak
@pytest.mark.parametrize("point", POINTS)
def test_a_link_that_is_lost(bench: Bench, point: int) -> None:
    """Behind so many elevenths of the file: said in time, nothing changed, and the next attempt succeeds."""
    device, data = bench.device, bench.new.image.read_bytes()
    device.call("application")
    left = ymodem.wire_size(len(data)) * point // 11

    def send() -> None:
        with suppress(LinkError):
            ymodem.send(Lost(device.port, left), "image.sfb", data, on_text=device.hear)

    if b"update: not done" in device.heard:
        device.heard.clear()
    begun = device.port.now()
    assert refusal(device, send) == "too many errors"
    assert device.port.now() - begun < 60
    found = told(device, bench.old)
    assert found.control_late_us <= limit(bench, "control_late_us") and found.wrong == 0
    updated(bench, bench.new.patch)


@pytest.fixture(scope="module")
def operations(made_once: Bench) -> int:
    """Flash operations from a key to the confirmation of a full image."""
    device = made_once.device
    device.restore(made_once.running)
    before = device.twin.log.total
    updated(made_once, made_once.new.image)
    return device.twin.log.total - before


@pytest.mark.soak
@pytest.mark.parametrize("point", POINTS)
def test_a_power_cut(bench: Bench, operations: int, point: int) -> None:
    """At so many elevenths of the flash operations, one of them torn: what starts is one of the two versions, and it
    says which; the new one in the end."""
    device = bench.device
    device.restore(bench.running)
    device.cut(f"{operations * point // 11}:torn:random={point}")
    device.update(bench.new.image, through="application")
    assert device.waiting is None, "the cut was"
    said = bytes(device.heard).decode(errors="replace")
    back = said.partition("reset by power on")[2]
    assert "starting 1." in back, "an application, whichever"
    print(f"operation {operations * point // 11} of {operations}: {'not ' * ('starting 1.0.0' not in back)}sent again")
    stays(bench)


@pytest.mark.parametrize("names", [("damaged",), pytest.param((), marks=pytest.mark.soak)], ids=["one", "all"])
def test_wrong_files(bench: Bench, tmp_path: Path, names: tuple[str, ...]) -> None:
    """One after another: the reason, the version that runs, tasks in time; then a good one."""
    device, found = bench.device, {}
    files = bench.wrong_files(tmp_path)
    names = names or tuple(files)
    for name in names:
        device.heard.clear()
        device.call("application")

        def send(data: bytes = files[name][0]) -> None:
            with suppress(LinkError):
                device.send(data)

        found[name] = refusal(device, send)
        assert b"starting" not in device.heard, "no reset"
    assert found == {name: files[name][1] for name in names}
    counted = told(device, bench.old)
    assert counted.control_late_us <= limit(bench, "control_late_us") and counted.wrong == 0
    updated(bench, bench.new.patch)


# versions that do not do

BAD: dict[str, tuple[Edit, str]] = {
    "self-test": (
        ("src/tasks/filter.c", "#define LEAST 0.30f", "#define LEAST 0.49f"),
        "app: self-test the filter calculates something else",
    ),
    "hang": (
        ("src/tasks/control.c", "        board_led(on);", "        for (;;) {}"),
        "reset by power on/software/watchdog",
    ),
    "stack": (
        ("src/tasks/control.c", "#define WORDS 96u", "#define WORDS 56u"),
        "app: the stack of a task is too small: control",
    ),
}  # fmt: skip


@pytest.mark.soak
@pytest.mark.parametrize("name", BAD)
def test_a_version_that_does_not_do_is_given_up(bench: Bench, tmp_path: Path, name: str) -> None:
    change, words = BAD[name]
    bad = next_release(copied(bench.project, tmp_path / "lamp"), [change], "1.2.0")
    device = bench.device
    device.call("application")
    device.send(bad.image)
    said = device.read_until("app: the last update was given up, ", 30).decode(errors="replace")
    assert "starting 1.2.0" in said and words in said and CONFIRMED not in said
    assert device.version == "1.0.0" and device.read_until("\r\n") == b"update not confirmed\r\n"
    updated(bench, bench.new.image)


def as_factory(made: Path, tmp_path: Path, change: Edit) -> tuple[spboot.Device, Built, Built]:
    """A device that was made with *change*, and its next version."""
    project, old = first_release(BOARD, tmp_path / "lamp", made, [change])
    return started(old), old, next_release(project, [FASTER])


@pytest.mark.soak
def test_without_a_stack_of_its_own_the_engine_is_taken_for_an_overflow(made: Path, tmp_path: Path) -> None:
    """The check is alive during SE_PATCH_Data, and SE_PATCH_SetStack is what satisfies it."""
    line = "    (void)SE_PATCH_SetStack(SE_PATCH_Stack_CALLER);\n"
    device, _, new = as_factory(made, tmp_path, ("src/tasks/update_task.c", line, ""))
    device.call("application")
    with suppress(LinkError):
        device.send(new.image)
    if b"too small: update" not in device.heard:
        device.read_until("app: the stack of a task is too small: update", 30)
    device.wait_for_start()
    assert device.version == "1.0.0"


@pytest.mark.soak
def test_an_update_that_comes_first_makes_others_late(made: Path, tmp_path: Path) -> None:
    """The measurement can fail: with the highest priority for the update task it does."""
    change = ("src/tasks/update_task.c", '.name = "update", .priority = 1', '.name = "update", .priority = 4')
    device, old, new = as_factory(made, tmp_path, change)
    watch = Watch(device, old)
    device.update(new.image, through="application")
    assert watch.at_end is not None
    assert min(watch.worst_us, watch.at_end.control_late_us) > 10 * BUDGETS[BOARD]["control_late_us"]


@pytest.mark.soak
def test_the_filter_sees_registers_that_a_switch_forgets(made: Path, tmp_path: Path) -> None:
    """s16 to s31 of one task are those of another one: the self-test finds it."""
    port = "src/kernel/port_m4.c"
    it, save, load = '                   "it eq\\n"\n', '"vstmdbeq r0!, {s16-s31}\\n"', '"vldmiaeq r0!, {s16-s31}\\n"'
    space = "                   "
    changes = [(port, f"{it}{space}{each}\n", "") for each in (save, load)]
    _, old = first_release(BOARD, tmp_path / "lamp", made, changes)
    with spboot.Device(Board.load(BOARD)) as device:
        device.program(old.factory)
        device.power_on()
        device.read_until("app: self-test the filter calculates something else")
        assert told(device, old).wrong > 0
