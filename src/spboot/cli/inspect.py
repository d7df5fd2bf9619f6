"""`spboot inspect`: what an update file or a delta file says about itself."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from spboot import boards, release
from spboot.cli import files, kinds, options
from spboot.errors import AuthenticationError, SpbootError
from spboot.formats import payload, signature
from spboot.formats.delta_file import HEAD_SIZE, DeltaHead, is_delta_file
from spboot.formats.manifest import KIND_IMAGE, name_id
from spboot.keys import Keys
from spboot.version import Version

_Facts = dict[str, str | int | None]


@click.command("inspect")
@click.argument("file", type=options.PATH)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--der", type=options.PATH, metavar="OUT", help="Write the signature as other tools read it (DER).")
@click.option("--signed", type=options.PATH, metavar="OUT", help="Write the bytes that it signs.")
@click.option(
    "--keys", "key_folder", type=options.PATH, metavar="DIR", help="Key folder: name the product, check it all."
)
def command(file: Path, as_json: bool, key_folder: Path | None, der: Path | None, signed: Path | None) -> None:
    """Show every field of FILE (.sfb, .sfbp, delta file).

    With --der sig.der --signed signed.bin, OpenSSL can check the signature:
    openssl dgst -sha256 -verify keys/verify.pem -signature sig.der signed.bin"""
    data = kinds.read(file, kinds.UPDATE, kinds.DELTA)
    _write_signature(file, data, der, signed)
    secrets = Keys.load(key_folder) if key_folder else None
    with files.named(file):
        facts = _delta_facts(data) if is_delta_file(data) else _update_facts(data, secrets)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    table = Table(show_header=False, title=str(file), title_justify="left")
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


def _delta_facts(data: bytes) -> _Facts:
    head = DeltaHead.parse(data)
    return {
        "kind": "delta file",
        "new_size": head.new_size,
        "check": head.check.hex(),
        "stream_size": len(data) - HEAD_SIZE,
    }


def _update_facts(data: bytes, secrets: Keys | None) -> _Facts:
    artefact = release.Artefact.parse(data)
    header, manifest = artefact.header, artefact.header.manifest
    is_image = manifest.kind == KIND_IMAGE
    facts: _Facts = {
        "kind": "full image" if is_image else "patch",
        "product": f"{manifest.product:#010x}",
        "product_name": secrets.product if secrets and name_id(secrets.product) == manifest.product else None,
        "target": f"{manifest.target:#010x}",
        "target_name": next((name for name in boards.names() if name_id(name) == manifest.target), None),
        "signature_count": manifest.signature_count,
        "key_index": manifest.key_index,
        "trailer_size": manifest.trailer_size,
        "version": str(Version.unpack(manifest.version)),
        "image_size": manifest.image_size,
        "payload_size": manifest.payload_size,
        "base_version": None if is_image else str(Version.unpack(manifest.base_version)),
        "base_hash": None if is_image else manifest.base_hash.hex(),
        "salt": manifest.salt.hex(),
        "image_hash": manifest.image_hash.hex(),
        "chunk_hash": header.chunk_hash.hex(),
        "signature": header.signature.hex(),
        "chunks": _chain(artefact),
    }
    if secrets:
        facts["check"] = _check(data, secrets)
    return facts


def _chain(artefact: release.Artefact) -> str:
    try:
        count = len(list(payload.chunks(artefact.wire, artefact.header.chunk_hash)))
    except AuthenticationError as error:
        return str(error)
    return f"{count}, each fits the next"


def _check(data: bytes, secrets: Keys) -> str:
    try:
        image = release.verify(data, secrets).image
    except SpbootError as error:
        return str(error)
    return "signature and chunks good" + (", decodes to the signed image" if image is not None else "")
