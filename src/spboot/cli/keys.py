"""`spboot keys`: make a product's keys."""

from __future__ import annotations

from pathlib import Path

import click

from spboot import keys
from spboot.cli.group import Group
from spboot.cli.options import PATH
from spboot.keys import Keys


@click.group("keys", cls=Group)
def command() -> None:
    """Make the keys of a product.

    \b
    Examples:
      spboot keys new lamp-keys --product lamp
    """


@command.command("new")
@click.argument("folder", type=PATH, metavar="DIR")
@click.option("--product", metavar="NAME", help="Product name; the folder's own name when not given.")
@click.option(
    "--development", is_flag=True, help="Mark the keys as development keys: bootloaders say so when they start."
)
def new(folder: Path, product: str | None, development: bool) -> None:
    """Make a key folder for one product.

    DIR gets the key that signs updates, the one that encrypts them, and the product's name.  Keep a safe copy: without
    these keys no device in the field takes an update any more.

    \b
    Examples:
      spboot keys new lamp-keys --product lamp
      spboot keys new keys --product demo --development
    """
    made = Keys.new(folder, product, development=development)
    click.echo(f"{folder}: keys for product {made.product}{' (development)' if development else ''}")
    click.echo(f"keep {keys.SIGNING} and {keys.ENCRYPTION} secret, and a copy of them safe")
