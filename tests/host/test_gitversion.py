"""Versions from git, with real repositories."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from spboot.errors import VersionError
from spboot.gitversion import git_version, header
from spboot.version import Version


class Repository:
    """A git work tree with one file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        (folder / "main.c").write_text("int main(void) { return 0; }\n")
        self.git("add", "main.c")
        self.commit()

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=lamp", "-c", "user.email=lamp@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *who, *arguments], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, number: int = 1) -> None:
        for _ in range(number):
            self.git("commit", "--quiet", "--allow-empty", "-m", "change")

    def tag(self, *names: str) -> None:
        for name in names:
            self.git("tag", name)

    def change(self) -> None:
        (self.folder / "main.c").write_text("int main(void) { return 1; }\n")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "lamp")


@pytest.mark.parametrize("tag", ["1.2.3", "v1.2.3"])
def test_a_tag_is_the_version(repository: Repository, tag: str) -> None:
    repository.tag(tag)
    found = git_version(repository.folder)
    assert (found.version, found.described, found.distance, found.dirty) == (Version(1, 2, 3), tag, 0, False)
    assert found.commit == repository.git("rev-parse", "HEAD")
    assert found.name == "1.2.3"


def test_commits_since_the_tag_are_added(repository: Repository) -> None:
    repository.tag("v1.2.3")
    repository.commit(2)
    found = git_version(repository.folder / ".")
    assert found.version == Version(1, 2, 5)
    assert re.fullmatch(r"v1\.2\.3-2-g[0-9a-f]+", found.described)


def test_files_that_differ_are_marked(repository: Repository) -> None:
    repository.tag("v1.0.0")
    (repository.folder / "notes.txt").write_text("not tracked")
    assert not git_version(repository.folder).dirty
    repository.change()
    found = git_version(repository.folder)
    assert found.dirty and found.name == "1.0.0-dirty" and found.described == "v1.0.0-dirty"
    repository.tag("v2.0.0-rc1")
    assert git_version(repository.folder).described == "v1.0.0-dirty"


def test_tags_that_are_no_versions_do_not_count(repository: Repository) -> None:
    repository.tag("v1.0.0")
    repository.commit()
    repository.tag("v1.1.0-rc1", "nightly", "v7", "1.2.x", "lamp/v3.0.0")
    assert git_version(repository.folder).version == Version(1, 0, 1)


def test_a_prefix_chooses_tags(repository: Repository) -> None:
    repository.tag("v1.0.0", "lamp/v3.1.0")
    repository.commit()
    found = git_version(repository.folder, prefix="lamp/")
    assert found.version == Version(3, 1, 1)
    assert found.described.startswith("v3.1.0-1-g")


def test_the_newest_tag_counts(repository: Repository) -> None:
    repository.tag("v1.9.0")
    repository.commit()
    repository.tag("v1.10.0")
    assert git_version(repository.folder).version == Version(1, 10, 0)


def test_of_two_tags_of_one_commit_the_higher_counts(repository: Repository) -> None:
    repository.tag("v1.0.0", "v1.0.1", "v0.9.0", "v1.0.2-rc1")
    assert git_version(repository.folder).version == Version(1, 0, 1)
    repository.commit()
    assert git_version(repository.folder).version == Version(1, 0, 2)


def test_without_a_tag_commits_are_counted(repository: Repository) -> None:
    repository.commit(4)
    found = git_version(repository.folder)
    assert found.version == Version(0, 0, 5)
    assert found.commit.startswith(found.described)


def test_a_detached_head_and_a_subfolder(repository: Repository) -> None:
    repository.tag("v1.0.0")
    repository.commit()
    repository.git("checkout", "--quiet", "v1.0.0")
    (repository.folder / "src").mkdir()
    assert git_version(repository.folder / "src").version == Version(1, 0, 0)


def test_the_last_number_runs_over(repository: Repository) -> None:
    repository.tag("v1.2.254")
    repository.commit()
    assert git_version(repository.folder).version == Version(1, 2, 255)
    repository.commit()
    with pytest.raises(VersionError, match=r"2 commits since tag v1\.2\.254 .* 256, expected at most 255: .* v1\.3\.0"):
        git_version(repository.folder)


def test_numbers_that_no_device_takes(repository: Repository) -> None:
    repository.tag("v256.0.0")
    with pytest.raises(VersionError, match="major is 256"):
        git_version(repository.folder)


def test_where_there_is_no_version(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder, words in ((empty, "no git repository"), (tmp_path / "none", "no such folder")):
        with pytest.raises(VersionError, match=f"{words}.*tell the version yourself, with --version or SPBOOT_VERSION"):
            git_version(folder)
    with pytest.raises(VersionError, match="is a file"):
        git_version(repository.folder / "main.c")
    monkeypatch.setenv("PATH", str(empty))
    with pytest.raises(VersionError, match="git is not installed"):
        git_version(repository.folder)


def test_a_clone_without_its_tags(repository: Repository, tmp_path: Path) -> None:
    repository.tag("v1.0.0")
    repository.commit()
    source = repository.folder.as_uri()
    subprocess.run(["git", "clone", "--quiet", "--depth=1", source, tmp_path / "shallow"], check=True)
    with pytest.raises(VersionError, match="git fetch --unshallow --tags"):
        git_version(tmp_path / "shallow")


def test_the_header_says_the_same(repository: Repository, tmp_path: Path) -> None:
    """By the C preprocessor."""
    repository.tag("v1.2.3")
    repository.commit()
    repository.change()
    found = git_version(repository.folder)
    (tmp_path / "spboot_version.h").write_text(header(found))
    (tmp_path / "x.c").write_text(
        '#include "spboot_version.h"\n'
        "SPBOOT_VERSION SPBOOT_VERSION_MAJOR SPBOOT_VERSION_MINOR SPBOOT_VERSION_PATCH SPBOOT_VERSION_PACKED\n"
        "SPBOOT_VERSION_GIT SPBOOT_VERSION_DIRTY\n"
    )
    done = subprocess.run(["gcc", "-E", "-P", tmp_path / "x.c"], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ['"1.2.4"', "1u", "2u", "4u", "0x01000204u", f'"{found.described}"', "1"]
