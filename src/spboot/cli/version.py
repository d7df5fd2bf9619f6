"""`spboot version`: the version of an application, from git."""

from __future__ import annotations

from pathlib import Path

import click

from spboot import disk
from spboot.cli import files, options
from spboot.cli.telling import Telling, telling
from spboot.errors import VersionError
from spboot.gitversion import git_version, header


@click.command("version")
@click.argument("folder", type=options.PATH, metavar="[DIR]", required=False)
@click.option("--tags", metavar="PREFIX", help="In front of the tags that count, as lamp/; that of the project.")
@click.option("--header", "header_file", type=options.PATH, metavar="FILE", help="Write spboot_version.h to FILE.")
@click.option("--clean", is_flag=True, help="Refuse files that differ from the commit.")
@telling
def command(folder: Path | None, tags: str | None, header_file: Path | None, clean: bool, tell: Telling) -> None:
    """Say the version of an application, from git.

    The newest tag of three numbers, as v1.2.3 or 1.2.3, and the commits since then added to its last number, are what
    devices compare: the second commit behind v1.2.3 is 1.2.5.  DIR is in the git work tree of the application.  FILE
    has the same for the application, and is written only when that changed.

    \b
    Examples:
      spboot version
      spboot version --header build/spboot_version.h
      spboot version lamp --tags lamp/ --json
    """
    found = options.project()
    place = folder or (found.folder if found else Path())
    git = git_version(place, prefix=tags if tags is not None else found.tags if found else "")
    if clean and git.dirty:
        raise VersionError(
            f"{place.absolute()}: files differ from commit {git.commit[:10]}: commit them, or leave out --clean"
        )
    if header_file is not None:
        files.check_output(header_file)
        disk.write_changed(header_file, header(git).encode())
    tell.say(git.name)
    tell.more(f"{git.described}, commits since the tag: {git.distance}, {git.commit}")
    tell.facts(
        version=str(git.version), git=git.described, commit=git.commit, distance=git.distance, dirty=git.dirty,
        packed=git.version.pack(),
    )  # fmt: skip
