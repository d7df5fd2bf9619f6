"""Trial, confirmation and going back on the host: T1 to T5 of trial.h, cut anywhere, and cut again."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from spboot import boards, trial
from spboot.boards import Board
from spboot.builder import headers
from spboot.builder.bootloader import boot_version, data_path
from spboot.formats.spec import spec
from spboot.keys import Keys
from spboot.version import Version
from tests.apps import startable
from tests.core.conftest import World, firmware_like
from tests.core.device import CUTS, Device, compile_core

OLD, NEW = "1.0.0", "1.1.0"
V = {name: Version.parse(name).pack() for name in (OLD, NEW, "1.2.0")}
CUT_KINDS = [name for name in CUTS if name != "none"]


def updates(world: World) -> dict[str, bytes]:
    return {"image": world.image(NEW, trial=True), "patch": world.patch(OLD, NEW, trial=True)}


def on_trial(world: World, update: bytes) -> None:
    """Installed, and started once."""
    world.fresh()
    assert world.device.feed(update) == "OK"
    assert world.device.commit() == "OK"
    world.device.power_on()
    assert world.device.install() == "trial"
    assert world.device.installed == V[NEW]


@pytest.mark.parametrize("kind", ["image", "patch"])
def test_what_confirms_itself_stays(world: World, kind: str) -> None:
    on_trial(world, updates(world)[kind])
    assert world.device.lib.hp_trial_confirm() == 0
    for _ in range(3):
        world.device.power_on()
        assert world.device.install() == "nothing"
        assert world.device.installed == V[NEW]
    assert world.device.feed(world.patch(NEW, "1.2.0")) == "OK"
    assert world.device.commit() == "OK"
    world.device.power_on()
    assert world.device.install() == "done"
    assert world.device.installed == V["1.2.0"]
    assert world.device.misuse == 0


@pytest.mark.parametrize("kind", ["image", "patch"])
def test_what_does_not_confirm_itself_is_given_up(world: World, kind: str) -> None:
    update = updates(world)[kind]
    on_trial(world, update)
    world.device.power_on()
    assert world.device.install() == "reverted"
    assert world.device.read(world.board.vector_size, len(world.images[OLD])) == world.images[OLD]
    for _ in range(3):
        world.device.power_on()
        assert world.device.install() == "nothing"
        assert world.device.installed == V[OLD]
    assert world.device.feed(update) == "OK", "it may be sent again"
    assert world.device.commit() == "OK"
    world.device.power_on()
    assert world.device.install() == "trial"
    assert world.device.misuse == 0


@pytest.mark.parametrize("when", ["before the install", "after going back"])
def test_another_image_confirms_nothing(world: World, when: str) -> None:
    """OLD calls at its start, as an application does that knows nothing of the update that waits, or was given up."""
    update = updates(world)["patch"]
    world.fresh()
    if when == "before the install":
        assert world.device.feed(update) == "OK"
        assert world.device.commit() == "OK"
        assert world.device.lib.hp_trial_confirm() == 0
        world.device.power_on()
        assert world.device.install() == "trial"
        world.device.power_on()
        assert world.device.install() == "reverted"
    else:
        on_trial(world, update)
        world.device.power_on()
        assert world.device.install() == "reverted"
        assert world.device.lib.hp_trial_confirm() == 0
        world.device.power_on()
        assert world.device.install() == "nothing"
    assert world.device.installed == V[OLD]
    assert world.device.misuse == 0


def test_more_starts_where_the_board_says_so(world: World) -> None:
    on_trial(world, updates(world)["patch"])
    for _ in range(2):
        world.device.power_on()
        assert world.device.install(starts=3) == "trial"
        world.device.power_on()
    assert world.device.install(starts=3) == "reverted"


def test_another_update_by_the_loader_ends_the_trial(world: World) -> None:
    """Its pages are where OLD was kept.  The application's are refused before they come here (boot/api.c)."""
    on_trial(world, updates(world)["patch"])
    assert world.device.feed(world.patch(NEW, "1.2.0")) == "OK"
    world.device.power_on()
    assert world.device.install() == "nothing"
    assert world.device.installed == V[NEW]


def test_an_update_without_the_wish_is_installed_for_good(world: World) -> None:
    world.fresh()
    assert world.device.feed(world.image(NEW)) == "OK"
    assert world.device.commit() == "OK"
    world.device.power_on()
    assert world.device.install() == "done"


