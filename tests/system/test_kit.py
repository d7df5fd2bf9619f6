"""The folder that `spboot demo BOARD --files` writes: the twin takes its files, and its page is true of that board.

Every board in `make soak`, one with two slots and one with a single slot in `make test`.  tests/host/test_kit_page.py
has what pages say of their boards."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from spboot import boards, kit
from spboot.boards import Board
from spboot.device import Device
from spboot.errors import SpbootError
from spboot.formats import program
from spboot.keys import Keys
from spboot.kit import Kit
from spboot.programmer.search import locate
from spboot.programmer.table import table
from tests.system.page import Command, Page, Shell, shell
from tests.system.test_demo import SPBOOT, small_board

SAMPLE = ("NUCLEO-L476RG", "NUCLEO-L412KB")
CARGO = 3000
"""Bytes beside the demo's own: enough for a patch that is smaller than its image."""
BOARDS = [name if name in SAMPLE else pytest.param(name, marks=pytest.mark.soak) for name in boards.names()]
TYPED = [name if name == SAMPLE[0] else pytest.param(name, marks=pytest.mark.soak) for name in boards.names()]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """By board: its kit, made once."""
    home = tmp_path_factory.mktemp("kits")
    return cache(lambda name: kit.write(Board.load(name), home / name, cargo=CARGO))


def page(folder: Path) -> str:
    return (folder / kit.README).read_text(encoding="utf-8")


def blocks(text: str) -> list[list[str]]:
    """The indented blocks of a page, in their order."""
    found: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.startswith("    "):
            found[-1].append(line.strip())
        elif found[-1]:
            found.append([])
    return [block for block in found if block]


def section(text: str, words: str) -> str:
    return next(part for part in text.split("\n## ") if words in part.splitlines()[0])


def said_in_order(expected: list[str], heard: str) -> None:
    at = 0
    for words in expected:
        assert words in heard[at:], f"{words!r} is not in what the board said, behind what stands before it:\n{heard}"
        at = heard.index(words, at) + len(words)


def expected(text: str, words: str) -> list[str]:
    """What a board says, as the section with *words* in its head has it: the lines of blocks that are no commands."""
    return [line for block in blocks(section(text, words)) for line in block if not re.match("spboot [a-z]", line)]


@pytest.mark.parametrize("name", BOARDS)
def test_the_board_takes_the_files_and_says_what_the_page_says(name: str, made: Any) -> None:
    whole: Kit = made(name)
    folder, board, text = whole.folder, whole.board, page(whole.folder)
    file = folder / "factory.bin"
    device = Device(board)
    device.program(file if file.exists() else folder / "factory.hex")
    heard = bytearray()
    device.on_text = heard.extend

    def says(words: list[str]) -> None:
        """These, one behind the other, since it was last asked."""
        if words[-1].encode() not in heard:
            device.read_until(words[-1], 60.0)
        said_in_order(words, heard.decode())
        heard.clear()

    device.power_on()
    says(expected(text, "Listen"))
    device.update(folder / "demo-1.1.0.sfb")
    says(["received", "starting 1.1.0", "demo 1.1.0 on"])
    if board.slot1 is None:
        assert not (folder / "demo-1.2.0.sfbp").exists() and not (folder / "trial-1.3.0.sfb").exists()
        device.update(folder / "demo-1.2.0.sfb")
        says(["received", "starting 1.2.0", "demo 1.2.0 on"])
        return
    device.update(folder / "demo-1.2.0.sfbp", through="application")
    says(expected(text, "A patch"))
    device.update(folder / "trial-1.3.0.sfb")
    trials = expected(text, "nobody confirms")
    says(trials[: trials.index("reverted")])
    device.type("r")
    says(trials[trials.index("reverted") :])


def test_who_types_c_keeps_it(made: Any) -> None:
    whole: Kit = made(SAMPLE[0])
    device = Device(whole.board)
    device.program(whole.folder / "factory.hex")
    device.power_on()
    device.update(whole.folder / "trial-1.3.0.sfb")
    device.wait(0.1)
    device.type("c")
    device.read_until("trial: this version stays")
    device.reset()
    assert device.wait_for_start() == "1.3.0"


@pytest.mark.parametrize("name", TYPED)
def test_what_is_typed_on_a_machine_runs(name: str, made: Any) -> None:
    """Each line that begins with `spboot` and needs no board; the programmers miss nothing but the probe."""
    folder, typed = made(name).folder, set()
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    known = {row.executable: row for row in table()}
    for line in (line for block in blocks(page(folder)) for line in block):
        words = shlex.split(line)
        if words[0] == "spboot" and words[1] in ("verify", "image", "patch", "flash"):
            dry = ["--dry-run"] if words[1] == "flash" else []
            done = subprocess.run([*SPBOOT, *words[1:], *dry], cwd=folder, capture_output=True, text=True)
            assert done.returncode == 0 or "no programmer here" in done.stderr, (line, done.stderr)
            typed.add(words[1])
        elif words[0] in known and locate(known[words[0]]) and name in SAMPLE:
            done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
            assert done.returncode != 0 and any(
                each in done.stdout + done.stderr for each in known[words[0]].no_probe
            ), (
                line,
                done.stdout + done.stderr,
            )
            typed.add(words[0])
    assert {"verify", "image", "flash"} <= typed
    assert ("patch" in typed) == (made(name).board.slot1 is not None)
    assert (folder / "own-1.4.0.sfb").exists()


