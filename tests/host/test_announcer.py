"""tests/conftest.py: failures have their names at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CASES = """
def test_bad(): assert False
def test_good(): pass
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_names_come_before_the_end(workers: str, tmp_path: Path) -> None:
    """The name stands above the report, once."""
    shutil.copy(Path(__file__).parents[1] / "conftest.py", tmp_path)
    (tmp_path / "test_x.py").write_text(CASES)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-n",
        workers,
        "--rootdir",
        ".",
        "test_x.py",
    ]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1
    assert done.stdout.index("FAILED: test_x.py::test_bad") < done.stdout.index("= FAILURES =")
    assert done.stdout.count("FAILED: ") == 1
