"""`spboot example`: a project to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from spboot import examples
from spboot.cli import options
from spboot.cli.telling import Telling, telling


@click.command("example")
@click.argument("name", type=click.Choice([each.name for each in examples.ALL]), metavar="[NAME]", required=False)
@click.argument("folder", type=options.PATH, metavar="[DIR]", required=False)
@telling
def command(name: str | None, folder: Path | None, tell: Telling) -> None:
    """Put an example into a folder, to begin with.

    NAME is one of those that are listed without it, DIR a new folder, of that name when it is not given.  Most are an
    application, by the tool that builds it, which takes updates over its UART and needs no vendor code.

    \b
    Examples:
      spboot example
      spboot example cmake lamp
    """
    if name is None:
        for each in examples.ALL:
            tell.say(f"{each.name:<16} {each.tells}")
        tell.facts(examples=[each.name for each in examples.ALL])
        return
    place = folder or Path(name)
    made = examples.copy(examples.find(name), place)
    tell.facts(folder=place, files=[path.relative_to(place).as_posix() for path in made])
    for path in made:
        tell.more(str(path))
    tell.say(f"{place}: {len(made)} files; {place / 'README.md'} says how to go on")
