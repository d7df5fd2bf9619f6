"""What people type wrong, and what they are told: exit code, words, no traceback, nothing left behind.

The rows stand in `mistakes.py`; `folder` says what lies where they are typed."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from spboot import boards, cli, delta, disk, release
from spboot.boards import Board
from spboot.builder import personal
from spboot.formats.spec import record, spec
from spboot.keys import Keys

from . import bootloader, elf, hex_file, release_folder
from .conftest import NEW_APP, OLD_APP, TARGET, made
from .mistakes import RELEASE, TABLE
from .typed import typed

posix = pytest.mark.skipif(os.name != "posix", reason="names and files of POSIX")


def board_files(folder: Path) -> None:
    """OWN.toml, and the same with mistakes."""
    good = (Path(boards.__file__).parent / "data" / f"{TARGET}.toml").read_text(encoding="utf-8")
    body = good[good.index("part =") :]
    changes = {
        "OWN": ("", ""),
        "badkey": ("clock_hz", "clock_mhz"),
        "badbaud": ("baud = 115_200", 'baud = "fast"'),
        "badtable": ("[ram]", "[ran]"),
    }
    for name, (before, after) in changes.items():
        assert before in body
        (folder / f"{name}.toml").write_text(body.replace(before, after, 1))
    (folder / "badtoml.toml").write_text('part = "STM32L476RG"\nclock_hz = 1\nvdd_mv = =\n')
    (folder / "noise.toml").write_bytes(b"\xff\xfe\x00")
    (folder / "empty.toml").write_bytes(b"")


def key_folders(folder: Path, key_folder: Path) -> None:
    """lamp, a stranger's, and some that lost a file."""
    Keys.new(folder / "stranger", "demo")
    lacks: dict[str, tuple[str, ...]] = {
        "lamp": (),
        "noenc": ("encryption.key",),
        "nosig": ("signing.pem",),
        "nopem": ("signing.pem", "verify.pem"),
        "noprod": ("product.toml",),
    }
    for name, missing in lacks.items():
        shutil.copytree(key_folder, folder / name)
        for file in missing:
            (folder / name / file).unlink()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, key_folder: Path, secrets: Keys, image_file: bytes) -> Path:
    """Where the mistakes are made."""
    home = tmp_path_factory.mktemp("mistakes")
    (home / "folder").mkdir()
    board_files(home)
    key_folders(home, key_folder)
    stranger = Keys.load(home / "stranger")
    start, app = Board.load(TARGET).bootloader.address, Board.load(TARGET).image_address
    vectors = struct.pack("<2I", Board.load(TARGET).ram_top, app + 0x200 | 1)
    old, new = (vectors + data[len(vectors) :] for data in (OLD_APP, NEW_APP))
    boot = personal.finish(bootloader.make(TARGET), secrets)
    at = spec()["abi"]["offset"] + record("abi").field("update_format").offset
    contents = {
        "old.bin": old,
        "new.bin": new,
        "app.elf": elf.make([(app, old)]),
        "ram.elf": elf.make([(start, boot), (0x20000000, b"data")]),
        "bad.elf": b"\x7fELF" + bytes(60),
        "damaged.bin": boot[:-1],
        "format2.bin": boot[:at] + bytes([2, 1]) + boot[at + 2 :],
        "bad.hex": b":10000000zz\n",
        "boot.bin": boot,
        "boot.hex": hex_file.make([(start, boot)]),
        "factory.bin": boot.ljust(0x8000, b"\xff") + new,
        "factory.hex": hex_file.make([(start, boot), (app + 0x60000, new)]),
        "other.hex": hex_file.make([(start, personal.finish(bootloader.make("NUCLEO-L452RE"), secrets))]),
        "mine.bin": personal.finish(bootloader.make("MINE"), secrets),
        "stranger.bin": personal.finish(bootloader.make(TARGET), stranger),
        "x.sfb": image_file,
        "short.sfb": image_file[:-5],
        "damaged.sfb": image_file[:-1] + bytes([image_file[-1] ^ 1]),
        "change.delta": delta.encode_file(old, new),
        "change.sfbp": release.patch(made(old, "1.2.2"), made(new, "1.2.3"), keys=secrets),
    }
    for name, data in contents.items():
        (home / name).write_bytes(data)
    release_folder.write(home / "release", "1.2.0", image_file, board=TARGET)
    (home / "badrelease").mkdir()
    facts = json.loads((home / "release" / "release.json").read_text()) | {"items": None}
    (home / "badrelease" / "release.json").write_text(json.dumps(facts))
    return home


