"""One skipped instruction of a whole boot starts nothing and installs nothing that must not be (decision 0040).

Here a sample in the functions that decide; `make soak` and `python -m tests.system.skip_sweep` do all of it."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Final

import pytest
from unicorn import arm_const

from spboot.boards import Board
from spboot.builder import bootloader, program
from spboot.builder.compiler import NAMES
from spboot.formats.spec import data_path
from spboot.twin import Twin
from tests.edits import Edit, edited_firmware
from tests.system.rig import workshop
from tests.system.skip import Omission, Point, counted
from tests.system.skip_boot import DECIDES, Boot
from tests.system.skip_loader import UPDATES, Loading
from tests.system.skip_states import NEXT, NOW, SITUATIONS, STARTING, Maker, State, prepare, thinned

pytestmark = pytest.mark.both_compilers

QUICK, SLOW, SINGLE = "NUCLEO-L476RG", "NUCLEO-L073RZ", "NUCLEO-L412KB"
BOARDS = (QUICK, SLOW, "DISCO-F769I", "DISCO-L562E")
"""Cortex-M4, M0+, M7 and M33."""
SAMPLE = ("tampered", "tampered, original in SLOT1", "older committed", "unsigned, warm")
POINTS = {QUICK: 60, SLOW: 35}
LOADER_POINTS = 3
EXECUTIONS = 14
FOUND = {
    ("tampered", SLOW): "slot_hashed|same|difference",
    ("tampered, original in SLOT1 and journal", SLOW): "slot_hashed|slot_places|judge",
    ("unsigned committed", QUICK): "^install$|acceptable|vouch",
    ("tampered committed", QUICK): "^install$|acceptable",
    ("older committed", QUICK): "^check$|^install$|acceptable|vouch|floor",
    ("other product committed", SLOW): "vouch|fits|misfit",
}
"""Situation and board -> functions in which one skipped instruction was enough once; all of them are left out."""
HANDLES_IMAGES = re.compile("sha256|slot|judge|read|same|difference")
FRAME_GIVEN_BACK = re.compile(r": (add(\.w|w)?|mov|ldr(\.w)?) (sp, |.*\[sp\], )|: pop")


Makers = dict[tuple[str, str], Maker]
CONTROL: Final[list[Edit]] = [
    (
        "core/slot.c",
        "    volatile uint32_t verdict = SPB_GOOD;       "
        "/* or compilers take all differences together, and one step adds them */\n"
        "    verdict += difference(a, b, len);           /* twice, and neither can take the other away */\n"
        "    verdict += difference(a, b, len);\n"
        "    return (enum spb_verdict)verdict;",
        "    return difference(a, b, len) == 0 ? SPB_GOOD : SPB_BAD;",
    ),
    ("boot/main.c", "    j.header = SPB_BAD;\n    j.image = SPB_BAD;\n", ""),
    ("boot/main.c", "    j->header = SPB_BAD;\n    j->image = SPB_BAD;\n", ""),
    ("boot/main.c", "    if (j->header != SPB_GOOD || j->image != SPB_GOOD) spb_cortex_reset();\n", ""),
    ("boot/main.c", " ^ doubt);", " ^ (doubt & 0));"),
]
"""What the control build has instead of what stands there."""

HEADER_ALONE: Final[Edit] = (
    "boot/main.c",
    "valid = j.header == SPB_GOOD && j.image == SPB_GOOD;",
    "valid = j.header == SPB_GOOD;",
)
ONE_BRANCH: Final[dict[str, tuple[str, list[Edit]]]] = {
    "tampered": ("same|slot_hashed", CONTROL),
    "unsigned, warm": ("spb_main", [*CONTROL, HEADER_ALONE]),
}
"""Situation -> functions in which a control build is one skipped instruction away from the image, and that build."""


@pytest.fixture(scope="module")
def makers() -> Makers:
    return {}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("skip")


def maker_of(makers: Makers, folder: Path, name: str, compiler: str) -> Maker:
    """One for each bootloader, made when it is first asked for."""
    if (name, compiler) not in makers:
        where = folder / f"{name}-{compiler}"
        where.mkdir()
        makers[name, compiler] = Maker(workshop(Board.load(name), compiler, where))
    return makers[name, compiler]


def accepted(boot: Boot, points: list[Point]) -> list[str]:
    """Places where a skipped instruction lets something through; most of the others have to end in a refusal."""
    results = boot.sweep(points)
    counts = counted(results)
    assert counts["refused"] + counts["met"] > len(results) // 2, counts
    missed = sum("(missed)" in result.detail for result in results)
    assert missed == 0
    return [boot.place(r.point.address) + " " + r.detail for r in results if r.outcome == "accepted"]


@pytest.mark.parametrize("situation", SAMPLE)
@pytest.mark.parametrize("name", [QUICK, SLOW])
def test_a_sample_of_the_decisions(makers: Makers, folder: Path, name: str, situation: str) -> None:
    maker = maker_of(makers, folder, name, "clang")
    boot = Boot(prepare(maker, SITUATIONS[situation](maker)), allowed=maker.slot(NOW), only=DECIDES)
    assert boot.unfaulted == "refused"
    found = accepted(boot, boot.sample(POINTS[name]))
    assert found == []


@pytest.mark.parametrize(("situation", "name"), FOUND)
def test_where_one_instruction_was_enough(makers: Makers, folder: Path, situation: str, name: str) -> None:
    """Both comparisons of a hash took each other away; the list of pages was one that lay on the stack; a second look
    was compiled to nothing; a verdict was joined by XOR with itself; a register that holds the place of a version was
    given back wrong; a register for the refusal still had the caller's SPB_GOOD."""
    maker = maker_of(makers, folder, name, "clang")
    only = re.compile(FOUND[situation, name])
    boot = Boot(prepare(maker, SITUATIONS[situation](maker)), allowed=maker.slot(NOW), only=only)
    assert boot.unfaulted == "refused"
    found = accepted(boot, boot.points())
    assert found == []


