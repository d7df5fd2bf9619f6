"""docs/python.md does what it says: its blocks in one folder, in their order; its test on the twin and at a port."""

from __future__ import annotations

import ast
import doctest
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import spboot
from spboot.boards import Board
from spboot.builder.demo import build_demo
from spboot.formats.segment import Segment
from spboot.version import Version
from tests.system.terminal import SPEED, twin_command

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
FENCE = re.compile(r"(?:<!-- file: (\S+) -->\n)?```(\w+)\n(.*?)```\n", re.DOTALL)
PLUGIN = "spboot.pytest_plugin"
HANGS_S = 600


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page was followed, up to its end: both versions of the lamp, and all that the blocks leave."""
    place = tmp_path_factory.mktemp("page")
    board = Board.load("NUCLEO-L476RG")
    for version in ("1.0.0", "1.1.0"):
        build_demo(board, Version.parse(version), place).rename(place / f"lamp-{version}.elf")
    script = "".join(text for name, kind, text in FENCE.findall(PAGE) if kind == "python" and not name)
    (place / "script.py").write_text(script)
    for name, _, text in FENCE.findall(PAGE):
        if name:
            (place / name).write_text(text)
    done = subprocess.run([sys.executable, "script.py"], cwd=place, capture_output=True, text=True, timeout=HANGS_S)
    assert done.returncode == 0, done.stderr
    who = ("-c", "user.name=lamp", "-c", "user.email=lamp@example.org")
    for words in (["init", "--quiet"], ["add", "spboot.toml"], ["commit", "--quiet", "-m", "first"], ["tag", "v1.1.0"]):
        subprocess.run(["git", *who, *words], cwd=place, check=True)
    return place


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """pytest as a user has it, with the plugin, whether or not this spboot was installed with its entry point."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:spboot", "-p", PLUGIN]
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return subprocess.run(
        [*command, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=HANGS_S
    )


@pytest.fixture
def port(folder: Path) -> Iterator[str]:
    """The wire to a board: the pseudo-terminal of a twin in another process."""
    if sys.platform == "win32":
        pytest.skip("no pseudo-terminals")
    with twin_command("--image", folder / "factory.hex", "--speed", str(SPEED)) as path:
        yield path


def test_the_script(folder: Path) -> None:
    made = {path.name for path in folder.iterdir()}
    assert made >= {"keys", "boot", "lamp-1.1.0.sfb", "lamp-1.1.0.sfbp", "factory.hex", "factory.bin"}


NO_EXAMPLE = {name for name in spboot.__all__ if name.endswith("Error")} - {"SpbootError"}


@pytest.mark.parametrize("name", sorted(set(spboot.__all__) - NO_EXAMPLE))
def test_each_name_has_an_example_that_runs(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what the script of the page has by its end, where it ended."""
    (example,) = (
        found for found in doctest.DocTestFinder(recurse=False, exclude_empty=False).find(getattr(spboot, name), name)
    )
    assert example.examples, f"{name} has none"
    monkeypatch.chdir(folder)
    shutil.rmtree("lamp-keys", ignore_errors=True)
    board, keys = spboot.Board.load("NUCLEO-L476RG"), spboot.Keys.load("keys")
    old, new = (spboot.Image.load(f"lamp-{version}.elf", board, version) for version in ("1.0.0", "1.1.0"))
    boot = "boot/spboot-NUCLEO-L476RG.bin"
    names = {"Path": Path, "board": board, "keys": keys, "old": old, "new": new, "boot": boot, "Segment": Segment}
    example.globs = {known: getattr(spboot, known) for known in spboot.__all__} | names
    said: list[str] = []
    assert doctest.DocTestRunner().run(example, out=said.append).failed == 0, "".join(said)


def test_a_users_test_has_15_lines_and_one_import(folder: Path) -> None:
    text = (folder / "test_power.py").read_text()
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert len(nodes) == 1 and len([line for line in text.splitlines() if line.strip()]) <= 15
    assert len(range(0, 500, 50)) == 10 and "range(0, 500, 50)" in text and ":torn" in text


def test_a_users_test_of_power_cuts(folder: Path) -> None:
    done = run_pytest(folder, "test_power.py")
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout


def test_a_users_test_on_the_twin(folder: Path) -> None:
    done = run_pytest(folder, "test_lamp.py")
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout


def test_the_same_test_at_a_serial_port(folder: Path, port: str) -> None:
    done = run_pytest(folder, "test_lamp.py", "--spboot-port", port)
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout


@pytest.mark.soak
def test_a_device_that_does_not_get_there_fails_the_test(folder: Path) -> None:
    """Else the tests above would show nothing: the same with another version asked for, and with a cut too late."""
    text, points = (folder / "test_power.py").read_text(), "range(0, 500, 50)"
    for name, before, after, words in (
        ("version", 'device.version == "1.1.0"', 'device.version == "1.2.0"', "AssertionError"),
        ("late", points, "(5000,)", "the cut 5000:torn:random=5000 did not happen"),
    ):
        assert before in text
        (folder / f"test_bad_{name}.py").write_text(text.replace(before, after).replace(points, "(9,)"))
        done = run_pytest(folder, f"test_bad_{name}.py")
        assert done.returncode == 1 and words in done.stdout, done.stdout
