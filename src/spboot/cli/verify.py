"""`spboot verify`: check an update file as a device would."""

from __future__ import annotations

from pathlib import Path

import click

from spboot import keys, release
from spboot.cli import files, options
from spboot.version import Version


@click.command("verify")
@click.argument("file", type=options.PATH)
@options.keys
@click.option(
    "--from", "old", type=options.PATH, metavar="OLD", help="The patch's base as .bin: decode the patch, too."
)
def command(file: Path, key_folder: Path, old: Path | None) -> None:
    """Check FILE (.sfb, .sfbp): signature, every chunk, and that it decodes to the signed image."""
    base = files.read(old) if old else None
    report = release.verify(files.read(file), keys.load(key_folder), old=base)
    manifest = report.artefact.header.manifest
    version = Version.unpack(manifest.version)
    click.echo(f"signature good, {report.chunk_count} chunks good")
    if report.image is None:
        click.echo(f"patch from {Version.unpack(manifest.base_version)} to {version}; give --from OLD to decode it")
    else:
        click.echo(f"decodes to image {version}, {len(report.image)} bytes, SHA-256 {manifest.image_hash.hex()}")