@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("name", [QUICK, SLOW])
def test_s3_h3_a_frame_that_is_not_given_back(makers: Makers, folder: Path, name: str, compiler: str) -> None:
    """What is popped instead is nothing out of the image, which is made of addresses of its own."""
    maker = maker_of(makers, folder, name, compiler)
    state = prepare(maker, SITUATIONS["full of addresses"](maker))
    boot = Boot(state, allowed=maker.slot(NOW), only=HANDLES_IMAGES)
    assert boot.unfaulted == "refused"
    points = boot.executions(FRAME_GIVEN_BACK, EXECUTIONS)
    assert len(points) > 3 * EXECUTIONS, "fewer than those of hashing"
    results = boot.sweep(points)
    assert [boot.place(r.point.address) + " " + r.detail for r in results if r.outcome == "accepted"] == []


def control(folder: Path, edits: list[Edit]) -> Maker:
    """A control build: verdicts are compared once, and BAD is not written before something is found bad."""
    firmware = edited_firmware(folder, edits)
    with pytest.MonkeyPatch.context() as patch:
        for module in (bootloader, program):
            patch.setattr(module, "data_path", lambda name: firmware if name == "firmware" else data_path(name))
        return Maker(workshop(Board.load(QUICK), "clang", folder))


@pytest.mark.parametrize("situation", ONE_BRANCH)
def test_a_control_build_is_caught(tmp_path: Path, situation: str) -> None:
    functions, edits = ONE_BRANCH[situation]
    maker, only = control(tmp_path, edits), re.compile(functions)
    boot = Boot(prepare(maker, SITUATIONS[situation](maker)), allowed=maker.slot(NOW), only=only)
    assert boot.unfaulted == "refused"
    found = accepted(boot, boot.points()[-50:])
    assert found != []