@pytest.mark.parametrize("name", SAMPLE)
def test_the_table_has_every_file(name: str, made: Any) -> None:
    whole: Kit = made(name)
    folder = whole.folder
    there = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and kit.KEYS not in path.parts and not path.name.startswith("own-")
    }
    told = set(re.findall(r"^\| `([^`]+)` \|", page(folder), re.M)) - {f"{kit.KEYS}/"}
    assert told == there - {kit.README}
    assert {item.file for item in whole.items} == there - {kit.SUMS}
    for line in (folder / kit.SUMS).read_text().splitlines():
        digest, _, file = line.partition("  ")
        assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == digest
    keys = Keys.load(folder / kit.KEYS, need_private=True)
    assert keys.development and keys.fingerprint == whole.key
    start = whole.board.bootloader.address
    kinds = [program.load(folder / f"factory{kind}", start) for kind in (".hex", ".elf", ".bin")]
    assert kinds[0].segments == kinds[1].segments
    for segment in kinds[0].segments:
        offset = segment.address - start
        assert kinds[2].segments[0].data[offset : offset + len(segment.data)] == segment.data


def send_by_lrzsz(opened: Shell, folder: Path, lines: list[str]) -> None:
    """Reset the twin, type `load` until its loader calls, and send by the *lines* of the page."""
    port = os.open(folder / "board", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    opened.type_keys(b"r")
    heard, until = b"", time.monotonic() + 60
    while b"loader: send" not in heard:
        assert time.monotonic() < until, heard
        os.write(port, b"load")
        time.sleep(0.02)
        with contextlib.suppress(BlockingIOError):
            heard += os.read(port, 4096)
    os.close(port)
    for line in lines:
        opened.run(Command(line=line.replace("/dev/ttyACM0", "board"), code=0, reason=""))


@pytest.mark.soak
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_the_page_from_top_to_bottom(made: Any, tmp_path: Path) -> None:
    """Its commands as they stand there, with the twin that it names as the board; lrzsz sends the first update."""
    folder = tmp_path / "kit"
    shutil.copytree(made("NUCLEO-L476RG").folder, folder)
    typed = [command for command in Page.load(folder / kit.README).commands if re.match("spboot [a-z]", command.line)]
    lrzsz = next(block for block in blocks(page(folder)) if block[0].startswith("stty "))
    done = []
    with shell(folder) as opened:
        for command in typed:
            words = command.line.split()
            if words[1] in ("flash", "monitor"):
                continue
            if words[1] == "send" and not done and shutil.which("sb"):
                send_by_lrzsz(opened, folder, lrzsz)
            else:
                opened.run(command)
            done += [words[1]] if words[1] == "send" else []
    assert len(done) == 4


# the command


def spboot(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*SPBOOT, *words], cwd=folder, capture_output=True, text=True, check=False)


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_that_are_there_and_a_board_of_ones_own(made: Any, tmp_path: Path) -> None:
    """Nothing is replaced without a word; --force keeps the keys; the board's file goes with it."""
    old: Kit = made(SAMPLE[0])
    folder = tmp_path / "lamp"
    shutil.copytree(old.folder, folder)
    there = tree(folder)
    small_board(tmp_path)
    words = ("demo", "SMALL.toml", "--files", "lamp")
    refused = spboot(tmp_path, *words)
    assert refused.returncode == 1 and "--force makes them anew, with the same keys" in refused.stderr
    assert tree(folder) == there
    done = spboot(tmp_path, *words, "--force", "--json")
    assert done.returncode == 0, done.stderr
    facts, anew = json.loads(done.stdout), tree(folder)
    assert (facts["board"], facts["folder"], facts["key"], facts["development"]) == ("SMALL", "lamp", old.key, True)
    assert {item["file"] for item in facts["files"]} == {
        name for name in anew if name != kit.SUMS and not name.startswith(kit.KEYS)
    }
    assert not [name for name in anew if SAMPLE[0] in name], "nothing of what was there is left"
    assert all(anew[name] == there[name] for name in there if name.startswith(kit.KEYS))
    Keys.load(folder / kit.KEYS, need_private=True)
    assert "--board SMALL.toml" in page(folder) and anew["SMALL.toml"] == (tmp_path / "SMALL.toml").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["SMALL.toml", "lamp"]


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    small_board(tmp_path)
    for seconds in (0.5, 2.0):
        with subprocess.Popen(
            [*SPBOOT, "demo", "SMALL.toml", "--files", "lamp"], cwd=tmp_path, stderr=subprocess.PIPE
        ) as process:
            time.sleep(seconds)
            process.send_signal(signal.SIGINT)
            assert process.stderr
            said = process.stderr.read()
        assert process.returncode == 130 and b"Traceback" not in said, said
        assert [path.name for path in tmp_path.iterdir()] == ["SMALL.toml"]


def test_a_folder_of_somebody_else(tmp_path: Path) -> None:
    """Nothing in it is touched, with --force neither; keys of a product are no keys of a kit."""
    board = Board.load(str(small_board(tmp_path)))
    mine = tmp_path / "mine"
    Keys.new(mine / kit.KEYS, "lamp")
    before = tree(mine)
    for again in (False, True):
        with pytest.raises(SpbootError, match="is not empty, and nothing that was made for trying a board"):
            kit.write(board, mine, again=again)
    (mine / kit.SUMS).touch()
    with pytest.raises(SpbootError, match="these are no development keys"):
        kit.write(board, mine, again=True)
    assert tree(mine) == before | {kit.SUMS: b""}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["SMALL.toml", "mine"]
