"""Secrets and git: a tracked key is refused, and a new folder keeps its secrets out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spboot.cli import main
from spboot.errors import KeyFolderError
from spboot.keys import Keys, inventory, tracked

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="no git")


def git(folder: Path, *words: str) -> str:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(folder), *words],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    return tmp_path


def test_new_keys_do_not_get_into_git(repository: Path) -> None:
    Keys.new(repository / "keys" / "lamp")
    git(repository, "add", "-A")
    assert git(repository, "ls-files").split() == [
        "keys/lamp/.gitignore",
        "keys/lamp/product.toml",
        "keys/lamp/verify.pem",
    ]
    Keys.load(repository / "keys" / "lamp", need_private=True)


def test_an_ignore_file_keeps_its_lines(repository: Path) -> None:
    (repository / "keys").mkdir()
    (repository / "keys" / ".gitignore").write_text("*.bak\nsigning.pem")
    Keys.new(repository / "keys", "lamp")
    lines = (repository / "keys" / ".gitignore").read_text().splitlines()
    assert lines[:2] == ["*.bak", "signing.pem"] and lines[-1] == "encryption.key"
    assert lines.count("signing.pem") == 1


def test_no_repository_no_ignore_file(tmp_path: Path) -> None:
    Keys.new(tmp_path / "lamp")
    assert not (tmp_path / "lamp" / ".gitignore").exists()


def test_keys_that_were_not_made_leave_no_ignore_file(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from spboot.keys import creation

    def refuse(path: Path, mode: int) -> int:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(creation, "_create", refuse)
    with pytest.raises(KeyFolderError, match="no key was made"):
        Keys.new(repository / "lamp")
    assert [path.name for path in repository.iterdir()] == [".git"]


@pytest.mark.parametrize("name", ["signing.pem", "encryption.key"])
def test_a_tracked_key_is_refused(name: str, repository: Path) -> None:
    Keys.new(repository / "lamp")
    git(repository, "add", "-f", f"lamp/{name}")
    for private in (True, False):
        with pytest.raises(KeyFolderError, match=rf"{name}: tracked by git.*git rm --cached {name}.*docs/keys\.md"):
            Keys.load(repository / "lamp", need_private=private)
    assert Keys.load(repository / "lamp", public=True).encryption is None, "no secret is read"
    git(repository, "rm", "-q", "--cached", f"lamp/{name}")
    Keys.load(repository / "lamp", need_private=True)


def test_the_command_says_so(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Keys.new(repository / "lamp")
    git(repository, "add", "-f", "lamp")
    (repository / "app.bin").write_bytes(b"x")
    words = ["image", "app.bin", "--board", "NUCLEO-L476RG", "--keys", "lamp", "--version", "1", "-o", "x.sfb"]
    monkeypatch.chdir(repository)
    monkeypatch.setattr(sys, "argv", ["spboot", *words])
    with pytest.raises(SystemExit) as stop:
        main()
    said = capsys.readouterr().err
    assert stop.value.code == 1
    assert said.count("\n") == 1
    assert "lamp/encryption.key and lamp/signing.pem: tracked by git" in said.replace("\\", "/")
    assert "git rm --cached encryption.key signing.pem" in said
    assert not (repository / "x.sfb").exists()


def test_development_keys_may_be_tracked(repository: Path) -> None:
    """Everybody who works on the product has them, devices say that they are theirs, and no release takes them."""
    Keys.new(repository / "keys", "lamp", development=True)
    git(repository, "add", "-f", "keys")
    keys = Keys.load(repository / "keys", need_private=True)
    with pytest.raises(KeyFolderError, match="are development keys"):
        keys.check_release()
    assert "tracked by git, as development keys may be" in str(inventory.facts(repository / "keys")["signing.pem"])


def test_a_link_to_a_tracked_key_is_refused(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    Keys.new(repository / "lamp")
    git(repository, "add", "-f", "lamp/signing.pem")
    outside = tmp_path_factory.mktemp("outside")
    (outside / "link").symlink_to(repository / "lamp")
    shutil.copytree(repository / "lamp", outside / "copy")
    (outside / "copy" / "signing.pem").unlink()
    (outside / "copy" / "signing.pem").symlink_to(repository / "lamp" / "signing.pem")
    for name in ("link", "copy"):
        with pytest.raises(KeyFolderError, match="tracked by git"):
            Keys.load(outside / name)


def test_inside_a_hook(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git tells its hooks of another repository and index: not of that of the keys."""
    Keys.new(repository / "lamp")
    git(repository, "add", "-f", "lamp/signing.pem")
    monkeypatch.setenv("GIT_DIR", str(tmp_path_factory.mktemp("other")))
    monkeypatch.setenv("GIT_INDEX_FILE", "nowhere")
    with pytest.raises(KeyFolderError, match="tracked by git"):
        Keys.load(repository / "lamp")


def test_where_there_is_no_git_nothing_happens(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Keys.new(repository / "lamp")
    git(repository, "add", "-f", "lamp/signing.pem")
    monkeypatch.setenv("PATH", str(tmp_path / "lamp"))
    Keys.load(repository / "lamp")


def test_outside_of_a_work_tree_no_program_is_started(
    key_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def started(*_args: object, **_options: object) -> None:
        raise AssertionError("started")

    monkeypatch.setattr(tracked.subprocess, "run", started)
    Keys.load(key_folder)
    git_calls: list[object] = []
    (tmp_path / ".git").mkdir()
    shutil.copytree(key_folder, tmp_path / "keys")

    def counted(command: list[str], **_options: object) -> subprocess.CompletedProcess[bytes]:
        git_calls.append(command)
        return subprocess.CompletedProcess(command, 128, b"", b"")

    monkeypatch.setattr(tracked.subprocess, "run", counted)
    Keys.load(tmp_path / "keys")
    assert len(git_calls) == 1, "one call for both files"
