"""`spboot demo`: what it shows is what the README says, on a pipe and on a terminal, on a board of one's own."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

import spboot
from spboot import boards, trial
from spboot.boards import Board
from spboot.builder import cargo
from spboot.builder.demo import build_demo
from spboot.image import Image
from spboot.keys import Keys
from spboot.version import Version

ROOT = Path(spboot.__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BOARD = "NUCLEO-L476RG"


SPBOOT = (sys.executable, "-c", "from spboot.cli import main; main()")
HANGS_S = 900


def typed(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """*line* as the demo says it, but by this Python; then Ctrl-] is typed."""
    words = line.split()
    assert words[0].endswith("spboot")
    return subprocess.run([*SPBOOT, *words[1:]], cwd=folder, capture_output=True, text=True, check=False, input="\x1d")


def small_board(folder: Path, name: str = "SMALL", baud: int = 57_600) -> Path:
    """A board of one's own with slots of 24 KB, so that the applications are small and compiled in seconds."""
    text = (Path(boards.__file__).parent / "data" / f"{BOARD}.toml").read_text(encoding="utf-8")
    path = folder / f"{name}.toml"
    path.write_text(text.replace("baud = 115_200", f"baud = {baud}").replace("size = 0x7_0000", "size = 0x6000"))
    board = Board.load(str(path))
    assert (board.console.baud, board.slot0.size) == (baud, 0x6000)
    return path


def rows_of(said: str) -> list[tuple[str, ...]]:
    """update, kind, file bytes, seconds on the line, pages, seconds of flash, seconds until it runs."""
    return re.findall(r"^(\S+ -> \S+), ([a-z ]+?) +([\d,]+) +([\d.]+) s +(\d+) +([\d.]+) s +([\d.]+) s", said, re.M)


def walk_through_the_readme(folder: Path) -> None:
    """Every step that needs no port, in its order, with the files that the demo left in out/demo."""
    section = README.split("## Step by step")[1].split("\n## ")[0].replace("\\\n", " ")
    lines = re.findall(r"^ {4}(spboot .+|cp .+)$", section, re.MULTILINE)
    assert lines[1].startswith("cp out/demo/demo-*.elf ")
    (folder / "old.bin").write_bytes(b"old" * 999)
    (folder / "new.bin").write_bytes(b"new" * 999)
    done = 0
    for line in lines:
        if line.startswith("cp"):
            for elf in (folder / "out" / "demo").glob("demo-*.elf"):
                shutil.copy(elf, folder)
        elif line.split()[1] != "send":
            ended = typed(line, folder)
            assert ended.returncode == 0, (line, ended.stderr)
            done += 1
    assert done >= 11


def test_the_demo_and_what_the_readme_says_of_it(tmp_path: Path) -> None:
    """The whole of it, as `make demo` runs it."""
    command = [*SPBOOT, "demo", BOARD, "--output", "out/demo"]
    assert "\n\t.venv/bin/spboot demo $(BOARD) --output out/demo\n" in (ROOT / "Makefile").read_text()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    said = done.stdout
    assert "\x1b" not in said, "colours are for terminals"
    rows = rows_of(said)
    assert [row[1] for row in rows] == ["full image", "patch"]
    sizes = [int(row[2].replace(",", "")) for row in rows]
    made = tmp_path / "out" / "demo"
    assert sizes == [(made / name).stat().st_size for name in ("demo-1.1.0.sfb", "demo-1.2.0.sfbp")]
    assert sizes[1] * 50 < sizes[0], "a patch is small"
    firmware = Image.load(made / "demo-1.2.0.elf", Board.load(BOARD), "1.0.0").data
    assert 90_000 < len(firmware) < 110_000
    for _, kind, size, line, pages, flash, until in rows:
        assert f"| demo, {kind} | {size} bytes for {len(firmware) // 1000} KB, {pages} pages |" in README
        assert float(line) < float(until) and float(flash) < float(until), "parts of the whole"
        drawn = said.split(f", {kind}\n")[1].split("\n\n")[0].count("#")
        assert int(pages) == drawn + trial.batches(Board.load(BOARD))[0] + 1, "those that are kept, and the journal"
    first = f"on this board {sizes[0]:,} bytes and {sizes[1]}, as half of the {len(firmware) // 1000} KB changed"
    assert first in " ".join((ROOT / "docs/quick-start.md").read_text().split())
    check_picture(made / "demo.svg", rows)
    steps = [line.strip() for line in said.split("What next:\n")[1].splitlines()]
    assert len(steps) == 3
    inspected = typed(steps[0], tmp_path)
    assert "signature and chunks good" in inspected.stdout, inspected.stderr
    assert typed(steps[2], tmp_path).returncode == 0
    assert (tmp_path / "LAMP.toml").exists()
    twin = typed(steps[1], tmp_path)
    assert twin.returncode == 0, twin.stderr
    assert "flash saved in out/demo/board.state" in twin.stderr
    walk_through_the_readme(tmp_path)


