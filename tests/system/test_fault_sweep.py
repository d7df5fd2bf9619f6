"""One fault in a whole boot starts nothing and installs nothing that must not be (decisions 0040 and 0072).

Here a sample in the functions that decide; `make soak` and `python -m tests.system.fault_sweep` do all of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from spboot.boards import Board
from spboot.builder.compiler import NAMES
from tests.edits import Edit, built_of
from tests.system.fault import KINDS, flips
from tests.system.fault_boot import DECIDES, Boot
from tests.system.fault_loader import UPDATES, Loading
from tests.system.fault_pairs import Pairs
from tests.system.fault_states import EVERY, NEXT, NOW, OF_TWO_PARTS, STARTING, Maker, prepare, thinned
from tests.system.fault_sweep import BOARDS
from tests.system.rig import workshop
from tests.system.striker import Strike, counted

pytestmark = pytest.mark.both_compilers

QUICK, SLOW, *_, OUTSIDE, TWO_PARTS = BOARDS
SINGLE = "NUCLEO-L412KB"
ROWS = [(name, each) for name in BOARDS for each in EVERY if name == TWO_PARTS or each not in OF_TWO_PARTS]
SAMPLE = ("tampered", "tampered, original in SLOT1", "older committed", "unsigned, warm")
NUMBERS = {
    QUICK: {"skip": 30, "inverted": 15, "stuck": 30, "flipped": 15},
    SLOW: {"skip": 12, "inverted": 6, "stuck": 12, "flipped": 6},
}
"""Board -> kind -> so many faults of each situation of SAMPLE."""
SOAK = {"inverted": None, "stuck": 400, "flipped": 300}
"""Kind -> so many faults of each situation, or all."""
PAIRS = 60
LOADER_NUMBERS = {"skip": 3, "inverted": 3, "stuck": 3, "flipped": 2}
EXECUTIONS = 2
FIRST = 40
"""Instructions at the beginning, or the end, of what a boot does with an image."""
SKIPPED = 60
"""Instructions of each of FOUND that are skipped here; `make soak` has all of them."""
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
COPIES = re.compile("copy|holds|read_step|area_|read_here|memcmp|program")
FRAME = re.compile(r": (push|pop|stm|ldm|(add|sub)(\.w|w)? sp|ldr(\.w)? .*\[sp)")
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
CAUGHT: Final[dict[tuple[str, str], tuple[str, list[Edit]]]] = {
    ("skip", "tampered"): ("same|slot_hashed", CONTROL),
    ("skip", "unsigned, warm"): ("spb_main", [*CONTROL, HEADER_ALONE]),
    ("inverted", "tampered"): ("spb_main|slot_hashed", CONTROL),
    ("stuck", "tampered"): ("spb_main", CONTROL),
    ("pair", "tampered"): ("spb_main", CONTROL),
}
"""Kind and situation -> functions in which a control build is one such fault away from the image, and that build."""


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


def accepted(source: Boot | Loading, strikes: list[Strike], *outcomes: str) -> list[str]:
    """Places where a fault lets something through; none of them may have met another instruction.  *outcomes*: that
    are meant by it when not both."""
    results = list(source.sweep(strikes))
    counts = counted(results)
    assert counts["refused"] + counts["met"] >= len(results) // 3, counts
    assert not any("(missed)" in result.detail for result in results)
    meant = outcomes or ("accepted", "strayed")
    return [source.place(r.strike) + " " + r.detail for r in results if r.outcome in meant]


def let_through(source: Boot | Loading, kind: str, number: int | None) -> list[str]:
    """As accepted, but a flipped return address may be one in a slot: there is nothing against that (security.md)."""
    strikes = source.strikes(kind, number)
    return accepted(source, strikes, "accepted") if kind == "flipped" else accepted(source, strikes)


def booted(maker: Maker, situation: str, only: re.Pattern[str] | None = DECIDES) -> Boot:
    """A boot in *situation*, which is refused without a fault."""
    boot = Boot(prepare(maker, EVERY[situation](maker)), allowed=maker.slot(NOW), rest=maker.rest, only=only)
    assert boot.unfaulted == "refused"
    return boot


@pytest.mark.parametrize(
    ("name", "situation"),
    [
        pytest.param(name, situation, marks=pytest.mark.soak if name == SLOW and situation in SAMPLE[2:] else ())
        for name in (QUICK, SLOW)
        for situation in SAMPLE
    ],
)
def test_a_sample_of_the_decisions(makers: Makers, folder: Path, name: str, situation: str) -> None:
    boot = booted(maker_of(makers, folder, name, "clang"), situation)
    for kind, number in NUMBERS[name].items():
        assert let_through(boot, kind, number) == [], kind


@pytest.mark.parametrize("number", [SKIPPED, pytest.param(None, marks=pytest.mark.soak)])
@pytest.mark.parametrize(
    ("situation", "name"),
    [pytest.param(*row, marks=pytest.mark.soak if number % 2 else ()) for number, row in enumerate(FOUND)],
)
def test_where_one_instruction_was_enough(
    makers: Makers, folder: Path, situation: str, name: str, number: int | None
) -> None:
    """Both comparisons of a hash took each other away; the list of pages was one that lay on the stack; a second look
    was compiled to nothing; a verdict was joined by XOR with itself; a register that holds the place of a version was
    given back wrong; a register for the refusal still had the caller's SPB_GOOD."""
    boot = booted(maker_of(makers, folder, name, "clang"), situation, re.compile(FOUND[situation, name]))
    assert accepted(boot, boot.strikes("skip", number)) == []