def test_states_made_by_hand_are_the_bootloaders_own(makers: Makers, folder: Path) -> None:
    """A good image with the same journals: installed when committed, left alone when that was done."""
    maker = maker_of(makers, folder, QUICK, "clang")
    new = maker.slot(NEXT)
    for journal, holds in ((maker.committed(new), new), (maker.installed(new), maker.slot(NOW))):
        rig = prepare(maker, State(slot0=maker.slot(NOW), slot1=new, journal=journal))
        rig.listen(STARTING, seconds=100)
        assert rig.twin.flash_read(maker.board.slot0.address, len(holds)) == holds


@pytest.mark.parametrize(
    ("left_out", "r1", "r2"),
    [
        (Point(1, 0x0800_0042), 1, 4),
        (Point(2, 0x0800_0044), 2, 4),
        (Point(3, 0x0800_0046, it=2), 0, 4),
        (Point(4, 0x0800_004A), 1, 0),
    ],
    ids=["compare", "IT", "under an IT", "behind its block"],
)
def test_what_leaving_out_means(left_out: Point, r1: int, r2: int) -> None:
    """movs r0, #0; cmp r0, #0; ite eq; moveq r1, #1; movne r1, #2; adds r2, #4; b ."""
    twin = Twin("STM32L476RG")
    program = bytes.fromhex("0020 0028 0cbf 0121 0221 0432 fee7")
    twin.flash_load(0x0800_0000, struct.pack("<2I", 0x2000_1000, 0x0800_0041).ljust(0x40, b"\0") + program)
    twin.power_on()
    omission = Omission(twin)
    omission.arm(left_out, twin.instructions)
    twin.run(instructions=20)
    assert omission.done
    assert not omission.missed
    assert (twin.core.get(arm_const.UC_ARM_REG_R1), twin.core.get(arm_const.UC_ARM_REG_R2)) == (r1, r2)
    assert twin.flash_read(0x0800_0040, len(program)) == program


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("name", [SINGLE])
def test_a_sample_of_the_engine(makers: Makers, folder: Path, name: str, update: str) -> None:
    maker = maker_of(makers, folder, name, "clang")
    loading = Loading(maker, UPDATES[update](maker))
    results = [loading.without(point) for point in loading.points(LOADER_POINTS)]
    assert {r.outcome for r in results} & {"refused"}
    found = [loading.place(r.point.address) for r in results if r.outcome == "accepted"]
    assert found == []


@pytest.mark.parametrize("compiler", NAMES)
def test_where_the_engine_let_an_older_image_in(makers: Makers, folder: Path, compiler: str) -> None:
    """With a single slot nobody looks again, and the floor was read once."""
    maker = maker_of(makers, folder, SINGLE, compiler)
    loading = Loading(maker, UPDATES["older"](maker))
    places = {point: loading.place(point.address) for point in loading.points(10_000)}
    points = [point for point, place in places.items() if place.startswith(("chunk", "accept", "floor_once"))]
    assert len(points) > 30
    assert [places[point] for point in points if loading.without(point).outcome == "accepted"] == []


@pytest.mark.soak
@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("name", BOARDS)
def test_every_instruction(makers: Makers, folder: Path, name: str, compiler: str, situation: str) -> None:
    maker = maker_of(makers, folder, name, compiler)
    boot = Boot(prepare(maker, SITUATIONS[situation](maker)), allowed=maker.slot(NOW))
    assert boot.unfaulted == "refused"
    found = accepted(boot, boot.points(thin=thinned(situation)))
    assert found == []


@pytest.mark.soak
@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("name", [SINGLE, QUICK, SLOW])
def test_every_decision_of_the_engine(makers: Makers, folder: Path, name: str, compiler: str, update: str) -> None:
    maker = maker_of(makers, folder, name, compiler)
    loading = Loading(maker, UPDATES[update](maker))
    results = [loading.without(point) for point in loading.points(1000)]
    found = [loading.place(r.point.address) for r in results if r.outcome == "accepted"]
    assert found == []
