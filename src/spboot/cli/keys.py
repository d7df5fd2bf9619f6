"""`spboot keys`: make a product's keys, show what is there, and give the public half away."""

from __future__ import annotations

import json
from pathlib import Path

import click

from spboot import keys
from spboot.boards import Board
from spboot.cli import files, options, signing
from spboot.cli.group import Group
from spboot.cli.options import PATH
from spboot.cli.telling import Telling, telling
from spboot.disk import write
from spboot.errors import KeyFolderError, SpbootError
from spboot.keys import Keys, inventory, public
from spboot.keys.source import PASSPHRASE, Source, first_line, obtained
from spboot.rotation import check_board, unsigned_rotation
from spboot.version import Version

_DIR = click.argument("folder", type=PATH, metavar="DIR")


@click.group("keys", cls=Group)
def command() -> None:
    """Make and show the keys of a product.

    \b
    Examples:
      spboot keys new lamp-keys --product lamp
      spboot keys show lamp-keys
    """


@command.command("new")
@_DIR
@click.option("--product", metavar="NAME", help="Product name; the folder's own name when not given.")
@click.option(
    "--development", is_flag=True, help="Mark the keys as development keys: bootloaders say so when they start."
)
@click.option(
    "--passphrase",
    is_flag=True,
    help="Close signing.pem with a passphrase: asked for twice, or SPBOOT_PASSPHRASE of the environment.",
)
@click.option("--passphrase-file", type=PATH, metavar="FILE", help="The same, with the passphrase in a file.")
@click.option(
    "--verify",
    type=PATH,
    metavar="PEM",
    help="Public key of a signing key that is elsewhere, as in an HSM: no signing.pem is made.",
)
@telling
def new(
    folder: Path,
    product: str | None,
    development: bool,
    passphrase: bool,
    passphrase_file: Path | None,
    verify: Path | None,
    tell: Telling,
) -> None:
    """Make a key folder for one product.

    DIR gets the key that signs updates, the one that encrypts them, and the product's name.  Keep a safe copy: without
    these keys no device in the field takes an update any more.

    \b
    Examples:
      spboot keys new lamp-keys --product lamp
      spboot keys new keys --product demo --development
      spboot keys new lamp-keys --product lamp --passphrase
      spboot keys new lamp-keys --product lamp --verify hsm.pem
    """
    secret = _passphrase(passphrase_file) if passphrase or passphrase_file else None
    made = Keys.new(folder, product, development=development, passphrase=secret, verify=verify)
    tell.facts(folder=folder, product=made.product, development=development, fingerprint=made.fingerprint)
    tell.say(f"{folder}: keys for product {made.product}{' (development)' if development else ''}")
    tell.say(f"fingerprint {made.fingerprint}")
    mine = keys.ENCRYPTION if verify else f"{keys.SIGNING} and {keys.ENCRYPTION}"
    tell.say(f"keep {mine} secret, and a copy of {'it' if verify else 'them'} safe")
    if secret:
        tell.say("keep the passphrase, too: nobody can open the signing key without it")


def _passphrase(file: Path | None) -> Source:
    """The passphrase of a new key.  Raises KeyFolderError: nobody has one."""
    secret = first_line(file) if file else obtained(signing.asked("Passphrase for the new key", twice=True), PASSPHRASE)
    if secret is None:
        raise KeyFolderError(
            f"there is no terminal to ask for the passphrase on: give --passphrase-file FILE, or set {PASSPHRASE}"
        )
    return secret