@pytest.mark.parametrize(
    "situation",
    [
        "other product committed",
        *(pytest.param(f"{what} committed", marks=pytest.mark.soak) for what in ("older", "tampered")),
    ],
)
def test_where_gcc_made_one_enough(makers: Makers, folder: Path, situation: str) -> None:
    """How many pages are judged in SLOT1 was calculated once more for how many are copied; where the load of a verdict
    was skipped, its register had the SPB_GOOD of a comparison; and a verdict was taken away from itself (0100)."""
    boot = booted(maker_of(makers, folder, QUICK, "gcc"), situation, re.compile("^install$|all_of"))
    assert accepted(boot, boot.strikes("skip")) == []


def test_f4_where_an_image_was_read_over_the_stack(makers: Makers, folder: Path) -> None:
    """Where the buffer's address was not loaded, its register had that of the list of pages: vectors of the image were
    written over the frames of who called (0101)."""
    boot = booted(maker_of(makers, folder, SLOW, "clang"), "older committed, SLOT0 tampered", re.compile("slot_hashed"))
    loads = [each for each in boot.strikes("skip") if ": ldr" in boot.place(each)]
    assert accepted(boot, loads[:FIRST]) == []


@pytest.mark.parametrize("compiler", NAMES)
def test_where_the_image_had_the_address_of_a_function(makers: Makers, folder: Path, compiler: str) -> None:
    """Where that of a memory's functions was not loaded, its register had an offset, with the vectors there (0101)."""
    boot = booted(maker_of(makers, folder, TWO_PARTS, compiler), "rest tampered", re.compile("area_|judge|read"))
    assert accepted(boot, boot.strikes("skip")[-FIRST:]) == []


@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize(
    "name", [QUICK, *(pytest.param(name, marks=pytest.mark.soak) for name in BOARDS if name != QUICK)]
)
def test_f4_where_a_copy_lay_on_the_stack(makers: Makers, folder: Path, name: str, compiler: str) -> None:
    """Where the frame of a copy was not given back, or what it called kept no registers, a word of the image that is
    kept was returned to (0102)."""
    boot = booted(maker_of(makers, folder, name, compiler), "full of addresses, kept on trial", COPIES)
    points = boot.executions(FRAME, 1)
    assert len(points) > 9, "fewer than those of a copy"
    assert accepted(boot, list(boot.trace.strikes(points, KINDS["skip"]))) == []


def test_where_one_register_was_enough(makers: Makers, folder: Path) -> None:
    """The floor that a version is compared with was 0."""
    boot = booted(maker_of(makers, folder, QUICK, "clang"), "older committed", re.compile("^install$|acceptable"))
    assert accepted(boot, [each for each in boot.strikes("stuck") if each.fault.words.endswith("= 0x0")]) == []


@pytest.mark.parametrize("kind", ["stuck", "skip"])
@pytest.mark.parametrize("compiler", NAMES)
def test_where_the_engine_let_an_older_image_in(makers: Makers, folder: Path, kind: str, compiler: str) -> None:
    """With a single slot nobody looks again: the floor was 0, or what was in its register before."""
    maker = maker_of(makers, folder, SINGLE, compiler)
    loading = Loading(maker, UPDATES["older"](maker), re.compile("chunk|accept|floor"))
    strikes = [each for each in loading.strikes(kind) if not each.fault.words.endswith("= 0xffffffff")]
    assert len(strikes) > 30
    assert accepted(loading, strikes) == []


