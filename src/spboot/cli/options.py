"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

from spboot.version import Version

PATH = click.Path(path_type=Path)
VERSION = Version.parse

board = click.option("--board", "board_name", required=True, metavar="BOARD", help="Board name or .toml file.")
keys = click.option("--keys", "key_folder", required=True, type=PATH, metavar="DIR", help="Key folder.")
output = click.option("-o", "--output", required=True, type=PATH, metavar="FILE", help="File to write.")
version = click.option(
    "--version", required=True, type=VERSION, metavar="V", help="Version of the new image, as 1.2.3."
)
