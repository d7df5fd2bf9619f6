"""`spboot inspect`: what an update file or a delta file says about itself."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from spboot import release
from spboot.cli import files, kinds, options, signing, tables
from spboot.errors import SpbootError
from spboot.formats import signature
from spboot.formats.delta_file import is_delta_file
from spboot.inspection import DAMAGED, GOOD, NOT_OURS, UNCHECKED, inspect, judge

_COLOURS = {GOOD: "green", NOT_OURS: "red", DAMAGED: "red", UNCHECKED: "yellow"}


@click.command("inspect")
@click.argument("file", type=options.PATH)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--der", type=options.PATH, metavar="OUT", help="Write the signature as other tools read it (DER).")
@click.option("--signed", type=options.PATH, metavar="OUT", help="Write the bytes that it signs.")
@click.option(
    "--keys",
    "key_folders",
    multiple=True,
    type=options.PATH,
    metavar="DIR",
    help="Key folder: name the product, check it all; several: which of them signed it?",
)
@signing.reading
def command(
    file: Path,
    as_json: bool,
    key_folders: tuple[Path, ...],
    der: Path | None,
    signed: Path | None,
    access: signing.Access,
) -> None:
    """Judge an update or delta file, and show every field of it.

    FILE is an .sfb, .sfbp, .sfbk or delta file.  The first line says what it is: good, not ours or damaged; whose it is
    can only be told with --keys.  With --der and --signed OpenSSL can check the signature, as below.

    \b
    Examples:
      spboot inspect app-1.1.0.sfb --keys keys
      spboot inspect app-1.1.0.sfb --keys lamp-keys --keys torch-keys
      spboot inspect app-1.1.0.sfb --der sig.der --signed signed.bin
      openssl dgst -sha256 -verify keys/verify.pem -signature sig.der signed.bin
    """
    data = kinds.read(file, kinds.UPDATE, kinds.DELTA)
    _write_signature(file, data, der, signed)
    given = signing.to_check(key_folders, access)
    with files.named(file):
        facts = inspect(data, given or None)
        verdict, why = judge(data, given or None)
    if as_json:
        click.echo(json.dumps({"verdict": verdict, "why": why, **facts}, indent=2))
        return
    tables.say(f"{file}: {verdict}: {why}", _COLOURS[verdict])
    table = Table(show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if value is not None:
            table.add_row(name.replace("_", " "), str(value))
    Console().print(table)


def _write_signature(file: Path, data: bytes, der: Path | None, signed: Path | None) -> None:
    outputs = [path for path in (der, signed) if path]
    if not outputs:
        return
    if is_delta_file(data):
        raise SpbootError(f"{file} is a delta file, which nobody signs: give an .sfb or .sfbp file")
    if der and signed and der.absolute() == signed.absolute():
        raise SpbootError(f"{der} is named by both --der and --signed: give each a file of its own")
    for path in outputs:
        files.check_output(path, file)
    header = release.Artefact.parse(data).header
    if der:
        files.write(der, signature.to_der(header.signature))
    if signed:
        files.write(signed, header.signed())
