"""What a shell completes: asked as the shell asks, by the real entry point."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spboot import boards

MAIN = "from spboot.cli import main; main()"


def completed(*words: str) -> list[str]:
    """The values that are offered for the last of *words*."""
    done = subprocess.run(
        [sys.executable, "-c", MAIN],
        env={
            **os.environ,
            "_SPBOOT_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(("spboot", *words)),
            "COMP_CWORD": str(len(words)),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split(",", 1)[1] for line in done.stdout.splitlines()]


def test_commands_and_options() -> None:
    assert completed("post") == ["postbuild"]
    assert "--board" in completed("image", "--b")
    assert completed("keys", "n") == ["new"]


def test_boards_and_parts() -> None:
    assert completed("build", "NUCLEO-L4") == [name for name in boards.names() if name.startswith("NUCLEO-L4")]
    assert "NUCLEO-L476RG" in completed("image", "--board", "nucleo-l47")
    assert "STM32L476RG" in completed("chip", "stm32l476")


def test_a_mistake_in_the_project_file_does_not_end_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spboot.toml").write_text("board =")
    monkeypatch.chdir(tmp_path)
    assert completed("send", "x.sfb", "--no-v") == ["--no-verdict"]
    assert completed("monitor", "--log") == ["--log"]
    assert completed("build", "NUCLEO-L476R") == ["NUCLEO-L476RG"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_each_shell(shell: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", MAIN, "completion", shell], capture_output=True, text=True, check=True)
    assert "_SPBOOT_COMPLETE" in done.stdout
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"there is no {shell} here")
    (tmp_path / "script").write_text(done.stdout)
    subprocess.run([found, "-n", tmp_path / "script"], check=True)
