"""spboot.startable, and what image, patch, merge and verify say about files that hold no application that can start."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spboot import boards, cli, release, startable
from spboot.boards import Board
from spboot.builder import merge
from spboot.errors import FormatError
from spboot.image import Image
from spboot.keys import Keys
from spboot.version import Version
from tests import apps, cannot_start
from tests.delta.code import noise

from .conftest import BOARD, NEW_APP, OLD_APP, TARGET, made

BYTES = cannot_start.images(BOARD)
ONE_PER_CORE = ("NUCLEO-L073RZ", "NUCLEO-L476RG", "DISCO-F769I", "DISCO-H745I", "DISCO-L562E")

WORDS = {
    "random bytes": "stack pointer (word 0) is",
    "all 0xff": "erased flash",
    "all zero": "nothing but zeros",
    "an HTML page": "it is an HTML page",
    "a Git LFS pointer": "run `git lfs pull`",
    "Intel HEX as text": "it is an Intel HEX file",
    "S-records as text": "it is Motorola S-records",
    "an ELF file": "it is an ELF file",
    "an update file": "it is an update file of spboot",
    "a bootloader": "it is a bootloader of spboot, or a factory file",
    "a ZIP archive": "it is a ZIP archive",
    "a gzip file": "it is a gzip file",
    "some text": "it is text, which begins with 'The application",
    "a PEM key": "it is a PEM file",
    "vectors swapped": "it is in flash; the vector table has to be first",
    "vectors big-endian": "stack pointer (word 0) is 0x00800120",
    "the first word is lost": "it is in flash; the vector table has to be first",
    "cut behind the vectors": "is the file whole?",
    "cut within the first instruction": "is the file whole?",
    "stack pointer odd": "expected a multiple of 4 in 0x10000004 .. 0x10008000 or 0x20001504 .. 0x20018000",
    "stack pointer one above the reserved RAM's start": "it is in the bootloader's RAM",
    "stack pointer in the middle of the reserved RAM": "0x20000000+0x1500: include spboot's linker file",
    "stack pointer at the end of the reserved RAM": "it is in the bootloader's RAM",
    "stack pointer in flash": "it is in flash; the vector table has to be first",
    "reset vector even": "it is even, which is ARM state",
    "reset vector even, of the first instruction": "it is even, which is ARM state",
    "reset vector at word 0": "expected an odd address in 0x08008208 .. 0x080086af",
    "reset vector behind the last byte": "is the file whole?",
    "reset vector far behind the end, as of a cut file": "it is behind the end of the image, which has 1200 bytes",
    "reset vector linked at the start of flash": "linked at 0x08000000, not at 0x08008200: include spboot's",
    "reset vector linked at 0": "linked at 0x00000000, not at 0x08008200: include spboot's linker file",
}
"""What has to be said, beside "cannot start", about bytes of cannot_start; of the others the word that is wrong."""


def test_there_are_many_kinds() -> None:
    assert len(BYTES) >= 40
    assert WORDS.keys() <= BYTES.keys()


@pytest.mark.parametrize("name", BYTES)
def test_bytes_are_refused_with_the_reason(name: str, tmp_path: Path) -> None:
    words = WORDS.get(name, "the reset vector (word 1)" if name.startswith("reset") else "the initial stack pointer")
    (tmp_path / "app.bin").write_bytes(BYTES[name])
    with pytest.raises(FormatError) as refused:
        Image.load(tmp_path / "app.bin", BOARD, "1.0.0")
    assert str(refused.value).startswith(f"{tmp_path / 'app.bin'} cannot start: ")
    assert words in str(refused.value)


@pytest.mark.parametrize("board_name", ONE_PER_CORE)
def test_the_library_signs_none_of_them(board_name: str, secrets: Keys) -> None:
    """full_image, patch on both sides, verify of what was signed by force, merge: on every core."""
    board = Board.load(board_name)
    good = apps.startable(board, noise(300, "good"))
    first, second = made(good, "1.0.0", board), made(good, "1.1.0", board)
    for name, bad in cannot_start.images(board).items():
        old, new = made(bad, "1.0.0", board), made(bad, "1.1.0", board)
        tries: list[tuple[str, Callable[[], object]]] = [
            ("the image", lambda new=new: release.full_image(new, keys=secrets)),
            ("the new image", lambda new=new: release.patch(first, new, keys=secrets)),
            ("the old image", lambda old=old: release.patch(old, second, keys=secrets)),
        ]
        for which, attempt in tries:
            with pytest.raises(FormatError, match=f"^{which} cannot start: "):
                attempt()
                pytest.fail(f"{board_name}: {name} was signed")


def test_verify_decodes_and_looks(secrets: Keys) -> None:
    bad = BYTES["reset vector even"]
    update = apps.forced_image(bad, target=TARGET, keys=secrets, version=Version(1, 0, 0))
    assert release.verify(update, secrets).image == bad
    with pytest.raises(FormatError, match="the image cannot start: the reset vector"):
        release.verify(update, secrets, board=BOARD)


@pytest.mark.parametrize("board_name", boards.names())
def test_the_edges_of_what_can_start(board_name: str) -> None:
    """S1, S2: the first and last stack pointer of every RAM, the first and last reset vector of an image."""
    board = Board.load(board_name)
    good = apps.startable(board, noise(300, "edge"))
    last = board.image_address + len(good) - 2
    for area in board.stacks:
        for stack, fine in (
            (area.address, any(other.end == area.address for other in board.stacks)),
            (area.address + 4, True),
            (area.end, True),
            (area.end + 4, False),
            (area.end - 1, False),
            (area.end - 2, False),
        ):
            assert _starts(struct.pack("<I", stack) + good[4:], board) == fine, hex(stack)
    assert not _starts(struct.pack("<I", board.ram.end) + good[4:], board)
    for reset, fine in ((last | 1, True), (last + 3, False), (board.image_address + 9, True)):
        assert _starts(good[:4] + struct.pack("<I", reset) + good[8:], board) == fine, hex(reset)


def _starts(app: bytes, board: Board) -> bool:
    try:
        startable.check(app, board)
    except FormatError:
        return False
    return True


@pytest.fixture
def run(  # type: ignore[type-arg]
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, secrets: Keys
) -> Iterator[Callable]:
    """Runs `spboot ARGS` beside good.bin, old.bin, bad.bin and boot.bin; gives exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    Path("boot.bin").write_bytes(_bootloader(secrets))
    Path("good.bin").write_bytes(NEW_APP)
    Path("old.bin").write_bytes(OLD_APP)
    Path("bad.bin").write_bytes(BYTES["reset vector linked at the start of flash"])

    def call(*args: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["spboot", *map(str, args)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            cli.main()
        out = capsys.readouterr()
        return int(stop.value.code or 0), out.out, out.err

    yield call
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.bin", "boot.bin", "good.bin", "old.bin"]


@pytest.mark.parametrize(
    "command",
    [
        "image bad.bin --version 1.0 -o x.sfb",
        "patch --from old.bin --from-version 1.0 --to bad.bin --version 1.1 -o x.sfbp",
        "patch --from bad.bin --from-version 1.0 --to good.bin --version 1.1 -o x.sfbp",
        "merge boot.bin bad.bin --version 1.0 -o x.hex",
    ],
)
def test_commands_refuse_and_leave_nothing(run: Callable, command: str, key_folder: Path) -> None:  # type: ignore[type-arg]
    code, out, err = run(*command.split(), "--board", TARGET, "--keys", key_folder)
    assert (code, out) == (1, "")
    assert err.startswith("error: bad.bin cannot start: the reset vector (word 1) is 0x08000101")
    assert "include spboot's linker file" in err


def test_verify_says_whether_it_can_start(
    run: Callable,  # type: ignore[type-arg]
    key_folder: Path,
    secrets: Keys,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("updates")
    bad = apps.forced_image(BYTES["stack pointer odd"], target=TARGET, keys=secrets, version=Version(1, 0, 0))
    own = apps.forced_image(BYTES["stack pointer odd"], target="LAMP", keys=secrets, version=Version(1, 0, 0))
    good = release.full_image(made(NEW_APP, "1.0.0"), keys=secrets)
    for name, data in (("bad", bad), ("own", own), ("good", good)):
        (folder / f"{name}.sfb").write_bytes(data)
    (folder / "LAMP.toml").write_text((Path(boards.__file__).parent / "data" / f"{TARGET}.toml").read_text())
    code, out, err = run("verify", folder / "bad.sfb", "--keys", key_folder)
    assert (code, out) == (1, "")
    assert "bad.sfb: the image cannot start: the initial stack pointer" in err
    assert f"can start on {TARGET}" in run("verify", folder / "good.sfb", "--keys", key_folder)[1]
    code, out, _ = run("verify", folder / "own.sfb", "--keys", key_folder)
    assert code == 0
    assert "not checked: whether it can start" in out
    assert run("verify", folder / "own.sfb", "--keys", key_folder, "--board", folder / "LAMP.toml")[0] == 1


def test_a_factory_file_starts(secrets: Keys) -> None:
    with pytest.raises(FormatError, match="the image cannot start"):
        merge.factory(_bootloader(secrets), made(BYTES["all 0xff"], "1.0.0"), secrets)
    program = merge.factory(_bootloader(secrets), made(NEW_APP, "1.0.0"), secrets)
    assert program.run_at(BOARD.image_address) == NEW_APP


def _bootloader(secrets: Keys) -> bytes:
    return apps.bootloader(BOARD, secrets)