def listing(folder: Path) -> dict[str, bytes]:
    """Every file and its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


@pytest.fixture
def unchanged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder, in which nothing may appear, change or vanish."""
    monkeypatch.chdir(folder)
    before = listing(folder)
    yield folder
    after = listing(folder)
    assert after.keys() == before.keys()
    assert [name for name in after if after[name] != before[name]] == []


@posix
@pytest.mark.parametrize(("text", "code", "words"), TABLE, ids=[row[0][:60] for row in TABLE])
def test_mistake(
    text: str,
    code: int,
    words: tuple[str, ...],
    unchanged: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found, out, err = typed(text, monkeypatch, capsys)
    assert (found, out if text != "delta" else "") == (code, ""), err
    for word in words:
        assert word in err
    assert "Traceback" not in err
    if code == 1:
        assert err.startswith("error: ")
        assert err.count("\n") == 1, "one sentence on one line"


def test_the_table_has_every_command() -> None:
    names = cli.root.list_commands(click.Context(cli.root))
    assert {row[0].split()[0] for row in TABLE} >= set(names) - {"patch"}


@posix
def test_a_state_that_another_twin_has(
    unchanged: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with disk.alone(Path("board.state")):
        code, out, err = typed(f"twin {TARGET} --image boot.hex --state board.state", monkeypatch, capsys)
    assert (code, out) == (1, "")
    assert "board.state: another spboot works on it" in err


@posix
def test_a_state_of_other_images(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The image of the command line would be ignored, or is that which the state was made of."""
    for name in ("boot.hex", "boot.bin"):
        shutil.copy(folder / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    script = f"twin {TARGET} --image %s --state board.state"
    done = spboot(script % "boot.hex", tmp_path, stdin=b"\x1d")
    assert done.returncode == 0, done.stderr
    assert "flash saved in board.state" in done.stderr
    code, _, err = typed(script % "boot.bin", monkeypatch, capsys)
    assert code == 1
    for word in ("board.state has the flash of an earlier run", "boot.bin", "omit --image", "remove board.state"):
        assert word in err
    done = spboot(script % "boot.hex", tmp_path, stdin=b"\x1d")
    assert done.returncode == 0, done.stderr
    assert "goes on with board.state" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["board.state", "boot.bin", "boot.hex"]
    assert (tmp_path / "board.state").stat().st_mode & 0o777 == 0o600, "a key is in it"


MAIN = "from spboot.cli import main; main()"


def spboot(text: str, folder: Path, *, stdin: bytes = b"", **options: object) -> subprocess.CompletedProcess[str]:
    """The real entry point in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", MAIN, *text.split()],
        cwd=folder,
        input=stdin,
        timeout=60,
        check=False,
        **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options),  # type: ignore[call-overload]
    )
    out, err = ((data or b"").decode(errors="replace") for data in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("text", [f"map {TARGET}", "chips L476", "--help", "--version", f"boards {TARGET} --json"])
def test_output_on_a_full_disk(text: str, folder: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = spboot(text, folder, stdout=full)
    assert done.returncode == 1
    assert done.stderr == (
        "error: the output cannot be written: No space left on device: free some space, or choose another place\n"
    )


@posix
@pytest.mark.parametrize("text", ["chips L47", f"map {TARGET}", "boards --json"])
def test_output_that_nobody_reads(text: str, folder: Path) -> None:
    """As `spboot chips | head -1`, with a reader that is gone before the first byte."""
    reader, writer = os.pipe()
    os.close(reader)
    done = spboot(text, folder, stdout=writer)
    os.close(writer)
    assert done.returncode == 1
    assert done.stderr == "error: the output was closed before all was said\n"


@posix
def test_errors_that_nobody_can_hear(folder: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        assert spboot("biuld", folder, stderr=full).returncode == 2
        assert spboot("map XYZZY", folder, stderr=full).returncode == 1


def test_letters_that_the_terminal_does_not_have(folder: Path) -> None:
    done = spboot(f"map {TARGET}", folder, env={**os.environ, "PYTHONIOENCODING": "latin-1"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "0x08008000" in done.stdout


REFUSED_BY_THE_DISK = {
    f"image new.bin {RELEASE} -o disk/x.sfb": "disk/x.sfb",
    f"merge boot.bin new.bin {RELEASE} -o disk/x.hex": "disk/x.hex",
    "board new MINE --mcu STM32L476RG -o disk/MINE.toml": "disk/MINE.toml",
    f"map {TARGET} --svg disk/x.svg": "disk/x.svg",
    "delta encode old.bin new.bin -o disk/x": "disk/x",
    "delta apply old.bin change.delta -o disk/x": "disk/x",
    "keys new disk/keys": "disk/keys",
    f"build {TARGET} --keys lamp -o disk": "disk",
    f"build {TARGET} --keys lamp -o disk/boot": "disk/boot",
    f"twin {TARGET} --image boot.hex --state disk/x": "disk/x",
    f"twin {TARGET} --image boot.hex --pty disk/x": "disk/x",
}
IN_A_NAMESPACE = """
    import contextlib, io, json, os, shlex, subprocess, sys
    from pathlib import Path
    options, rows, filled = json.loads(sys.argv[1])
    os.mkdir("disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", "disk"], check=True)
    if filled:
        with contextlib.suppress(OSError), open("disk/filler", "wb", buffering=0) as file:
            while True: file.write(bytes(512))
    from spboot import cli
    answers = {}
    for row in rows:
        sys.argv = ["spboot", *shlex.split(row)]
        err = io.StringIO()
        try:
            with contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()):
                cli.main()
        except SystemExit as stop:
            answers[row] = stop.code, err.getvalue(), sorted(os.listdir("disk"))
        except BaseException as error:
            answers[row] = -1, repr(error), sorted(os.listdir("disk"))
    print(json.dumps(answers))
"""


@posix
@pytest.mark.parametrize(
    ("options", "filled", "words", "left"),
    [("ro,size=64k", False, "Read-only file system", []), ("size=64k", True, "No space left", ["filler"])],
    ids=["read-only", "full"],
)
def test_disks_that_refuse(
    options: str, filled: bool, words: str, left: list[str], folder: Path, tmp_path: Path
) -> None:
    """A real file system, mounted for this process alone.  A full one has no room for the first byte."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("no namespaces here")
    home = tmp_path / "home"
    shutil.copytree(folder, home)
    rows = [row for row in REFUSED_BY_THE_DISK if not (filled and ("--pty" in row or row.startswith("build")))]
    script = textwrap.dedent(IN_A_NAMESPACE)
    done = subprocess.run(
        ["unshare", "-rm", sys.executable, "-c", script, json.dumps([options, rows, filled])],
        cwd=home,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=True,
    )
    answers = json.loads(done.stdout.splitlines()[-1])
    for row in rows:
        code, err, files = answers[row]
        assert code == 1, (row, err)
        assert err.splitlines()[-1].startswith("error: "), (row, err)
        assert REFUSED_BY_THE_DISK[row] in err
        assert words in err
        assert files == left, row
