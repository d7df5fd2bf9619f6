"""Builds the site: `python -m tools.site`, or `make docs`.  `--linkcheck` asks the net whether addresses are there."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sphinx.cmd.build import build_main

from spboot.errors import SpbootError
from tools.site import board_pages, commands, header, navigation, python_api
from tools.site.pages import ROOT, Tree


def source(folder: Path) -> None:
    """Make the source tree of the site in *folder*."""
    tree = Tree(folder)
    tree.copy_pages()
    for part in (commands, header, python_api, board_pages):
        part.write(tree)
    navigation.write_decisions(tree)
    navigation.write(tree)
    tree.tidy()


def build(output: Path, builder: str = "html") -> int:
    """Build into *output*, the source beside it.  The exit code of Sphinx: 0 when there was no warning."""
    folder = output.with_name(f"{output.name}-source")
    source(folder)
    strict = ["--nitpicky", "--fail-on-warning", "--keep-going", "--quiet"]
    doctrees = ["-d", str(output.with_name(f"{output.name}-doctrees"))]
    return build_main(["-b", builder, "-c", str(Path(__file__).parent), *doctrees, *strict, str(folder), str(output)])


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.site", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "out" / "site", help="folder of the site")
    parser.add_argument("--linkcheck", action="store_true", help="check addresses of other sites; needs the net")
    arguments = parser.parse_args()
    try:
        code = build(arguments.output, "linkcheck" if arguments.linkcheck else "html")
    except SpbootError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if code == 0 and not arguments.linkcheck:
        print(f"{arguments.output}/index.html")
    return code


if __name__ == "__main__":
    sys.exit(main())
