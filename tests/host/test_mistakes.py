"""What people type wrong, and what they are told: exit code, words, no traceback, nothing left behind.

A row is what is typed after `spboot`, the exit code, words that must be said.  FILES says what lies in the folder."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import struct
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from spboot import boards, cli, delta, disk, keys
from spboot.build import personal
from spboot.build.elf import intel_hex
from spboot.keys import Keys

from . import bootloader, elf
from .conftest import NEW_APP, OLD_APP, TARGET

posix = pytest.mark.skipif(os.name != "posix", reason="names and files of POSIX")

RELEASE = f"--board {TARGET} --keys lamp --version 1.2.3"
FAMILIES = "STM32F4, STM32F7, STM32G0, STM32G4, STM32H7, STM32L0, STM32L4, STM32L4+, STM32L5, STM32WL"

Row = tuple[str, int, tuple[str, ...]]

COMMANDS: list[Row] = [
    ("biuld", 2, ("no such command 'biuld'", "did you mean build?")),
    ("frobnicate", 2, ("no such command", "there are: keys, build, image")),
    ("keys nwe lamp", 2, ("'nwe'", "did you mean new?")),
    ("delta", 2, ("encode", "apply")),
    ("build --kyes lamp", 2, ("No such option '--kyes'", "--keys")),
    ("image new.bin", 2, ("Missing option '--board'",)),
    ("delta encode old.bin", 2, ("Missing argument 'NEW'",)),
    ("delta encode old.bin new.bin -o x --base here", 2, ("'here' is not an address, as 0x8008200",)),
    ("delta encode old.bin new.bin -o x --base 0x8008201", 1, ("0x8008201", "multiple of 256")),
]

BOARDS: list[Row] = [
    ("boards nucleo-l476rg", 1, ("unknown board", "did you mean NUCLEO-L476RG?")),
    ("map NUKLEO-L476RG", 1, ("did you mean NUCLEO-L476RG",)),
    ("map L476", 1, ("DISCO-L476G", "NUCLEO-L476RG")),
    ("map STM32L475VG", 1, ("STM32L475VG is a part", "spboot board new NAME --mcu STM32L475VG")),
    ("map stm32l475vgt6", 1, ("STM32L475VG is a part",)),
    ("map XYZZY", 1, ("unknown board 'XYZZY'", "known: B-L072Z-LRWAN1", ".toml")),
    ("map OWN", 1, ("OWN.toml is here: type OWN.toml",)),
    ("map lamp", 1, ("file or a folder", "spboot boards")),
    ("map nowhere/x.toml", 1, ("nowhere", "No such file", "spboot board new")),
    ("map badtoml.toml", 1, ("badtoml.toml", "not a TOML file", "line 3")),
    ("map badkey.toml", 1, ("badkey.toml", "unknown key clock_mhz", "did you mean clock_hz?")),
    ("map badbaud.toml", 1, ("console.baud is 'fast'", "whole number above 0")),
    ("map badtable.toml", 1, ("unknown key ran", "did you mean ram?")),
    ("map empty.toml", 1, ("part is missing", "spboot board new")),
    ("map noise.toml", 1, ("noise.toml", "not a TOML file")),
    ("build lamp --keys NUCLEO-L476RG -o x", 1, ("'lamp'", "expected the name of a board")),
    ("twin new.bin --image NUCLEO-L476RG", 1, ("'new.bin'", "expected the name of a board")),
    ("chip STM32F103C8", 1, ("a family that we do not have", FAMILIES)),
    ("chip STM32L475VX", 1, ("did you mean STM32L475V",)),
    ("chip L475VG", 1, ("did you mean STM32L475VG?",)),
    ("chip ESP32", 1, ("unknown part 'ESP32'", "spboot chips")),
    ("chips F103", 1, ("no part fits", FAMILIES)),
    ("board new STM32L475VG --mcu MINE", 1, ("swap the two", "spboot board new MINE --mcu STM32L475VG")),
    ("board new MINE --mcu STM32F103C8", 1, ("a family that we do not have",)),
    ("board new NUCLEO-L476RG --mcu STM32L476RG", 1, ("comes with spboot", "choose another name")),
    ("board new MINE --mcu STM32L476RG --console USART2", 2, ("PORT:TX:RX", "USART2:PA2:PA3")),
    ("board new MINE --mcu STM32L476RG --console USART9:PA2:PA3", 1, ("USART9", "USART1, USART2")),
    ("board new MINE --mcu STM32L476RG --button PC13", 2, ("PIN:LEVEL", "PC13:low")),
    ("board new MINE --mcu STM32L476RG --keep-free 9X", 2, ("4K, 4096 or 0x1000",)),
    ("board new MINE --mcu STM32L476RG --clock 500", 1, ("500000000", "at most 80000000")),
    ("board new OWN --mcu STM32L476RG", 1, ("OWN.toml exists", "-o")),
    ("board new MINE --mcu STM32L476RG -o folder", 1, ("folder is a folder", "folder/MINE.toml")),
    ("board new MINE --mcu STM32L476RG -o nowhere/MINE.toml", 1, ("there is no folder", "make it first")),
    ("board new MINE --mcu STM32L476RG -o OTHER.toml", 1, ("called MINE.toml",)),
]

KEYS: list[Row] = [
    (f"build {TARGET} --keys nowhere -o x", 1, ("nowhere", "no such folder", "spboot keys new nowhere")),
    (f"build {TARGET} --keys new.bin -o x", 1, ("new.bin", "not a folder but a file", "signing.pem")),
    (f"build {TARGET} --keys lamp/signing.pem -o x", 1, ("not a folder but a file", "/lamp")),
    (f"build {TARGET} --keys folder -o x", 1, ("folder is no key folder", "encryption.key")),
    (f"build {TARGET} --keys noenc -o x", 1, ("noenc/encryption.key is missing", "restore it from your copy")),
    (f"image new.bin --board {TARGET} --keys nosig --version 1 -o x", 1, ("signing.pem is missing", "restore it")),
    (f"build {TARGET} --keys nopem -o x", 1, ("verify.pem is missing", "restore it")),
    (f"build {TARGET} --keys noprod -o x", 1, ("product.toml is missing", 'product = "NAME"')),
    ("keys new lamp", 1, ("lamp/signing.pem exists already", "never overwritten")),
    ("keys new new.bin", 1, ("new.bin is a file", "choose another name")),
    ("keys new new.bin/keys", 1, ("new.bin", "Not a directory", "no key was made")),
    ("keys new 'two words'", 1, ("'two words'", "--product")),
]

VERSIONS: list[Row] = [
    ("image new.bin {release} --version 1.2.3-rc1 -o x", 1, ("'1.2.3-rc1'", "no pre-releases", "use 1.2.3")),
    ("image new.bin {release} --version 1.2.3+7 -o x", 1, ("'1.2.3+7'", "use 1.2.3")),
    ("image new.bin {release} --version 1.2.3.4 -o x", 1, ("at most three numbers, as 1.2.3",)),
    ("image new.bin {release} --version one -o x", 1, ("version is 'one'", "three numbers as 1.2.3")),
    ("image new.bin {release} --version 1.2.256 -o x", 1, ("patch is 256, expected 0 .. 255", "raise minor")),
    ("image new.bin {release} --version 1.65536 -o x", 1, ("minor is 65536", "raise major")),
    ("image new.bin {release} --version 256 -o x", 1, ("major is 256, expected 0 .. 255",)),
]

OUTPUTS: list[Row] = [
    (f"image new.bin {RELEASE} -o folder", 1, ("folder exists and is not a file but a folder", "add a file name")),
    (f"image new.bin {RELEASE} -o nowhere/x.sfb", 1, ("there is no folder", "make it first")),
    (f"image new.bin {RELEASE} -o old.bin/x.sfb", 1, ("is a file, expected a folder",)),
    (f"image new.bin {RELEASE} -o new.bin", 1, ("new.bin is an input", "choose another output")),
    (f"image none.bin {RELEASE} -o x", 1, ("none.bin", "cannot be read", "No such file")),
    (f"image folder {RELEASE} -o x", 1, ("folder", "cannot be read", "Is a directory")),
    (f"map {TARGET} --svg folder", 1, ("folder exists and is not a file",)),
    (f"map {TARGET} --svg nowhere/x.svg", 1, ("there is no folder",)),
    (f"build {TARGET} --keys lamp -o new.bin", 1, ("new.bin is a file, expected a folder",)),
    (f"build {TARGET} --keys lamp -o new.bin/x", 1, ("new.bin/x: cannot be written: Not a directory",)),
    (f"merge boot.bin new.bin {RELEASE} -o x.elf", 1, ("x.elf", ".hex or .bin")),
    ("delta encode old.bin new.bin -o nowhere/x", 1, ("there is no folder",)),
    (f"image new.bin {RELEASE} -o {'n' * 300}", 1, ("nnn", "File name too long")),
]

FILES_IN_THE_WRONG_PLACE: list[Row] = [
    (f"merge new.bin boot.bin {RELEASE} -o x.hex", 1, ("boot.bin is the bootloader", "swap the two")),
    (f"merge new.bin boot.hex {RELEASE} -o x.hex", 1, ("boot.hex is the bootloader", "swap the two")),
    (f"merge new.bin old.bin {RELEASE} -o x.hex", 1, ("new.bin: this is no spboot bootloader",)),
    (f"merge app.elf new.bin {RELEASE} -o x.hex", 1, ("app.elf: this is no spboot bootloader",)),
    (f"merge other.hex new.bin {RELEASE} -o x.hex", 1, ("other.hex", "NUCLEO-L452RE", "choose another --board")),
    (f"merge stranger.bin new.bin {RELEASE} -o x.hex", 1, ("stranger.bin", "other keys", "build it again")),
    (f"merge bad.hex new.bin {RELEASE} -o x.hex", 1, ("bad.hex", "not an Intel HEX file")),
    (f"merge bad.elf new.bin {RELEASE} -o x.hex", 1, ("bad.elf", "not a usable ELF file")),
    (f"merge ram.elf new.bin {RELEASE} -o x.hex", 1, ("ram.elf", "far behind flash")),
    ("inspect app.elf", 1, ("app.elf is an ELF file", "expected an update file", "spboot image")),
    ("inspect boot.hex", 1, ("boot.hex is an Intel HEX file",)),
    ("inspect boot.bin", 1, ("boot.bin is a bootloader",)),
    ("inspect lamp/verify.pem", 1, ("verify.pem is a key",)),
    ("inspect empty.toml", 1, ("empty.toml is an empty file",)),
    ("inspect new.bin", 1, ("new.bin: manifest", "not an update file")),
    ("inspect short.sfb", 1, ("short.sfb", "get the whole file again")),
    ("verify app.elf --keys lamp", 1, ("app.elf is an ELF file", "expected an update file")),
    ("verify change.delta --keys lamp", 1, ("change.delta is a delta file", "expected an update file")),
    ("verify lamp --keys x.sfb", 1, ("lamp", "Is a directory")),
    ("verify damaged.sfb --keys lamp", 1, ("damaged.sfb: payload: chunk",)),
    ("verify x.sfb --keys stranger", 1, ("x.sfb", "the signature is wrong")),
    ("delta apply change.delta old.bin -o x", 1, ("change.delta is the delta file", "swap the two")),
    ("delta apply old.bin x.sfb -o x", 1, ("x.sfb is an update file", "expected a delta file")),
    ("delta apply old.bin new.bin -o x", 1, ("new.bin: delta file: magic",)),
    ("delta apply new.bin change.delta -o x", 1, ("change.delta: ", "for another OLD")),
]

TWIN: list[Row] = [
    ("twin", 2, ("Missing argument 'BOARD'",)),
    (f"twin {TARGET}", 2, ("nothing to run", "--image")),
    (f"twin {TARGET} --image boot.hex --torn", 2, ("--torn", "--cut N", "give both")),
    (f"twin {TARGET} --image boot.hex --cut x", 2, ("'x'", "40:torn:random=7")),
    (f"twin {TARGET} --image boot.hex --cut -1", 2, ("'-1'", "number of a flash operation")),
    (f"twin {TARGET} --image boot.hex --cut 3:torn:rain=1", 2, ("random, prefix, suffix or miss",)),
    (f"twin {TARGET} --image boot.hex --cut 3:after --torn", 2, ("give one of them",)),
    *(
        (f"twin {TARGET} --image boot.hex --speed {speed}", 2, (f"'{speed}' is not a number above 0",))
        for speed in ("0", "-1", "nan", "fast", "-inf")
    ),
    ("twin LORA-E5-DEV --image boot.hex", 1, ("boot.hex", f"built for {TARGET}", f"spboot twin {TARGET}")),
    ("twin NUCLEO-L452RE --image boot.hex", 1, ("boot.hex", f"built for {TARGET}")),
    ("twin NUCLEO-L412KB --image factory.hex", 1, ("factory.hex", f"built for {TARGET}")),
    (f"twin {TARGET} --image mine.bin", 1, ("mine.bin", "a board that is not ours")),
    ("twin NUCLEO-L412KB --image boot.hex --button", 1, ("no button", "`load`")),
    (f"twin {TARGET} --image none.hex", 1, ("none.hex", "cannot be read")),
    (f"twin {TARGET} --image x.sfb", 1, ("x.sfb", ".hex, .bin or .elf")),
    (f"twin {TARGET} --image ram.elf", 1, ("ram.elf", "outside of flash")),
    (f"twin {TARGET} --state folder", 1, ("folder exists and is not a file",)),
    (f"twin {TARGET} --state nowhere/x --image boot.hex", 1, ("there is no folder",)),
    (f"twin {TARGET} --state new.bin", 1, ("new.bin", "not a state file")),
    (f"twin {TARGET} --state boot.hex --image boot.hex", 1, ("boot.hex is an input",)),
    (f"twin {TARGET} --image boot.hex --pty new.bin", 1, ("new.bin exists already", "give a name that is free")),
]

TABLE = [
    *(COMMANDS + BOARDS + KEYS + OUTPUTS + FILES_IN_THE_WRONG_PLACE + TWIN),
    *((text.format(release=f"--board {TARGET} --keys lamp"), code, words) for text, code, words in VERSIONS),
]


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
    keys.new(folder / "stranger", "demo")
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
    stranger = keys.load(home / "stranger")
    start, app = boards.load(TARGET).bootloader.address, boards.load(TARGET).image_address
    vectors = struct.pack("<2I", boards.load(TARGET).ram_top, app + 0x200 | 1)
    old, new = (vectors + data[len(vectors) :] for data in (OLD_APP, NEW_APP))
    boot = personal.finish(bootloader.make(TARGET), secrets)
    contents = {
        "old.bin": old,
        "new.bin": new,
        "app.elf": elf.make([(app, old)]),
        "ram.elf": elf.make([(start, boot), (0x20000000, b"data")]),
        "bad.elf": b"\x7fELF" + bytes(60),
        "bad.hex": b":10000000zz\n",
        "boot.bin": boot,
        "boot.hex": intel_hex({start: boot}).encode(),
        "factory.hex": intel_hex({start: boot, app + 0x60000: new}).encode(),
        "other.hex": intel_hex({start: personal.finish(bootloader.make("NUCLEO-L452RE"), secrets)}).encode(),
        "mine.bin": personal.finish(bootloader.make("MINE"), secrets),
        "stranger.bin": personal.finish(bootloader.make(TARGET), stranger),
        "x.sfb": image_file,
        "short.sfb": image_file[:-5],
        "damaged.sfb": image_file[:-1] + bytes([image_file[-1] ^ 1]),
        "change.delta": delta.encode_file(old, new),
    }
    for name, data in contents.items():
        (home / name).write_bytes(data)
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


def run(text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """`spboot TEXT` in this process: exit code, stdout, stderr."""
    monkeypatch.setattr(sys, "argv", ["spboot", *shlex.split(text)])
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        cli.main()
    said = capsys.readouterr()
    return int(stop.value.code or 0), said.out, said.err


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
    found, out, err = run(text, monkeypatch, capsys)
    assert (found, out if text != "delta" else "") == (code, ""), err
    for word in words:
        assert word in err
    assert "Traceback" not in err
    if code == 1:
        assert err.startswith("error: ")
        assert err.count("\n") == 1, "one sentence on one line"


def test_the_table_has_every_command() -> None:
    """`send` has its own tests."""
    assert {row[0].split()[0] for row in TABLE} >= set(cli._NAMES) - {"send", "patch"}


@posix
def test_a_state_that_another_twin_has(
    unchanged: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with disk.alone(Path("board.state")):
        code, out, err = run(f"twin {TARGET} --image boot.hex --state board.state", monkeypatch, capsys)
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
    code, _, err = run(script % "boot.bin", monkeypatch, capsys)
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