def check_picture(path: Path, rows: list[tuple[str, ...]]) -> None:
    """It says what the table says, and has a green square for each page that was written, once or for a trial twice."""
    picture = ElementTree.parse(path).getroot()
    name = "{http://www.w3.org/2000/svg}"
    words = "\n".join(text.text or "" for text in picture.iter(f"{name}text"))
    squares = [rect.get("fill") for rect in picture.iter(f"{name}rect") if rect.get("width") == rect.get("height")]
    assert {child.tag for child in picture.iter()} == {name + kind for kind in ("svg", "text", "rect")}
    for update, kind, size, line, pages, flash, until in rows:
        assert f"{update}, {kind}: {pages} pages erased" in words
        assert f"{size} bytes" in words and all(f"\n{seconds} s" in words for seconds in (line, flash, until))
    written = sum(int(row[4]) - 1 for row in rows)
    assert written * 2 // 3 <= squares.count("#2a9d8f") <= written
    assert all(float(rect.get("x")) + float(rect.get("width")) <= float(picture.get("width"))  # type: ignore[arg-type]
               for rect in picture.iter(f"{name}rect") if rect.get("x"))  # fmt: skip


@pytest.mark.soak
@pytest.mark.parametrize("baud", [57_600, 921_600])
def test_a_board_of_ones_own_at_another_rate(baud: int, tmp_path: Path) -> None:
    small_board(tmp_path, baud=baud)
    done = subprocess.run([*SPBOOT, "demo", "SMALL.toml"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert "demo 1.2.0 on SMALL, installed as 1.2.0" in done.stdout
    rows = rows_of(done.stdout)
    assert [row[1] for row in rows] == ["full image", "patch"]
    for row in rows:
        file_bytes, moved = int(row[2].replace(",", "")), float(row[3]) * baud / 10
        # a file that ends with 305 bytes has a block of 1024, and two of 133 around it
        assert file_bytes * 0.99 < moved < file_bytes * 2 + 1400
    check_picture(tmp_path / "out" / "demo" / "demo.svg", rows)


def test_the_demo_of_an_installed_package(tmp_path: Path) -> None:
    """The files of the wheel, without a source tree around them, are enough."""
    target = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    site, home = tmp_path / "site", tmp_path / "home"
    home.mkdir()
    for package in target["packages"]:
        shutil.copytree(ROOT / package, site / Path(package).name, ignore=shutil.ignore_patterns("__pycache__"))
    for source, place in target["force-include"].items():
        shutil.copytree(ROOT / source, site / place)
    small_board(home)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    where = [sys.executable, "-c", "import spboot; print(spboot.__file__)"]
    found = subprocess.run(where, cwd=home, env=environment, capture_output=True, text=True, check=True).stdout
    assert found.startswith(str(site))
    command = [*SPBOOT, "demo", "SMALL.toml", "-o", "here"]
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert "The application announced 1.2.0" in done.stdout


@pytest.mark.parametrize(
    "words", [b"keys for product", b"loader: send", pytest.param(b"installing, pages", marks=pytest.mark.soak)]
)
def test_ctrl_c_ends_it(words: bytes, tmp_path: Path) -> None:
    small_board(tmp_path)
    pipe = subprocess.PIPE
    with subprocess.Popen([*SPBOOT, "demo", "SMALL.toml"], cwd=tmp_path, stdout=pipe, stderr=pipe) as process:
        assert process.stdout and process.stderr
        said = b""
        while words not in said:
            said += process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(HANGS_S) == 130
        assert process.stderr.read() == b"\ninterrupted\n"
    assert b"1.2.0 on SMALL" not in rest and b"Traceback" not in rest


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_on_a_terminal_the_pages_light_up(tmp_path: Path) -> None:
    small_board(tmp_path)
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 50, 120, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    command = [*SPBOOT, "demo", "SMALL.toml"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=slave, stderr=slave, env=environment) as process:
        os.close(slave)
        seen = b""
        with contextlib.suppress(OSError):  # the end of the process
            while data := os.read(master, 4096):
                seen += data
        assert process.wait(HANGS_S) == 0, seen[-2000:]
    os.close(master)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())
    maps = re.findall(r"SLOT0 ([.#-]+)", text)
    lit = [letters.count("#") for letters in maps]
    assert len(maps) > 10 and lit[0] == 0, "it begins with pages that are as they were"
    assert set(lit) >= {1, 2, 3}, "one after the other"
    assert any("-" in letters for letters in maps), "erased, and not yet written"
    assert re.search(r"sending, [\d,]+ of [\d,]+ bytes", text)
    assert "demo 1.2.0 on SMALL, installed as 1.2.0" in text


def test_cargo_is_the_same_each_time_and_changes_little() -> None:
    first, again, second = cargo.source(20_000, 1), cargo.source(20_000, 1), cargo.source(20_000, 2)
    assert first == again
    lines, others = set(first.splitlines()), set(second.splitlines())
    assert 0 < len(lines ^ others) < len(lines) // 10
    assert "_new_2" in second and "_new_2" not in first


@pytest.mark.parametrize("compiler", ["clang", "gcc"])
@pytest.mark.parametrize("name", ["NUCLEO-L073RZ", "NUCLEO-L476RG"])
def test_cargo_is_kept_by_the_linker(name: str, compiler: str, tmp_path: Path) -> None:
    board = Board.load(name)
    sizes = [
        len(Image.load(elf, board, "1.0.0").data)
        for elf in (
            build_demo(board, Version(1, 0, 0), tmp_path, compiler=compiler, cargo_size=size) for size in (0, 12_000)
        )
    ]
    assert 8_000 < sizes[1] - sizes[0] < 18_000


@pytest.mark.soak
def test_the_demo_removes_nothing_but_an_older_demo(tmp_path: Path) -> None:
    """Not even a folder with keys in it, which are somebody's."""
    small_board(tmp_path)
    Keys.new(tmp_path / "mine" / "keys", "demo")
    before = sorted(tmp_path.rglob("*"))
    ended = typed("spboot demo SMALL.toml -o mine", tmp_path)
    assert ended.returncode == 1
    assert ended.stderr == "error: mine is not empty and not of an earlier demo: choose another --output\n"
    assert sorted(tmp_path.rglob("*")) == before
    for _ in range(2):
        ended = typed("spboot demo SMALL.toml -o new", tmp_path)
        assert ended.returncode == 0, ended.stderr
        assert not (tmp_path / "new" / "left").exists()
        (tmp_path / "new" / "left").touch()


def test_help_has_an_example() -> None:
    done = subprocess.run([*SPBOOT, "demo", "--help"], capture_output=True, text=True, check=True)
    assert "  spboot demo LAMP.toml --output lamp-demo" in done.stdout
    assert "out/demo" in done.stdout