def test_where_no_image_is_valid_there_is_nothing_to_go_back_to(world: World) -> None:
    world.fresh()
    world.device.write(world.board.vector_size + 5000, b"broken")
    assert world.device.feed(updates(world)["image"], active=False) == "OK"
    assert world.device.commit() == "OK"
    world.device.power_on()
    assert world.device.install() == "trial"
    assert world.device.installed == V[NEW]
    world.device.power_on()
    assert world.device.install() == "done"


@pytest.mark.parametrize("rank", range(4))
def test_t4_what_is_not_whole_any_more_does_not_come_back(world: World, rank: int) -> None:
    """Each of the four pages that are kept, in the highest of SLOT1; NEW stays, as if it had been confirmed."""
    on_trial(world, updates(world)["image"])
    world.device.write(world.device.slot_size + (223 - rank) * 2048 + 600, b"x")
    world.device.power_on()
    assert world.device.install() == "done"
    assert world.device.installed == V[NEW]
    world.device.power_on()
    assert world.device.install() == "nothing"


def test_i6_what_cannot_be_ended_goes_back(world: World) -> None:
    """Power fails while pages are replaced, and NEW loses a byte where it still has to be taken from."""
    device, seen = world.device, set()
    world.fresh()
    assert device.feed(updates(world)["image"]) == "OK"
    assert device.commit() == "OK"
    state = device.save()
    device.count()
    assert device.install() == "trial"
    for at in range(device.operations):
        device.restore(state)
        device.power_on("before", at)
        device.install()
        device.power_on()
        if device.installed == 0:
            device.write(device.slot_size + world.board.vector_size + 600, b"x")
            seen.add(device.install())
            assert device.installed == V[OLD], at
    assert seen == {"reverted"}
    assert device.misuse == 0