@command.command("rotate")
@_DIR
@click.argument("successor", type=PATH, metavar="NEW")
@options.board
@options.output
@click.option(
    "--verify",
    type=PATH,
    metavar="PEM",
    help="Public key of a new signing key that is elsewhere, as in an HSM: NEW gets no signing.pem.",
)
@click.option("--new-passphrase-file", type=PATH, metavar="FILE", help="File with a passphrase for the new key.")
@telling
@signing.release
def rotate(
    folder: Path,
    successor: Path,
    board_name: str,
    output: Path,
    verify: Path | None,
    new_passphrase_file: Path | None,
    access: signing.Access,
    tell: Telling,
) -> None:
    """Make an update (.sfbk) that brings devices a new signing key.

    DIR is the key folder that devices trust now, NEW the one that they are to trust: it is made unless it is there.
    Devices that took FILE refuse what DIR signs from then on.  The board needs an area for keys.

    \b
    Examples:
      spboot keys rotate lamp-keys lamp-keys-2 --board LAMP.toml -o lamp-2.sfbk
      spboot keys rotate lamp-keys lamp-keys-2 --board LAMP.toml -o lamp-2.sfbk \\
          --signer "pkcs11:token=lamp;object=signing"
    """
    access.check(output, folder)
    board = Board.load(board_name)
    check_board(board)
    new = _successor(folder, successor, verify, new_passphrase_file, access, tell)
    if access.signature_in:
        access.complete(output, folder, board, Version.unpack(new.index), tell)
    else:
        old = access.load(folder, need_private=True)
        access.write(output, unsigned_rotation(old, new, board), old, tell)
    tell.facts(new_key=new.fingerprint)
    tell.say(f"devices of {board.name} that take it trust key {new.fingerprint} ({successor}), and no older one")


def _successor(
    folder: Path, successor: Path, verify: Path | None, passphrase: Path | None, access: signing.Access, tell: Telling
) -> Keys:
    """The new keys, which are made unless they are there."""
    if successor.exists():
        if verify or passphrase:
            raise KeyFolderError(f"{successor} is there already: --verify and --new-passphrase-file are for a new one")
        return Keys.load(successor, public=(successor / keys.VERIFY).exists())
    made = access.load(folder).successor(
        successor, verify=verify, passphrase=first_line(passphrase) if passphrase else None
    )
    tell.say(f"{successor}: key {made.index} for product {made.product}, fingerprint {made.fingerprint}")
    return made


@command.command("show")
@_DIR
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(folder: Path, as_json: bool) -> None:
    """Show product, fingerprint and files of a key folder.

    What is missing and what git tracks is said; no secret is shown, and no passphrase is needed.

    \b
    Examples:
      spboot keys show lamp-keys
    """
    facts = inventory.facts(folder)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    words = {True: "yes", False: "no", None: "not known"}
    for name, value in facts.items():
        click.echo(f"{name:<15} {value if isinstance(value, str) else words[value]}")


@command.command("export")
@_DIR
@click.option("-o", "--output", required=True, type=PATH, metavar="OUT", help="File: .pem, .der or .h; or a folder.")
@click.option("--public-only", is_flag=True, help="OUT is a key folder for checkers: public key and product.")
def export(folder: Path, output: Path, public_only: bool) -> None:
    """Give the public half of the keys away.

    As .pem and .der for other tools, as .h for C (a point of 65 bytes), or as a folder that `spboot verify` and `spboot
    inspect` take, without a secret in it.

    \b
    Examples:
      spboot keys export lamp-keys -o verify.pem
      spboot keys export lamp-keys -o lamp_key.h
      spboot keys export lamp-keys -o checker-keys --public-only
    """
    has = (folder / keys.VERIFY).exists() or not (folder / keys.SIGNING).exists()
    given = Keys.load(folder, public=True) if has else signing.Access().load(folder, need_private=True)
    if public_only:
        public.copy(given, output)
    else:
        if output.suffix not in public.SUFFIXES:
            raise SpbootError(f"{output}: expected a name that ends in {', '.join(public.SUFFIXES)}, or --public-only")
        files.check_output(output, *(folder / name for name in (keys.SIGNING, keys.ENCRYPTION, keys.PRODUCT)))
        write(output, public.exported(given, output.suffix))
    click.echo(f"{output}: public key {given.fingerprint} of product {given.product}")
