"""Files that bring a new key: made, taken apart, judged and told of; the folder of the new key."""

from __future__ import annotations

import dataclasses
import json
import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import spboot.boards
from spboot import inspection, release
from spboot.boards import Area, Board
from spboot.builder.personal import personal_area
from spboot.errors import AuthenticationError, BoardError, FormatError, KeyFolderError
from spboot.formats import signature
from spboot.formats.comb import comb_table, point_of
from spboot.formats.spec import record, spec
from spboot.keys import Keys
from spboot.link.verdict import Hearing
from spboot.rotation import Rotation, rotation, unsigned_rotation

from .conftest import NEW_APP, TARGET, made
from .typed import typed

KEYS = "keys = { address = 0x080f_0800, size = 0x1000 }"


@pytest.fixture
def home(key_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two key folders, one after the other, and a board with an area for keys."""
    monkeypatch.chdir(tmp_path)
    Keys.load(key_folder, need_private=True)
    Keys.new("lamp", "lamp")
    text = (Path(spboot.boards.__file__).parent / "data" / f"{TARGET}.toml").read_text(encoding="utf-8")
    (tmp_path / "LAMP.toml").write_text(text.replace("\n[ram]", f"{KEYS}\n\n[ram]"), encoding="utf-8")
    return tmp_path


@pytest.fixture
def pair(home: Path) -> tuple[Keys, Keys]:
    old = Keys.load("lamp", need_private=True)
    return old, old.successor("lamp-2")


@pytest.fixture
def board(home: Path) -> Board:
    return Board.load("LAMP.toml")


def test_a_point_comes_back_from_its_table() -> None:
    rnd = random.Random(1)
    for _ in range(3):
        point = ec.derive_private_key(rnd.randrange(1, 1 << 250), ec.SECP256R1()).public_key().public_numbers()
        table = comb_table(point.x, point.y)
        assert point_of(table) == (point.x, point.y)
        for at in (0, 40, 511):
            changed = bytearray(table)
            changed[at] ^= 4
            with pytest.raises(FormatError, match="not the table of a public key"):
                point_of(bytes(changed))
    for wrong in (bytes(512), b"\xff" * 512):
        with pytest.raises(FormatError, match="not the table of a public key"):
            point_of(wrong)
    with pytest.raises(FormatError, match="511 bytes, expected 512"):
        point_of(table[1:])


def test_the_file(pair: tuple[Keys, Keys], board: Board) -> None:
    old, new = pair
    file = rotation(old, new, board)
    point = new.verify.public_numbers()
    assert len(file) == 652
    assert file[140:] == comb_table(point.x, point.y)
    assert file == rotation(old, new, board), "the same file each time"
    found = Rotation.parse(file)
    assert (found.index, found.fingerprint) == (1, new.fingerprint)
    report = release.verify(file, old)
    assert (report.stream, report.image, report.chunk_count) == (None, None, 1)
    with pytest.raises(AuthenticationError, match="signature is wrong"):
        release.verify(file, new)
    assert inspection.judge(file, old) == ("good", "signature good, and the table is that of a key")
    assert inspection.judge(file, new)[0] == "not ours"
    for at in range(0, len(file), 13):
        changed = bytearray(file)
        changed[at] ^= 0x20
        with pytest.raises((FormatError, AuthenticationError)):
            release.verify(bytes(changed), old)


def test_a_signed_table_that_is_none_is_refused(pair: tuple[Keys, Keys], board: Board) -> None:
    old, new = pair
    unsigned = unsigned_rotation(old, new, board)
    wire = bytes(512)
    header = dataclasses.replace(
        unsigned.artefact.header, chunk_hash=release.payload.first_hash(wire), signature=bytes(64)
    )
    forged = dataclasses.replace(unsigned, artefact=release.Artefact(header=header, wire=wire)).signed(old)
    with pytest.raises(FormatError, match="not the table of a public key"):
        release.verify(forged, old)


def test_what_does_not_come_after(pair: tuple[Keys, Keys], board: Board, home: Path) -> None:
    old, new = pair
    with pytest.raises(KeyFolderError, match="has index 0, the old one 1: devices take a higher one only"):
        rotation(new, old, board)
    with pytest.raises(KeyFolderError, match="both folders have the key"):
        rotation(old, dataclasses.replace(old, index=5), board)
    with pytest.raises(KeyFolderError, match="of product 'other', expected 'lamp'"):
        rotation(old, dataclasses.replace(new, product="other"), board)
    with pytest.raises(KeyFolderError, match="another encryption key, expected the same"):
        rotation(old, dataclasses.replace(new, encryption=bytes(16)), board)
    with pytest.raises(BoardError, match=f"{TARGET} has no area for keys: its devices trust one key for ever"):
        rotation(old, new, Board.load(TARGET))
    with pytest.raises(FormatError, match="brings an image, expected one that brings a key"):
        Rotation.parse(release.full_image(made(NEW_APP, "1.1.0"), keys=old))


def test_the_folder_of_the_new_key(pair: tuple[Keys, Keys], home: Path) -> None:
    old, new = pair
    assert (new.index, new.product, new.encryption) == (1, old.product, old.encryption)
    assert new.fingerprint != old.fingerprint
    assert new.successor("lamp-3").index == 2
    assert b"index = 1\n" in (home / "lamp-2" / "product.toml").read_bytes()
    assert b"index" not in (home / "lamp" / "product.toml").read_bytes(), "as ever for the first key"
    with pytest.raises(KeyFolderError, match="exists already: keys are never overwritten"):
        old.successor("lamp-2")
    layout = record("personal")
    flags = [layout.unpack(personal_area(keys))["flags"] for keys in pair]
    assert flags == [0, spec()["personal"]["flag_index"]]
    (home / "lamp-2" / "product.toml").write_text('product = "lamp"\nindex = -1\n')
    with pytest.raises(KeyFolderError, match="index is -1, expected 0 for the first key"):
        Keys.load("lamp-2")


def test_the_command(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    line = "keys rotate lamp lamp-2 --board LAMP.toml"
    assert typed(f"{line} -o one.sfbk", monkeypatch, capsys)[0] == 0
    old, new = Keys.load("lamp"), Keys.load("lamp-2")
    assert release.signed_by((home / "one.sfbk").read_bytes(), [new, old]) is old
    code, said, _ = typed(f"{line} -o two.sfbk --json", monkeypatch, capsys)
    assert code == 0
    facts = json.loads(said)
    assert (facts["kind"], facts["index"], facts["new_key"]) == ("key", 1, new.fingerprint)
    assert (home / "one.sfbk").read_bytes() == (home / "two.sfbk").read_bytes(), "a folder that is there is taken"
    for line in ("verify one.sfbk --keys lamp", "inspect one.sfbk --keys lamp"):
        code, said, _ = typed(line, monkeypatch, capsys)
        assert code == 0
        assert new.fingerprint in said and old.fingerprint in said, line


def test_in_two_steps(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    line = "keys rotate lamp lamp-2 --board LAMP.toml -o away.sfbk"
    assert typed(f"{line} --digest-out digest.bin", monkeypatch, capsys)[0] == 0
    assert not (home / "away.sfbk").exists()
    old = Keys.load("lamp", need_private=True)
    (home / "sig").write_bytes(signature.to_der(old.sign((home / "digest.bin").read_bytes())))
    code, said, wrong = typed(f"{line} --signature-in sig", monkeypatch, capsys)
    assert code == 0, wrong
    assert "away.sfbk: key 1, 652 bytes, signed by" in said
    assert release.signed_by((home / "away.sfbk").read_bytes(), [old]) is old


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"keys rotate lamp lamp-2 --board {TARGET} -o x.sfbk", "has no area for keys"),
        ("keys rotate nowhere lamp-2 --board LAMP.toml -o x.sfbk", "there is no such folder"),
        ("keys rotate lamp lamp --board LAMP.toml -o x.sfbk", "both folders have the key"),
        ("keys rotate lamp lamp-2 --board LAMP.toml -o nowhere/x.sfbk", "there is no folder"),
        ("drill --board LAMP.toml --keys lamp --releases none", "there is no release to exercise with"),
        (f"drill --board {TARGET} --keys lamp --releases none", "has no area for keys"),
    ],
)
def test_mistakes_leave_nothing(
    line: str, words: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(home.iterdir())
    code, _, wrong = typed(line, monkeypatch, capsys)
    assert (code, words in wrong) == (1, True), wrong
    assert sorted(home.iterdir()) == before


def test_an_area_needs_room(board: Board, home: Path) -> None:
    assert (board.keys, board.key_records) == (Area(address=0x080F_0800, size=0x1000), 6)
    text = (home / "LAMP.toml").read_text(encoding="utf-8")
    for wrong, words in (
        ("0x080f_0800, size = 0x400", "whole erase units"),
        ("0x080f_0000, size = 0x1000", "ends at 0x80f0800, inside flash.keys"),
    ):
        (home / "BAD.toml").write_text(text.replace("0x080f_0800, size = 0x1000", wrong), encoding="utf-8")
        with pytest.raises(BoardError, match=words):
            Board.load("BAD.toml")
    small = (Path(spboot.boards.__file__).parent / "data" / "NUCLEO-L073RZ.toml").read_text(encoding="utf-8")
    area = "keys = { address = 0x0802_a200, size = 0x700 }"
    (home / "SMALL.toml").write_text(small.replace("\n[ram]", f"{area}\n\n[ram]"), encoding="utf-8")
    with pytest.raises(BoardError, match="0x7e0 or more: room for 3 keys"):
        Board.load("SMALL.toml")


@pytest.mark.parametrize(
    "part", ["STM32L476RG", "STM32L073RZ", "STM32F429ZI", "STM32H743ZI", "STM32G071RB", "STM32H563ZI"]
)
def test_a_new_board_with_room_for_keys(
    part: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The loader of board files checks units and overlaps.  Where nothing is left the slots give up one unit."""
    for name, option in (("WITHOUT", ""), ("WITH", "--keys")):
        code, _, wrong = typed(f"board new {name} --mcu {part} {option}", monkeypatch, capsys)
        assert code == 0, wrong
    without, found = Board.load("WITHOUT.toml"), Board.load("WITH.toml")
    assert without.keys is None
    assert found.keys is not None and found.key_records >= 5
    unit = found.chip.memory_at(found.keys.address).erase_unit
    assert found.keys.size < 5 * record("keys").size + unit
    assert without.slot0.size - found.slot0.size <= max(found.page_size, found.keys.size)
    assert found.bootloader == without.bootloader


def test_what_a_device_says_of_it_is_a_verdict() -> None:
    hearing = Hearing()
    hearing.feed(b"[  1.234] key 1 received, verified\r\n")
    assert hearing.verdict is not None and hearing.verdict.accepted
