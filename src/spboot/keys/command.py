"""A signer that is a program: `--signer CMD`.

The line is cut into words as a POSIX shell does, on Windows by quotes alone, so that \\ stays what it is there.  No
shell sees it.  In its words {digest} becomes the path of a file with the 32 bytes of the digest, and {signature} the
path where the program puts the signature.  Without {digest} the program reads 64 hex digits and a newline from its
standard input; without {signature} the signature is what it prints.  It ends with 0.  What it says on stderr, and what
it asks on the terminal, a person sees.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from spboot.disk import reason
from spboot.errors import SignerError
from spboot.keys import source

DIGEST: Final = "{digest}"
SIGNATURE: Final = "{signature}"
PRIVATE: Final = (source.PASSPHRASE, source.ENCRYPTION_KEY, source.PIN)
"""Variables of the environment with a secret of ours, which is none of the program's business."""


def words(line: str, *, windows: bool = os.name == "nt") -> tuple[str, ...]:
    """The words of a command *line*.  Raises SignerError: a quote is open, or there is none."""
    try:
        found = shlex.split(line, posix=not windows)
    except ValueError as error:
        raise SignerError(f"the signer's command line {line!r} cannot be read: {error}; close it") from None
    if not found:
        raise SignerError("the signer's command line is empty, expected a program and its arguments, or pkcs11:...")
    return tuple(_bare(word) for word in found) if windows else tuple(found)


def _bare(word: str) -> str:
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'" else word


@dataclass(frozen=True, slots=True)
class CommandSigner:
    """A program that signs.  *command*: it and its arguments; see the head of this module.

    >>> CommandSigner.parse("openssl pkeyutl -sign -inkey far.pem -in {digest} -out {signature}").command[0]
    'openssl'
    """

    command: tuple[str, ...] = field(repr=False)  # somebody may have typed a PIN

    @classmethod
    def parse(cls, line: str) -> Self:
        """The signer of a command line.  Raises SignerError."""
        return cls(words(line))

    def sign(self, digest: bytes) -> bytes:
        """What the program answers.  Raises SignerError: it cannot be started, it failed, or it said nothing."""
        try:
            with tempfile.TemporaryDirectory(prefix="spboot-sign-") as folder:
                return self._answer(digest, Path(folder))
        except OSError as error:
            raise SignerError(f"{error.filename or 'the digest'}: {reason(error)}; nothing was signed") from None

    def _answer(self, digest: bytes, folder: Path) -> bytes:
        places = {DIGEST: folder / "digest.bin", SIGNATURE: folder / "signature"}
        places[DIGEST].write_bytes(digest)
        command = list(self.command)
        for mark, path in places.items():
            command = [word.replace(mark, str(path)) for word in command]
        listens = not any(DIGEST in word for word in self.command)
        writes = any(SIGNATURE in word for word in self.command)
        said = self._run(command, f"{digest.hex()}\n".encode() if listens else None)
        if not writes:
            answer, place = said, "on its standard output"
        else:
            answer = places[SIGNATURE].read_bytes() if places[SIGNATURE].is_file() else b""
            place = f"in the file that stood for {SIGNATURE}"
        if not answer:
            raise SignerError(
                f"the signer {self.command[0]} ended well and left no signature {place}: look at its line"
            )
        return answer

    def _run(self, command: list[str], stdin: bytes | None) -> bytes:
        environment = {name: text for name, text in os.environ.items() if name not in PRIVATE}
        try:
            done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, env=environment, check=False)
        except OSError as error:
            raise SignerError(
                f"the signer {self.command[0]} cannot be started: {reason(error)}; expected a program and its arguments"
            ) from None
        if done.returncode:
            how = f"with exit code {done.returncode}" if done.returncode > 0 else f"by signal {-done.returncode}"
            raise SignerError(
                f"the signer {self.command[0]} ended {how}, expected 0: what it said stands above; nothing was signed"
            )
        return done.stdout
