"""`spboot publish`: the updates of releases, for a web server."""

from __future__ import annotations

from pathlib import Path

import click

from spboot import fleet
from spboot.cli import options
from spboot.cli.telling import Telling, telling
from spboot.keys import Keys


@click.command("publish")
@click.argument("folders", type=options.PATH, metavar="RELEASES...", nargs=-1, required=True)
@click.argument("site", type=options.PATH, metavar="SITE")
@options.keys
@telling
def command(folders: tuple[Path, ...], site: Path, key_folder: Path, tell: Telling) -> None:
    """Put the updates of releases into a folder for a web server.

    RELEASES are folders of `spboot postbuild`, or folders of such folders.  SITE gets their full images and patches,
    each checked by the public key, and index.json, by which each device finds its own.  Factory files and applications
    stay where they are.  What SITE has of other products is kept; of this one it lists these releases and no others.

    \b
    Examples:
      spboot publish releases site --keys keys
      spboot publish out/lamp_NUCLEO-L476RG_1.2.3 site
    """
    index = fleet.publish(folders, site, Keys.load(key_folder, public=True))
    for each in index.entries:
        start = "full image" if each.base is None else f"from {each.base}"
        tell.more(f"{each.file}: {each.product} {each.version} for {each.board}, {start}, {each.size:,} bytes")
    tell.say(f"{site / fleet.INDEX}: {len(index.entries)} updates")
    tell.facts(site=site, updates=[each.facts() for each in index.entries])