@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("name", [QUICK, SLOW])
def test_s3_h3_a_frame_that_is_not_given_back(makers: Makers, folder: Path, name: str, compiler: str) -> None:
    """What is popped instead is nothing out of the image, which is made of addresses of its own."""
    boot = booted(maker_of(makers, folder, name, compiler), "full of addresses", HANDLES_IMAGES)
    points = boot.executions(FRAME_GIVEN_BACK, EXECUTIONS)
    assert len(points) > 3 * EXECUTIONS, "fewer than those of hashing"
    results = boot.sweep(boot.trace.strikes(points, KINDS["skip"]))
    assert [boot.place(r.strike) + " " + r.detail for r in results if r.outcome == "accepted"] == []


def control(folder: Path, edits: list[Edit]) -> Maker:
    """A control build: verdicts are compared once, and BAD is not written before something is found bad."""
    with built_of(folder, edits):
        return Maker(workshop(Board.load(QUICK), "clang", folder))


@pytest.mark.parametrize(("kind", "situation"), CAUGHT)
def test_a_control_build_is_caught(tmp_path: Path, kind: str, situation: str) -> None:
    functions, edits = CAUGHT[kind, situation]
    boot = booted(control(tmp_path, edits), situation, re.compile(functions))
    strikes = Pairs(boot.trace).sample(PAIRS) if kind == "pair" else boot.strikes(kind)[-60:]
    assert accepted(boot, strikes) != []


def test_a_bit_that_is_flipped_back_is_not_noticed(makers: Makers, folder: Path) -> None:
    """What security.md says: the one bit that was altered, altered again as it is read, and the hash is the right one.
    It shows, too, that a flipped bit of what is loaded gets through where nothing is in its way."""
    maker = maker_of(makers, folder, QUICK, "clang")
    boot = booted(maker, "tampered")
    good, bad = maker.slot(NOW), maker.tampered(NOW)
    at = next(n for n in range(len(good)) if good[n] != bad[n])
    address, bit = maker.board.slot0.address + at, (good[at] ^ bad[at]).bit_length() - 1
    point = boot.first_read_of(address)
    faults = flips(boot.trace.instruction(point.address), [8 * (address % 4) + bit])
    assert len(accepted(boot, [Strike(point, fault) for fault in faults])) == 1


@pytest.mark.parametrize("name", [QUICK, OUTSIDE, TWO_PARTS])
def test_states_made_by_hand_are_the_bootloaders_own(makers: Makers, folder: Path, name: str) -> None:
    """A good image with the same journals: installed when committed, left alone when that was done."""
    maker = maker_of(makers, folder, name, "clang")
    new, slot0 = maker.slot(NEXT), maker.board.slot0
    rows = [(maker.commit(new), new), (maker.state(maker.slot(NOW), new, maker.installed(new)), maker.slot(NOW))]
    if maker.rest:
        both = maker.spoilt(maker.rest), maker.rest
        rows.append((maker.state(maker.slot(NOW), new, maker.committed(new, maker.rest), both), new))
    for state, holds in rows:
        rig = prepare(maker, state)
        rig.listen(STARTING, seconds=100)
        assert rig.twin.flash_read(slot0.address, len(holds)) == holds
        assert slot0.rest is None or rig.twin.flash_read(slot0.rest.address, len(maker.rest)) == maker.rest


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("name", [SINGLE])
def test_a_sample_of_the_engine(makers: Makers, folder: Path, name: str, update: str) -> None:
    maker = maker_of(makers, folder, name, "clang")
    loading = Loading(maker, UPDATES[update](maker))
    for kind, number in LOADER_NUMBERS.items():
        assert let_through(loading, kind, number) == [], kind


@pytest.mark.soak
@pytest.mark.parametrize(("name", "situation"), ROWS)
@pytest.mark.parametrize("compiler", NAMES)
def test_every_instruction(makers: Makers, folder: Path, name: str, compiler: str, situation: str) -> None:
    boot = booted(maker_of(makers, folder, name, compiler), situation, None)
    assert accepted(boot, boot.strikes("skip", thin=thinned(situation))) == []


@pytest.mark.soak
@pytest.mark.parametrize(("name", "situation"), ROWS)
@pytest.mark.parametrize("compiler", NAMES)
def test_every_decision(makers: Makers, folder: Path, name: str, compiler: str, situation: str) -> None:
    boot = booted(maker_of(makers, folder, name, compiler), situation)
    for kind, number in SOAK.items():
        assert let_through(boot, kind, number) == [], kind


@pytest.mark.soak
@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("name", [SINGLE, QUICK, SLOW])
def test_every_decision_of_the_engine(makers: Makers, folder: Path, name: str, compiler: str, update: str) -> None:
    maker = maker_of(makers, folder, name, compiler)
    loading = Loading(maker, UPDATES[update](maker))
    for kind, number in {"skip": None, **SOAK}.items():
        assert let_through(loading, kind, number) == [], kind
