"""Ctrl-C at ten moments of every command that writes: what it writes is there whole, or not at all."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spboot.builder import personal
from spboot.keys import Keys
from tests import apps

from . import bootloader, elf
from .conftest import BOARD, NEW_APP, OLD_APP, TARGET
from .test_gitversion import Repository

SPBOOT = [sys.executable, "-c", "from spboot.cli import main; main()"]
MOMENTS = 10
QUIET = {
    "postbuild": "postbuild new.elf",
    "patch": "patch --from old.elf --from-version 0.9.0 --to new.elf -o out/x.sfbp",
}
"""Those of `make test`; `make soak` has all."""
COMMANDS = QUIET | {
    "init": "init out --board NUCLEO-L476RG --keys keys",
    "version": "version --header out/version.h",
    "keys new": "keys new out/keys",
    "keys export": "keys export keys -o out/public --public-only",
    "build": f"build {TARGET} -o out/boot",
    "image": "image new.elf -o out/x.sfb",
    "merge": f"merge boot/spboot-{TARGET}.bin new.elf -o out/x.hex",
    "explain": "explain --from old.elf --to new.elf --html out/x.html --svg out/x.svg",
    "delta encode": "delta encode old.elf new.elf -o out/x.delta",
    "board new": "board new MINE --mcu STM32L476RG -o out/MINE.toml",
    "map": "map --svg out/x.svg",
}


@pytest.fixture
def project(tmp_path: Path, secrets: Keys, key_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a project, its bootloader and two applications, here."""
    repository = Repository(tmp_path / "lamp")
    repository.tag("v1.0.0")
    folder = repository.folder
    monkeypatch.chdir(folder)
    shutil.copytree(key_folder, "keys")
    Path("spboot.toml").write_text(f'board = "{TARGET}"\nkeys = "keys"\n')
    Path("boot").mkdir()
    Path("boot", f"spboot-{TARGET}.bin").write_bytes(personal.finish(bootloader.make(TARGET), secrets))
    for name, app in (("old", OLD_APP), ("new", NEW_APP)):
        Path(f"{name}.elf").write_bytes(elf.make([(BOARD.image_address, apps.startable(BOARD, app))]))
    Path("out").mkdir()
    return folder


def _apart(path: Path) -> bool:
    """Of git, or an empty file that says that somebody works here; a dead one's claim is forgotten."""
    return ".git" in path.parts or path.suffix == ".lock"


def listing() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file() and not _apart(path)}


def interrupted(words: list[str], after_s: float) -> tuple[int, str]:
    """Exit code and stderr of a command that gets SIGINT."""
    with subprocess.Popen([*SPBOOT, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        time.sleep(after_s)
        child.send_signal(signal.SIGINT)
        return child.wait(), child.communicate(timeout=60)[1]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(
    "name", [name if name in QUIET else pytest.param(name, marks=pytest.mark.soak) for name in COMMANDS]
)
def test_what_is_written_is_whole(name: str, project: Path) -> None:
    """Random things, as keys, differ from run to run: of them the names count."""
    words = COMMANDS[name].split()
    before = listing()
    began = time.monotonic()
    done = subprocess.run([*SPBOOT, *words], capture_output=True, text=True, check=True)
    whole_s = time.monotonic() - began
    assert "\x1b" not in done.stdout + done.stderr, "no bar and no colour in a pipe"
    whole = listing()
    codes = set()
    for moment in range(MOMENTS):
        shutil.rmtree("out")
        Path("out").mkdir()
        code, err = interrupted(words, whole_s * (0.3 + 0.07 * moment))  # what comes first is Python that starts
        codes.add(code)
        assert code in (0, 130, -signal.SIGINT) or "KeyboardInterrupt" in err, err  # Python itself, while it starts
        after = listing()
        assert set(after) in (set(before), set(whole)) or name == "explain", set(after) ^ set(before)
        assert set(after) <= set(whole), "something half-written"
        if "keys" not in name and name != "init":
            assert {path: data for path, data in after.items() if data != whole[path]} == {}
    assert codes & {130, -signal.SIGINT}
