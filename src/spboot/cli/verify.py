"""`spboot verify`: check an update file as a device would."""

from __future__ import annotations

from pathlib import Path

import click

from spboot import boards, release
from spboot.boards import Board
from spboot.cli import files, kinds, options, signing
from spboot.cli.telling import Telling, telling
from spboot.errors import AuthenticationError, BoardError
from spboot.formats.manifest import KIND_IMAGE, KIND_KEYS, Manifest
from spboot.image import Image
from spboot.keys import Keys
from spboot.rotation import Rotation
from spboot.version import Version


@click.command("verify")
@click.argument("file", type=options.PATH)
@click.option(
    "--keys",
    "key_folders",
    required=True,
    multiple=True,
    type=options.PATH,
    metavar="DIR",
    help="Key folder, also one without secrets; several: which of them signed it?",
)
@click.option(
    "--from", "old", type=options.PATH, metavar="OLD", help="Application the patch starts from: decode it, too."
)
@click.option(
    "--board",
    "board_name",
    metavar="BOARD",
    help="Board file, when the board is your own: check that the image can start there.",
)
@telling
@signing.reading
def command(
    file: Path,
    key_folders: tuple[Path, ...],
    old: Path | None,
    board_name: str | None,
    access: signing.Access,
    tell: Telling,
) -> None:
    """Check an update file as a device would.

    FILE (.sfb, .sfbp): its signature, every chunk, and that it decodes to the signed image, for a patch with --from.
    Of a new key (.sfbk): its signature, and which key it brings.

    \b
    Examples:
      spboot verify app-1.1.0.sfb --keys keys
      spboot verify app-1.2.0.sfbp --keys keys --from app-1.1.0.elf
      spboot verify app-1.1.0.sfb --keys lamp-keys --keys torch-keys
    """
    data, given = kinds.read(file, kinds.UPDATE), signing.to_check(key_folders, access)
    with files.named(file):
        secrets = _signer_of(data, given)
        manifest = release.Artefact.parse(data).header.manifest
    if manifest.kind == KIND_KEYS:
        _told_of_key(file, data, secrets, tell)
        return
    target, base_version = manifest.target, Version.unpack(manifest.base_version)
    board = Board.load(board_name) if board_name else boards.by_id(target)
    if board is None and old is not None:
        raise BoardError(f"the update is for a board that is not ours ({target:#010x}): name its file with --board")
    base = Image.load(old, board, base_version) if old and board else None
    with files.named(file):
        report = release.verify(data, secrets, old=base, board=board)
    version, chunks = Version.unpack(manifest.version), f"{report.chunk_count} chunk{'s' * (report.chunk_count != 1)}"
    tell.facts(
        file=file, kind="image" if manifest.kind == KIND_IMAGE else "patch", version=version, key=secrets.fingerprint,
        product=secrets.product, chunks=report.chunk_count, decoded=report.image is not None,
        board=board.name if board else None, startable=bool(board and report.image is not None),
    )  # fmt: skip
    tell.say(f"{file}: good: signature good, {chunks} good", "green")
    folder = key_folders[given.index(secrets)]
    tell.say(f"signed by key {secrets.fingerprint} of product {secrets.product} ({folder})")
    if report.stream is None:
        tell.say(f"not decoded: {folder} has no encryption key, give it with --encryption-key")
        return
    if report.image is None:
        tell.say(f"patch from {base_version} to {version}; give --from OLD to decode it")
        return
    _tell_image(report.image, report.rest, manifest, tell)
    tell.say(_start(board, target))


def _tell_image(image: bytes, rest: bytes, manifest: Manifest, tell: Telling) -> None:
    version = Version.unpack(manifest.version)
    tell.say(f"decodes to image {version}, {len(image)} bytes, SHA-256 {manifest.image_hash.hex()}")
    if manifest.external is not None:
        hashed = manifest.external.hash.hex()
        tell.say(f"and to {len(rest)} bytes for external flash, SHA-256 over the hashes of each 64 KB {hashed}")


def _told_of_key(file: Path, data: bytes, secrets: Keys, tell: Telling) -> None:
    with files.named(file):
        release.verify(data, secrets)
        found = Rotation.parse(data)
    target = found.artefact.header.manifest.target
    name = boards.of_id(target) or f"{target:#010x}"
    tell.facts(
        file=file, kind="key", index=found.index, key=secrets.fingerprint, product=secrets.product,
        new_key=found.fingerprint, board=boards.of_id(target),
    )  # fmt: skip
    tell.say(f"{file}: good: signature good", "green")
    tell.say(f"signed by key {secrets.fingerprint} of product {secrets.product}")
    tell.say(f"brings key {found.index}, {found.fingerprint}, to devices of {name}: they trust no older one then")


def _start(board: Board | None, target: int) -> str:
    if board is None:
        return f"not checked: whether it can start; the board is not ours ({target:#010x}): name its file with --board"
    return f"can start on {board.name}: stack pointer and reset vector are right"


def _signer_of(data: bytes, given: list[Keys]) -> Keys:
    """Those of *given* whose key signed the update.  Raises AuthenticationError: none of them."""
    found = release.signed_by(data, given)
    if found is None and len(given) > 1:
        keys = ", ".join(each.fingerprint for each in given)
        raise AuthenticationError(
            f"the signature is wrong for each of the keys {keys}: the file was damaged or changed, or give other keys"
        )
    return found or given[0]
