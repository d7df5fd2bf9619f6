"""The upgrade tests themselves: they find releases, run them, and fail in words when a format is no longer made.

On a clone of this repository, as it is committed, whose last commit is the only release."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.upgrade.releases import NONE_YET, ROOT, releases, unpacked

BOARD = "NUCLEO-L476RG"


def git(folder: Path, *words: str) -> str:
    """What git says."""
    identity = ("-c", "user.name=spboot", "-c", "user.email=spboot@localhost")
    return subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """This repository, with its last commit released as 1.0.0."""
    if not (ROOT / ".git").exists():
        pytest.skip("not in a git repository")
    folder = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--no-hardlinks", "--no-tags", str(ROOT), str(folder))
    git(folder, "tag", "v1.0.0")
    (folder / "tests" / "upgrade" / "releases.toml").write_text("", encoding="utf-8")
    return folder


def test_releases_are_tags_from_1_0_0_on(clone: Path) -> None:
    for tag in ("v0.9.0", "v1.2.0-rc1", "v10.0.0", "v2.0.0", "v1"):
        git(clone, "tag", tag)
    assert releases(clone) == ["v1.0.0", "v2.0.0", "v10.0.0"]
    assert releases(clone.parent) == [], "no repository, no releases"


def test_a_release_is_found_without_its_tag(clone: Path, tmp_path: Path) -> None:
    """By its commit, if that is there."""
    git(clone, "tag", "--delete", "v1.0.0")
    record, here = clone / "tests" / "upgrade" / "releases.toml", git(clone, "rev-parse", "HEAD").strip()
    record.write_text(f'"v1.2.0" = "{here}"\n"v1.3.0" = "{"0" * 40}"\n', encoding="utf-8")
    assert releases(clone) == ["v1.2.0"]
    assert (unpacked("v1.2.0", tmp_path / "release", clone).folder / "pyproject.toml").is_file()


def test_each_release_of_the_changelog_is_recorded() -> None:
    """All but the newest, whose commit nobody knows before it is made."""
    said = re.findall(r"^## (\d+\.\d+\.\d+) ", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    recorded = tomllib.loads((ROOT / "tests" / "upgrade" / "releases.toml").read_text(encoding="utf-8"))
    from_1_0_0 = [f"v{version}" for version in said if not version.startswith("0.")]
    assert set(from_1_0_0[1:]) <= set(recorded) <= set(from_1_0_0)


def test_a_release_is_unpacked_as_it_was_tagged(clone: Path, tmp_path: Path) -> None:
    spec = clone / "spec" / "spboot.toml"
    before = spec.read_text(encoding="utf-8")
    spec.write_text(before + "# later\n", encoding="utf-8")
    git(clone, "commit", "--quiet", "--all", "--message", "later")
    release = unpacked("v1.0.0", tmp_path / "release", clone)
    assert (release.folder / "spec" / "spboot.toml").read_text(encoding="utf-8") == before


def upgrade(clone: Path) -> tuple[int, str]:
    """Exit code and report of the upgrade tests of *clone*."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-m",
            "soak",
            "-p",
            "no:cacheprovider",
            "tests/upgrade/test_upgrade.py",
        ],
        cwd=clone,
        env={**os.environ, "PYTHONPATH": str(clone / "src"), "SPBOOT_UPGRADE_BOARDS": BOARD},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.soak
def test_a_release_is_updated_to_today(clone: Path) -> None:
    code, report = upgrade(clone)
    assert code == 0 and re.search(r"^4 passed", report, re.MULTILINE), report


@pytest.mark.soak
def test_a_format_that_a_release_does_not_take_fails_in_words(clone: Path) -> None:
    spec = clone / "spec" / "spboot.toml"
    text, count = re.subn(r"^format = 3 ", "format = 4 ", spec.read_text(encoding="utf-8"), count=1, flags=re.MULTILINE)
    assert count == 1, "[format] of the spec has another number: mend this test"
    spec.write_text(text, encoding="utf-8")
    code, report = upgrade(clone)
    assert code == 1 and "the device refused it: " in report and "needs another bootloader" in report, report


@pytest.mark.soak
def test_without_a_release_it_says_so(clone: Path) -> None:
    git(clone, "tag", "--delete", "v1.0.0")
    code, report = upgrade(clone)
    assert code == 0 and "4 skipped" in report and NONE_YET in report, report
