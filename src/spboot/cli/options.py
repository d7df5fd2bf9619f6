"""Arguments and options that several commands share.

What neither the command line nor the environment says comes from the project file (spboot.project)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from spboot.cli import completing
from spboot.gitversion import GitVersion, git_version
from spboot.project import Project
from spboot.version import Version

PATH = click.Path(path_type=Path)
VERSION = Version.parse
_READ = "spboot.project"
"""Where a run has its project file, which many options ask."""


def project() -> Project | None:
    """The project file of this run: that of --project or SPBOOT_PROJECT, or the one that this folder is in.

    None while a shell completes: a mistake in the file must not end that."""
    if click.get_current_context().resilient_parsing:
        return None
    root = click.get_current_context().find_root()
    if _READ not in root.meta:
        file = root.params.get("project_file")
        root.meta[_READ] = Project.load(file) if file else Project.find()
    found: Project | None = root.meta[_READ]
    return found


def answer(what: str, flag: str, of_project: Callable[[Project], Any], *, variable: str = "") -> Callable[[], Any]:
    """The default of an option that the project file answers.  Raises UsageError where there is none, or no answer."""

    def ask() -> Any:
        if click.get_current_context().resilient_parsing:
            return None
        found = project()
        value = of_project(found) if found else None
        if value is None:
            where = f", set {variable}," if variable else ""
            raise click.UsageError(f"no {what}: give {flag}{where} or make a project file with `spboot init`")
        return value

    return ask


def git() -> GitVersion:
    """The version of the project's work tree, or of the one that this folder is in.  Raises VersionError."""
    found = project()
    return git_version(found.folder, prefix=found.tags) if found else git_version()


def build_version(given: Version | None) -> GitVersion:
    """*given*, of which git is not asked, or that of the work tree.  Raises VersionError."""
    return GitVersion.given(given) if given else git()


def version_of_git() -> str | None:
    """What `spboot version` says, for an image that is not given a version."""
    return None if click.get_current_context().resilient_parsing else str(git().version)


board = click.option(
    "--board",
    "board_name",
    envvar="SPBOOT_BOARD",
    default=answer("board", "--board", lambda found: found.board, variable="SPBOOT_BOARD"),
    metavar="BOARD",
    shell_complete=completing.board,
    help="Board name or .toml file; that of the project.",
)
board_argument = click.argument(
    "board_name",
    metavar="[BOARD]",
    shell_complete=completing.board,
    envvar="SPBOOT_BOARD",
    required=False,
    default=answer("board", "BOARD", lambda found: found.board, variable="SPBOOT_BOARD"),
)
keys = click.option(
    "--keys",
    "key_folder",
    envvar="SPBOOT_KEYS",
    default=answer("key folder", "--keys", lambda found: found.keys, variable="SPBOOT_KEYS"),
    type=PATH,
    metavar="DIR",
    help="Key folder; that of the project.",
)
output = click.option("-o", "--output", required=True, type=PATH, metavar="FILE", help="File to write.")
version = click.option(
    "--version",
    envvar="SPBOOT_VERSION",
    default=version_of_git,
    type=VERSION,
    metavar="V",
    help="Version of the new image, as 1.2.3; from git.",
)
version_of_build = click.option(
    "--version", envvar="SPBOOT_VERSION", type=VERSION, metavar="V", help="Version, as 1.2.3; from git."
)
bootloader = click.option(
    "--bootloader",
    type=PATH,
    default=answer("bootloader", "--bootloader", lambda found: found.bootloader),
    metavar="PATH",
    help="Its file, or the folder of `spboot build`; that of the project.",
)
kept_releases = click.option(
    "--releases",
    "kept",
    envvar="SPBOOT_RELEASES",
    type=PATH,
    default=answer("folder of releases", "--releases", lambda found: found.releases, variable="SPBOOT_RELEASES"),
    metavar="DIR",
    help="Where releases are kept; that of the project.",
)
board_of_folder = click.option(
    "--board",
    "board_name",
    metavar="BOARD",
    shell_complete=completing.board,
    help="Board name or .toml file; that which the folder names.",
)
"""Where a folder tells its board, which is one of ours or in the project's file."""


def board_called(name: str) -> str:
    """What loads the board that a folder calls *name*: one of ours, or the file of the project's own."""
    found = project()
    return found.board if found and Path(found.board).stem == name else name


def _bootloader_if_any() -> Path | None:
    found = project()
    return found.bootloader if found and found.bootloader.is_dir() else None


bootloader_if_any = click.option(
    "--bootloader",
    type=PATH,
    default=_bootloader_if_any,
    metavar="DIR",
    help="The folder of `spboot build`; that of the project.",
)
