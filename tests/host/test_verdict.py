"""The verdict of `spboot inspect` and `verify`: what a file is worth, said first, in colour at a terminal alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from spboot import delta
from spboot.inspection import DAMAGED, GOOD, NOT_OURS, UNCHECKED, judge
from spboot.keys import Keys

from .conftest import NEW_APP, OLD_APP
from .typed import typed


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patch_file: bytes) -> Path:
    """x.sfbp, here."""
    monkeypatch.chdir(tmp_path)
    Path("x.sfbp").write_bytes(patch_file)
    return tmp_path


def test_the_verdict(secrets: Keys, image_file: bytes, patch_file: bytes, tmp_path: Path) -> None:
    stranger, other = Keys.new(tmp_path / "s", "demo"), Keys.new(tmp_path / "o", "lamp")
    end, middle = bytearray(image_file), bytearray(image_file)
    end[-1] ^= 1
    middle[1000] ^= 1
    assert judge(image_file, secrets)[0] == judge(patch_file, secrets)[0] == GOOD
    assert judge(image_file)[0] == UNCHECKED and "give --keys" in judge(image_file)[1]
    assert judge(image_file, stranger)[0] == NOT_OURS and "signature" in judge(image_file, stranger)[1]
    assert judge(image_file, other)[0] == NOT_OURS and "another product than 'lamp'" in judge(image_file, other)[1]
    for bad in (bytes(end), bytes(middle)):
        for keys in (secrets, stranger, None):
            verdict, why = judge(bad, keys)
            assert verdict == DAMAGED and "get it again" in why
    assert judge(delta.encode_file(OLD_APP, NEW_APP))[0] == UNCHECKED


def test_the_verdict_comes_first(
    folder: Path, key_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for command, rest in (("inspect", "signature and chunks good\n"), ("verify", "")):
        code, out, _ = typed(f"{command} x.sfbp --keys {key_folder}", monkeypatch, capsys)
        assert code == 0 and out.startswith(f"x.sfbp: good: {rest}")
    facts = json.loads(typed("inspect x.sfbp --json", monkeypatch, capsys)[1])
    assert facts["verdict"] == UNCHECKED and "--keys" in facts["why"]


@pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal")
@pytest.mark.parametrize(("plain", "colour"), [("", True), ("1", False)])
def test_colour_is_for_terminals(folder: Path, key_folder: Path, plain: str, colour: bool) -> None:
    import pty

    near, far = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    environment.pop("NO_COLOR", None)
    if plain:
        environment["NO_COLOR"] = plain
    program = "import sys; from spboot.cli import main; main()"
    command = [sys.executable, "-c", program, "inspect", "x.sfbp", "--keys", str(key_folder)]
    done = subprocess.run(command, stdout=far, stderr=far, env=environment)
    os.close(far)
    text = os.read(near, 4000)
    os.close(near)
    assert done.returncode == 0 and b"x.sfbp: good" in text
    assert (b"\x1b[1;32m" in text or b"\x1b[32m" in text) == colour, text[:80]
