"""Who signs, and where secrets come from: options of commands that load a key folder; the two steps of signing."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from spboot.boards import Board
from spboot.cli import files
from spboot.cli.options import PATH
from spboot.cli.telling import Telling
from spboot.errors import FormatError, SpbootError
from spboot.formats.manifest import KIND_IMAGE, KIND_KEYS, KIND_PATCH, Manifest, name_id
from spboot.keys import ENCRYPTION, Keys, SignatureFile, Signer, named_by
from spboot.keys.folder import FILES, parse_encryption
from spboot.keys.source import ENCRYPTION_KEY, first_line
from spboot.release import Unsigned
from spboot.secret import Secret
from spboot.version import Version

UNSIGNED: Final = ".unsigned"
"""Behind the name of the output: the work file of the first step."""

_signer = click.option(
    "--signer", metavar="CMD", help="Program that signs (docs/keys.md), or pkcs11:URI, in place of signing.pem."
)
_passphrase = click.option(
    "--passphrase-file",
    type=PATH,
    metavar="FILE",
    help="File with the passphrase of signing.pem; else it is asked for.",
)
_passphrase_unasked = click.option(
    "--passphrase-file",
    type=PATH,
    metavar="FILE",
    help="File with the passphrase of signing.pem; it is not asked for, and what needs it is not run.",
)
_encryption = click.option(
    "--encryption-key", type=PATH, metavar="FILE", help="File with the AES key, when the key folder has none."
)
_digest_out = click.option(
    "--digest-out", type=PATH, metavar="FILE", help="Sign elsewhere: write what is to be signed here (.bin: raw)."
)
_signature_in = click.option(
    "--signature-in", type=PATH, metavar="FILE", help="Sign elsewhere, second step: the signature that came back."
)


def asked(what: str, *, twice: bool = False) -> Callable[[], bytes] | None:
    """Asks for *what* on the terminal without showing it, once; None where there is no terminal."""
    if sys.stdin is None or not sys.stdin.isatty():
        return None

    @functools.cache
    def ask() -> Secret:
        return Secret(str(click.prompt(what, hide_input=True, confirmation_prompt=twice, err=True)).encode())

    return ask


@dataclass(frozen=True, kw_only=True)
class Access:
    """How a command comes to the secrets of a key folder."""

    signer: str | None = None
    passphrase_file: Path | None = None
    encryption_key: Path | None = None
    digest_out: Path | None = None
    signature_in: Path | None = None

    def load(self, folder: Path, *, need_private: bool = False) -> Keys:
        """The keys of *folder*; *need_private*: who signs, too, now or in a second step."""
        later = self.digest_out is not None
        file = self.passphrase_file
        return Keys.load(
            folder,
            need_private=need_private and not later and self.signature_in is None,
            signer=self._other_signer(),
            passphrase=first_line(file) if file else asked(f"Passphrase of {folder}"),
            encryption=self._encryption,
        )

    def check(self, output: Path, folder: Path, *inputs: Path) -> None:
        """Refuse, before any work, options that do not go together, and outputs that cannot be: *inputs* and the files
        of the key *folder* are not written over."""
        ways = {"--signer": self.signer, "--digest-out": self.digest_out, "--signature-in": self.signature_in}
        given = [name for name, value in ways.items() if value]
        if len(given) > 1:
            raise click.UsageError(f"{' and '.join(given)} are ways to sign: give one of them")
        taken = (*inputs, *(folder / name for name in FILES))
        files.check_output(output, *taken)
        if self.digest_out:
            files.check_output(self.digest_out, *taken)
            if self.digest_out.resolve() in (output.resolve(), _work(output).resolve()):
                raise SpbootError(f"{self.digest_out} is the output or its work file: give --digest-out another name")

    def write(self, output: Path, update: Unsigned, keys: Keys, tell: Telling) -> None:
        """Sign *update* and put it at *output*.  With --digest-out it waits there for its signature."""
        manifest = update.artefact.header.manifest
        if self.digest_out is None:
            made = update.signed(keys)
            files.write(output, made)
            _tell_facts(tell, output, manifest, keys, len(made))
            size = f"{len(made)} bytes"
            if manifest.kind != KIND_KEYS:
                size += f" for {manifest.image_size} of firmware"
                if manifest.external is not None:
                    size += f" and {manifest.external.size} in external flash"
            tell.say(f"{output}: {_words(manifest)}, {size}, key {keys.fingerprint}")
            return
        raw = self.digest_out.suffix == ".bin"
        files.write(_work(output), update.pack())
        files.write(self.digest_out, update.digest if raw else f"{update.digest.hex()}\n".encode())
        _tell_facts(tell, output, manifest, keys, None)
        tell.say(f"{self.digest_out}: the SHA-256 that key {keys.fingerprint} has to sign")
        tell.say(
            f"{_work(output)}: waits for the signature: the same line with --signature-in in place of --digest-out"
        )

    def complete(self, output: Path, folder: Path, board: Board, version: Version, tell: Telling) -> None:
        """The second step: the work file gets the signature that came back.  Reads no secret, and no application."""
        assert self.signature_in is not None
        keys = Keys.load(folder, public=True, signer=SignatureFile(self.signature_in))
        work = _work(output)
        if not work.exists():
            raise SpbootError(
                f"{work} is missing: make it with --digest-out first, or bring it from where that was done"
            )
        with files.named(work):
            update = Unsigned.parse(files.read(work))
            update.check(keys)
        manifest = update.artefact.header.manifest
        found, expected = (manifest.target, manifest.version), (name_id(board.name), version.pack())
        if found != expected:
            raise FormatError(
                f"{work} is version {Version.unpack(manifest.version)} for board id {manifest.target:#010x}, expected "
                f"{version} for {board.name} ({name_id(board.name):#010x}): give --version and --board as before"
            )
        with files.named(self.signature_in):
            made = update.signed(keys)
        files.write(output, made)
        work.unlink(missing_ok=True)
        _tell_facts(tell, output, manifest, keys, len(made))
        what = _words(manifest) if manifest.kind == KIND_KEYS else f"version {version}"
        tell.say(f"{output}: {what}, {len(made)} bytes, signed by {keys.fingerprint}")

    def _other_signer(self) -> Signer | None:
        if self.signature_in is not None:
            return SignatureFile(self.signature_in)
        return named_by(self.signer, asked("PIN of the token")) if self.signer is not None else None

    @functools.cached_property
    def _encryption(self) -> bytes | None:
        """Read once: the file can be a pipe."""
        path = self.encryption_key
        return parse_encryption(first_line(path), str(path)) if path else None


def _words(manifest: Manifest) -> str:
    """What an update is, as "patch 1.0.0 -> 1.1.0"."""
    version = Version.unpack(manifest.version)
    if manifest.kind == KIND_KEYS:
        return f"key {manifest.version}"
    if manifest.kind == KIND_IMAGE:
        return f"image {version}"
    return f"patch {Version.unpack(manifest.base_version)} -> {version}"


def _tell_facts(tell: Telling, output: Path, manifest: Manifest, keys: Keys, size: int | None) -> None:
    """Those of an update; *size*: of its file, None while it waits for its signature."""
    if manifest.kind == KIND_KEYS:
        tell.facts(file=output, kind="key", index=manifest.version, bytes=size, key=keys.fingerprint)
        return
    patch = manifest.kind == KIND_PATCH
    base = {"base": Version.unpack(manifest.base_version)} if patch else {}
    tell.facts(file=output, kind="patch" if patch else "image", **base, version=Version.unpack(manifest.version))
    tell.facts(bytes=size, image_bytes=manifest.image_size, key=keys.fingerprint)
    if manifest.external is not None:
        tell.facts(external_bytes=manifest.external.size)


def _work(output: Path) -> Path:
    return output.with_name(output.name + UNSIGNED)


def _collected(*options: Callable[[Any], Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """These *options* on a command, which gets them as one Access called *access*."""
    names = Access.__dataclass_fields__.keys()

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def called(**values: Any) -> None:
            own = {name: values.pop(name) for name in names if name in values}
            command(**values, access=Access(**own))

        for option in reversed(options):
            called = option(called)
        return called

    return decorate


release = _collected(_signer, _passphrase, _encryption, _digest_out, _signature_in)
"""For commands that make an update."""
factory = _collected(_signer, _passphrase, _encryption, _signature_in)
"""For commands that put a signature beside secrets anyway, and so have no second step of their own."""
several = _collected(_signer, _passphrase, _encryption)
"""For commands that sign more than one thing."""
if_any = _collected(_signer, _passphrase_unasked, _encryption)
"""For commands that leave out what nobody signs."""
reading = _collected(_encryption)
"""For commands that sign nothing."""


def to_check(folders: Iterable[Path], access: Access) -> list[Keys]:
    """The keys of *folders*, without secrets where nobody has the encryption key: then nothing is decoded."""
    elsewhere = bool(access.encryption_key or os.environ.get(ENCRYPTION_KEY))
    return [
        access.load(folder) if elsewhere or (folder / ENCRYPTION).exists() else Keys.load(folder, public=True)
        for folder in folders
    ]