class Case:
    """What runs with power, and what may be in SLOT0 when it was cut, and then came back."""

    def __init__(self, world: World, before: Callable[[], None], run: Callable[[], object], ends: set[int]) -> None:
        self.device, self.run, self.ends = world.device, run, ends
        before()
        self.state = self.device.save()
        self.device.count()
        run()
        self.total = self.device.operations

    def sweep(self, points: int, seed: int) -> None:
        """Cut at every operation, or at *points* of them; a second cut in each recovery."""
        device, rnd = self.device, random.Random(seed)
        step = max(1, self.total // points)
        for cut in CUT_KINDS:
            for at in range(rnd.randrange(step), self.total, step):
                device.restore(self.state)
                device.power_on(cut, at, seed=at + 1)
                self.run()
                again, second = rnd.choice(CUT_KINDS), rnd.randrange(60)
                device.power_on(again, second, seed=at)
                device.install(starts=rnd.randrange(1, 3))
                device.power_on()
                last = device.install()
                where = (cut, at, again, second, last)
                assert device.installed in self.ends, where
                assert last != "failed", where
                assert device.misuse == 0, where


def cases(world: World, update: bytes) -> dict[str, Case]:
    device = world.device

    def committed() -> None:
        world.fresh()
        assert device.feed(update) == "OK"
        assert device.commit() == "OK"

    def tried() -> None:
        on_trial(world, update)
        device.power_on()

    def confirmed() -> None:
        tried()
        assert device.lib.hp_trial_confirm() == 0

    def reverted() -> None:
        tried()
        assert device.install() == "reverted"

    later = world.patch(NEW, "1.2.0") if "1.2.0" in world.images else b""

    def next_update() -> None:
        device.feed(later)

    both = {V[OLD], V[NEW]}
    made = {
        "install": Case(world, committed, lambda: device.install(), both),
        "go back": Case(world, tried, lambda: device.install(), both),
        "confirm": Case(world, tried, lambda: device.lib.hp_trial_confirm(), both),
        "again after going back": Case(world, reverted, lambda: device.feed(update), {V[OLD]}),
    }
    if later:
        made["the next update"] = Case(world, confirmed, next_update, {V[NEW]})
        made["another by the loader"] = Case(world, tried, next_update, both)
    return made


NAMES = ["install", "go back", "confirm", "again after going back", "the next update", "another by the loader"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["image", "patch"])
def test_t1_t5_cuts(world: World, kind: str, name: str) -> None:
    cases(world, updates(world)[kind])[name].sweep(120, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["image", "patch"])
def test_t1_t5_every_cut(world: World, kind: str, name: str) -> None:
    case = cases(world, updates(world)[kind])[name]
    for seed in range(20):
        case.sweep(case.total, seed)


@pytest.mark.parametrize("step", ["install", "go back"])
def test_i5_an_entry_that_is_not_read_once_costs_no_image(world: World, step: str) -> None:
    """Each entry of the list, at each of the moments that it is read."""
    device, update = world.device, updates(world)["image"]
    if step == "install":
        world.fresh()
        assert device.feed(update) == "OK"
        assert device.commit() == "OK"
    else:
        on_trial(world, update)
    before, seen = device.save(), set()
    try:
        for entry in range(4):
            for reads in range(80):
                device.restore(before)
                device.power_on()
                device.lib.hp_weak(2 * device.slot_size + 8 * entry, reads)
                said = device.install()
                seen.add(said)
                device.lib.hp_weak(-1, 0)
                whole = device.installed
                assert said == "failed" or whole in (V[OLD], V[NEW]), (entry, reads, said)
                device.power_on()
                device.install()
                assert device.installed in (V[OLD], V[NEW]), (entry, reads, said)
                assert device.misuse == 0
    finally:
        device.lib.hp_weak(-1, 0)
    assert "failed" in seen and ("trial" if step == "install" else "reverted") in seen, seen


def test_t5_a_confirmed_update_is_never_given_up(world: World) -> None:
    """The record of the confirmation alone is lost, as the erase of the journal may be cut so."""
    on_trial(world, updates(world)["image"])
    before = world.device.save()
    assert world.device.lib.hp_trial_confirm() == 0
    world.device.power_on("before", 1)
    assert world.device.feed(world.patch(NEW, "1.2.0")) == "SECTION_ERASE_FAILURE"
    slot = world.device.slot_size
    journal = 2 * slot
    now = world.device.save()
    world.device.restore(before)
    records = world.device.read(journal, world.board.journal.size if world.board.journal else 0)
    world.device.restore(now)
    world.device.write(journal, records)
    world.device.power_on()
    assert world.device.install() == "done"
    assert world.device.installed == V[NEW]
    assert world.device.install() == "nothing"


@pytest.fixture(scope="module", params=["tight", "NUCLEO-L073RZ", "NUCLEO-G0B1RE"])
def shaped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Images that fill the slot but for 33 pages, so that there are many batches; other units and erased bytes."""
    name = request.param
    folder: Path = tmp_path_factory.mktemp(name)
    board = Board.load("NUCLEO-L476RG" if name == "tight" else name)
    secrets = Keys.new(folder / "keys", "demo", development=True)
    size = board.image_capacity - 33 * board.page_size
    one = startable(board, firmware_like(1, size))
    two = startable(board, firmware_like(2, size - 700))
    device = Device(compile_core(board, folder), board, secrets)
    return World(device=device, board=board, keys=secrets, images={OLD: one, NEW: two})


@pytest.mark.parametrize("points", [24, pytest.param(40, marks=pytest.mark.soak)])
@pytest.mark.parametrize("name", NAMES[:4])
def test_many_batches(shaped: World, name: str, points: int) -> None:
    cases(shaped, shaped.image(NEW, trial=True))[name].sweep(points, seed=2)


@pytest.mark.parametrize("name", boards.names())
def test_python_and_firmware_have_the_same_room(name: str, tmp_path: Path) -> None:
    board, program = Board.load(name), tmp_path / "room"
    headers.write(tmp_path, board, boot_version())
    asked = '#include <stdio.h>\n#include "trial.h"\n'
    asked += 'int main(void) { printf("%u %u", SPB_TRIAL_ROOM, SPB_JOURNAL_BATCH); }\n'
    folders = (data_path("firmware") / "core", data_path("firmware") / "crypto", tmp_path / "core", tmp_path / "crypto")
    line = ["gcc", *(f"-I{folder}" for folder in folders), "-x", "c", "-", "-o", str(program)]
    subprocess.run(line, input=asked, text=True, check=True)
    room, batch = map(int, subprocess.run([program], capture_output=True, check=True).stdout.split())
    assert (room, batch) == (trial.room(board), trial.batches(board)[0])
    assert board.slot1 is None or room > 0


def test_the_journal_has_room_for_what_is_promised() -> None:
    assert spec()["journal"]["step_failed"] + 256 <= spec()["journal"]["step_tried"]
