"""What a line says that is typed in this process."""

from __future__ import annotations

import shlex
import sys

import pytest

from spboot import cli


def typed(text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """`spboot TEXT`: exit code, stdout, stderr."""
    monkeypatch.setattr(sys, "argv", ["spboot", *shlex.split(text)])
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        cli.main()
    said = capsys.readouterr()
    return int(stop.value.code or 0), said.out, said.err


def run(text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code of `spboot TEXT`, and all it says."""
    code, out, err = typed(text, monkeypatch, capsys)
    return code, out + err
