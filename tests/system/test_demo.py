"""`make demo`: what it shows is what the README says, and it runs on a board with another baud rate."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import spboot
from spboot import boards, image, keys
from spboot.build import cargo, merge
from spboot.build.demo import build_demo
from spboot.version import Version
from tests.system.rig import workshop

ROOT = Path(spboot.__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BOARD = "NUCLEO-L476RG"


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    spec = importlib.util.spec_from_file_location("demo", ROOT / "tools" / "demo.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["demo"] = module
    spec.loader.exec_module(module)
    return module


def typed(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """*line* as the demo says it, but by this Python; then Ctrl-] is typed."""
    words = line.split()
    assert words[0].endswith("spboot")
    command = [sys.executable, "-c", "from spboot.cli import main; main()", *words[1:]]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, input="\x1d")


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
    command = [sys.executable, str(ROOT / "tools" / "demo.py"), "--output", "out/demo"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    said = done.stdout
    cells = r"│ +([\d,]+) │ +([\d.]+) s │ +(\d+) │ +([\d.]+) s │ +([\d.]+) s │"
    rows = re.findall(r"│ (\S+ -> \S+), ([a-z ]+?) +" + cells, said)
    assert [row[1] for row in rows] == ["full image", "patch"]
    sizes = [int(row[2].replace(",", "")) for row in rows]
    made = tmp_path / "out" / "demo"
    assert sizes == [(made / name).stat().st_size for name in ("demo-1.1.0.sfb", "demo-1.2.0.sfbp")]
    assert sizes[1] * 50 < sizes[0], "a patch is small"
    firmware = image.load(made / "demo-1.2.0.elf", boards.load(BOARD))
    assert 90_000 < len(firmware) < 110_000
    for _, kind, size, line, pages, flash, until in rows:
        assert f"| demo, {kind} | {size} bytes for {len(firmware) // 1000} KB, {pages} pages |" in README
        assert float(line) < float(until) and float(flash) < float(until), "parts of the whole"
        assert int(pages) == said.split(f", {kind}\n")[1].split("\n\n")[0].count("#") + 1, "and the journal"
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


@pytest.mark.parametrize("baud", [57_600, 921_600])
def test_another_baud_rate(baud: int, demo: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(boards.__file__).parent / "data" / f"{BOARD}.toml").read_text(encoding="utf-8")
    board = boards.parse(tmp_path / "FAST.toml", text.replace("baud = 115_200", f"baud = {baud}"))
    assert board.console.baud == baud
    shop = workshop(board, "clang", tmp_path)
    (tmp_path / "factory.hex").write_bytes(merge.as_hex(shop.factory("1.0.0")))
    (tmp_path / "demo-1.1.0.sfb").write_bytes(shop.image("1.1.0"))
    live = demo.Live(board, tmp_path / "factory.hex")
    live.call(b"load")
    cost = live.update("full image", tmp_path / "demo-1.1.0.sfb")
    assert cost.changed["slot0"] == {0}
    moved = cost.line_s * baud / 10
    assert cost.file_bytes < moved < cost.file_bytes * 2 + 400
    assert "demo 1.1.0 on FAST" in capsys.readouterr().out


def test_cargo_is_the_same_each_time_and_changes_little() -> None:
    first, again, second = cargo.source(20_000, 1), cargo.source(20_000, 1), cargo.source(20_000, 2)
    assert first == again
    lines, others = set(first.splitlines()), set(second.splitlines())
    assert 0 < len(lines ^ others) < len(lines) // 10
    assert "_new_2" in second and "_new_2" not in first


@pytest.mark.parametrize("compiler", ["clang", "gcc"])
@pytest.mark.parametrize("name", ["NUCLEO-L073RZ", "NUCLEO-L476RG"])
def test_cargo_is_kept_by_the_linker(name: str, compiler: str, tmp_path: Path) -> None:
    board = boards.load(name)
    sizes = [
        len(image.load(elf, board))
        for elf in (
            build_demo(board, Version(1, 0, 0), tmp_path, compiler=compiler, cargo_size=size) for size in (0, 12_000)
        )
    ]
    assert 8_000 < sizes[1] - sizes[0] < 18_000


def test_the_demo_removes_nothing_but_an_older_demo(demo: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(demo.DemoError, match="not of an earlier demo"):
        demo.prepare(tmp_path)
    assert (tmp_path / "mine").read_text() == "mine"
    keys.new(tmp_path / "old" / "keys", "demo")
    demo.prepare(tmp_path / "old")
    assert list((tmp_path / "old").iterdir()) == []


def test_a_board_that_is_none_is_a_sentence() -> None:
    command = [sys.executable, str(ROOT / "tools" / "demo.py"), "--board", "NUCLEO-L476"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("demo: unknown board 'NUCLEO-L476'; did you mean NUCLEO-L476RG")
