"""Updates of two parts: made, checked, told of, forecast, and kept as releases."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from spboot import cli, release, trial
from spboot.boards import Board
from spboot.device.forecast import changed_pages, forecast, told
from spboot.errors import AuthenticationError, FormatError
from spboot.explanation import explain
from spboot.explanation.words import costs
from spboot.formats.header import HEADER_SIZE
from spboot.formats.manifest import EXTENSION_SIZE, external_hash
from spboot.image import Image
from spboot.inspection import inspect
from spboot.keys import Keys
from spboot.making import Making, postbuild
from spboot.releases import Release
from spboot.version import Version
from tests import apps
from tests.delta.code import noise

from . import elf, outside

BOARD = outside.board("DISCO-F469I-EXT")
DUAL = outside.board("DISCO-H745I-EXT")
SEALED = outside.board("DISCO-L476G-EXT")
REST = noise(70000, "picture")
CHANGED = REST[:50000] + b"other" + REST[50005:] + b"more"


def image(board: Board, version: str, rest: bytes, *, code: int = 0) -> Image:
    app = bytearray(apps.startable(board, noise(30000, "app")))
    app[20000] ^= code
    return Image(data=bytes(app), board=board, version=Version.parse(version), rest=rest)


OLD, NEW = image(BOARD, "1.0.0", REST), image(BOARD, "1.1.0", CHANGED, code=1)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys.new(tmp_path_factory.mktemp("outside") / "keys", "demo", development=True)


@pytest.fixture(scope="module")
def patch(keys: Keys) -> bytes:
    return release.patch(OLD, NEW, keys=keys)


def test_there_and_back(keys: Keys, patch: bytes) -> None:
    found = release.verify(patch, keys, old=OLD)
    assert (found.image, found.rest) == (NEW.data, NEW.rest) and len(patch) < 400
    full = release.full_image(NEW, keys=keys)
    found = release.verify(full, keys, board=BOARD)
    assert (found.image, found.rest) == (NEW.data, NEW.rest) and len(release.header_for(full)) == 196


def test_a_change_of_assets_alone_is_a_patch(keys: Keys) -> None:
    new = image(BOARD, "1.1.0", CHANGED)
    assert new.data == OLD.data
    found = release.verify(release.patch(OLD, new, keys=keys), keys, old=OLD)
    assert found.rest == CHANGED
    with pytest.raises(FormatError, match="byte for byte"):
        release.patch(OLD, image(BOARD, "1.1.0", REST), keys=keys)


def test_assets_that_differ_are_another_base(keys: Keys, patch: bytes) -> None:
    with pytest.raises(AuthenticationError, match="starts from another image"):
        release.verify(patch, keys, old=image(BOARD, "1.0.0", CHANGED))
    with pytest.raises(AuthenticationError, match="another image than the one named as new"):
        explain(OLD, image(BOARD, "1.1.0", REST, code=1), patch=patch, keys=keys)


def test_a_board_takes_its_own_number_of_parts(keys: Keys, patch: bytes) -> None:
    """The file of a board in another plan, under the same name."""
    text = outside.FILES[BOARD.name].with_name("x").with_suffix("")
    inner = Board.parse(text.with_name(f"{BOARD.name}.toml"), _file_of("DISCO-F469I"))
    with pytest.raises(AuthenticationError, match=r"the update is of two parts, the slots of .* have one part"):
        release.verify(patch, keys, board=inner)
    single = release.full_image(image(inner, "1.1.0", b""), keys=keys)
    with pytest.raises(AuthenticationError, match=r"the update is of one part, the slots of .* have two parts"):
        release.verify(single, keys, board=BOARD)


def _file_of(name: str) -> str:
    return (outside.FILES[BOARD.name].parents[1] / f"{name}.toml").read_text(encoding="utf-8")


def test_inspect_tells_both_parts(keys: Keys, patch: bytes) -> None:
    facts = inspect(patch, keys)
    assert facts["external_size"] == len(CHANGED) and facts["external_hash"] == external_hash(CHANGED).hex()
    plain = inspect(release.full_image(image(SEALED, "1.0.0", b""), keys=keys))
    assert plain["external_size"] is None and plain["external_hash"] is None


# pages and times


def test_pages_count_through_the_parts() -> None:
    rests = REST, CHANGED
    first = BOARD.slot0.size // BOARD.page_size
    assert changed_pages(BOARD, OLD.data, NEW.data, rests) == (0, first + 50000 // 4096, first + 70000 // 4096)
    assert changed_pages(BOARD, OLD.data, NEW.data, (REST, REST)) == (0,)
    assert changed_pages(BOARD, OLD.data, NEW.data, (REST, REST[:100])) == (0,), "a shorter one leaves what is behind"
    assert changed_pages(DUAL, OLD.data, OLD.data, rests)[1] == DUAL.slot0.size // DUAL.page_size + 50000 // 8192


def test_times_are_those_of_the_chip() -> None:
    """A changed page of assets: two erases of 4 KB, and 4 KB in programs of 64 bytes, twice."""
    same = forecast(BOARD, OLD.data, OLD.data, rests=(REST, REST))
    other = forecast(BOARD, OLD.data, OLD.data, rests=(REST, b"x" + REST[1:]))
    assert (other.outside, other.rest_page_size, other.page_size) == (1, 4096, 131072)
    assert (other.erases - same.erases, other.programs - same.programs) == (2, 2 * 64 + 2), "and a record, and a step"
    assert same.flash_s is not None and other.flash_s is not None
    program = 0.0005 * (1 / 8 + 7 / 8 * 64 / 256)
    assert other.flash_s - same.flash_s == pytest.approx(2 * 0.25 + 128 * program, abs=0.0001)
    dual = [forecast(DUAL, OLD.data, OLD.data, rests=(REST, rest)) for rest in (REST, b"x" + REST[1:])]
    assert dual[1].flash_s is not None and dual[0].flash_s is not None
    assert dual[1].erases - dual[0].erases == 2
    program = 0.00012 * (1 / 8 + 7 / 8 * 32 / 256)
    assert dual[1].flash_s - dual[0].flash_s == pytest.approx(2 * 0.05 + 256 * program, abs=0.001)


def test_slot1_outside_takes_the_times_of_its_chip() -> None:
    """A page of 4 KB is one erase outside, two inside."""
    one = image(SEALED, "1.0.0", b"")
    found = [forecast(SEALED, one.data, image(SEALED, "1.1.0", b"", code=code).data) for code in (0, 1)]
    assert found[1].erases - found[0].erases == 3 and found[0].outside == 0
    assert found[1].flash_s is not None and found[0].flash_s is not None
    assert found[1].flash_s - found[0].flash_s > 0.25


def test_a_trial_needs_room_in_each_part() -> None:
    """firmware/core/trial.h: of 496 and 4096 pages 16 of each stay free; the journal has 5,103 records."""
    board = outside.board("DISCO-L4R9I-EXT")
    assert trial.batches(board) == (16, 16) and trial.room(board) == 480 + 4080
    assert trial.fits(board, range(480)) and not trial.fits(board, range(481))
    assert trial.fits(board, range(496, 496 + 4080)) and not trial.fits(board, range(496, 496 + 4081))
    assert 4080 + 453 + 2 * (255 + 29) + 2 == 5103, "pages, two steps for each batch of them, and two more"
    outside_pages = [*range(496, 496 + 4080)]
    assert trial.fits(board, [*range(453), *outside_pages]) and not trial.fits(board, [*range(454), *outside_pages])
    assert "is room for" in trial.told(_confirming(board), board, range(481)) and trial.room(SEALED) > 200


def _confirming(board: Board) -> bytes:
    """An image with the address of the call."""
    return OLD.data + (trial.gate(board) | 1).to_bytes(4, "little")


def test_a_trial_saves_pages_of_their_own_size() -> None:
    """Saved are a page of 128 KB and one of 4 KB, as 2 blocks and 1 erase unit of external flash."""
    new = _confirming(BOARD)
    assert len(new) % 4 == 0
    kept = forecast(BOARD, OLD.data, new, rests=(REST, b"x" + REST[1:]))
    bare = forecast(BOARD, OLD.data, OLD.data + b"good", rests=(REST, b"x" + REST[1:]))
    assert kept.trial and not bare.trial and kept.changed == bare.changed
    assert kept.erases - bare.erases == 2 + 1
    gap = (BOARD.vector_size - HEADER_SIZE - EXTENSION_SIZE) // 64  # erased behind the header, and not programmed
    assert kept.programs - bare.programs == (128 * 1024 + 4096) // 64 - gap + 3, "two steps of saving, one at the end"
    assert kept.pages == bare.pages + 2


@pytest.mark.parametrize(("pages", "words"), [(1, "about 1 s"), (600, "about 71 s"), (1200, "about 2 minutes")])
def test_a_time_is_told_in_round_words(pages: int, words: str) -> None:
    found = forecast(BOARD, OLD.data, OLD.data, rests=(b"", b"x" * 4096 * pages))
    bare = forecast(BOARD, OLD.data, OLD.data)
    assert found.flash_s is not None and bare.flash_s is not None
    alone = dataclasses.replace(found, flash_s=found.flash_s - bare.flash_s)
    assert told(alone) == f"a device is busy with its flash for {words}"


# explain


def test_explain_accounts_for_both_parts(keys: Keys, patch: bytes) -> None:
    found = explain(OLD, NEW, patch=patch, keys=keys)
    assert sum(row.bytes for row in found.rows) == len(patch) == found.file_size
    rows = {row.name: row for row in found.rows}
    assert rows["manifest"].bytes == 76 + EXTENSION_SIZE
    assert rows["0x9000c000 .. 0x9000cfff"].address == 0x9000C000
    assert any(name.startswith("0x08020200 .. ") for name in rows) and found.hints is None
    assert next(iter(costs(found))).startswith(
        "On DISCO-F469I-EXT: 1 page of 131,072 bytes change, and 2 of 4,096 bytes in external flash: "
    )


# commands and releases


def test_commands_and_a_release(tmp_path: Path) -> None:
    """image, patch, verify and postbuild of an ELF with assets, and what they warn of."""
    keys = Keys.new(tmp_path / "keys", "demo", development=True)
    board = str(outside.FILES[BOARD.name])
    for number, each in enumerate((OLD, NEW)):
        parts = [(BOARD.image_address, each.data), (0x90000000, each.rest)]
        (tmp_path / f"app{number}.elf").write_bytes(elf.make(parts))
    (tmp_path / "app.bin").write_bytes(OLD.data)
    (tmp_path / "boot.bin").write_bytes(apps.bootloader(BOARD, keys))

    def run(*words: str) -> str:
        done = CliRunner().invoke(cli.root, [*words, "--board", board, "--keys", str(tmp_path / "keys")])
        assert done.exit_code == 0, done.output
        return " ".join(done.output.split())

    old, new = str(tmp_path / "app0.elf"), str(tmp_path / "app1.elf")
    update = str(tmp_path / "a.sfbp")
    said = run("patch", "--from", old, "--from-version", "1.0.0", "--to", new, "--version", "1.1.0", "-o", update)
    assert "for 30000 of firmware and 70004 in external flash" in said and "no trial: the application never" in said, (
        said
    )
    assert "a device is busy with its flash for about 4 s" in said
    said = run("verify", update, "--from", old)
    assert (
        f"and to 70004 bytes for external flash, SHA-256 over the hashes of each 64 KB {external_hash(CHANGED).hex()}"
        in said
    )
    said = run("image", str(tmp_path / "app.bin"), "--version", "1.0.0", "-o", str(tmp_path / "b.sfb"))
    assert "warning: " in said and "has nothing for external flash" in said
    told = json.loads(run("image", old, "--version", "1.0.0", "-o", str(tmp_path / "c.sfb"), "--json"))
    assert told["image_bytes"] == 30000 and told["external_bytes"] == 70000 and "warnings" not in told
    made: list[Release] = []
    for number, version in enumerate((Version(1, 0, 0), Version(1, 1, 0))):
        making = Making(
            app=tmp_path / f"app{number}.elf", board=BOARD, keys=keys, version=version, name="panel",
            bootloader=tmp_path / "boot.bin",
        )  # fmt: skip
        made.append(postbuild(making, tmp_path / "out", made))
    assert {Path(item.file).suffix for item in made[1].factory} == {".hex", ".elf"}
    first, second = made[1].image, made[1].patches[0]
    assert first.pages == 2 * (1 + 18) + 14 + 1 and second.pages == 2 * 3 + 1
    assert first.seconds is not None and second.seconds is not None and first.seconds > second.seconds > 1
