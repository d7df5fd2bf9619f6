"""What can go wrong through no fault of ours.

SpbootError                 base of all: the command line prints its message and exits 1
|- FormatError              bytes that are not what they should be (file, manifest, payload, patch stream)
|- AuthenticationError      a signature, hash or key that does not fit
|- BoardError               a board or chip that is unknown, or a board file with a mistake
|- VersionError             a version that cannot be
|- ProjectError             a project file with a mistake
|- KeyFolderError           a key folder that is missing, incomplete or unreadable
|- SignerError              a signer outside of the key folder that failed, or signed with another key
|- BuildError               compiler or linker failed, or a budget was exceeded
|- LinkError                the other end of a serial line did not do its part
|- DeviceError              a device was asked for what it cannot do, or did not do what it was asked for
|- ExtraError               a part of spboot that is not installed here, with the command that installs it
|- TwinError                the emulated chip refused what silicon would refuse, or its image is unusable

Every message says what was found, what was expected and what to do.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


class SpbootError(Exception):
    """Base of every error that is not a bug of ours.

    >>> try:
    ...     Board.load("nucleo-l476rg")
    ... except SpbootError as error:
    ...     print(error)
    unknown board 'nucleo-l476rg'; did you mean NUCLEO-L476RG?
    """


class FormatError(SpbootError):
    """Bytes that are not what they should be."""


class AuthenticationError(SpbootError):
    """A signature, hash or key that does not fit."""


class BoardError(SpbootError):
    """A board or chip that is unknown, or a board file with a mistake."""


class VersionError(SpbootError):
    """A version that cannot be."""


class ProjectError(SpbootError):
    """A project file with a mistake."""


class KeyFolderError(SpbootError):
    """A key folder that is missing, incomplete or unreadable."""


class SignerError(SpbootError):
    """A signer outside of the key folder that failed, or signed with another key."""


class BuildError(SpbootError):
    """Compiler or linker failed, or a budget was exceeded."""


class LinkError(SpbootError):
    """The other end of a serial line did not do its part."""


class DeviceError(SpbootError):
    """A device was asked for what it cannot do, or did not do what it was asked for."""


class TwinError(SpbootError):
    """The emulated chip refused what silicon would refuse, or its image is unusable."""


class ExtraError(SpbootError):
    """A part of spboot that is not installed here, with the command that installs it."""


def not_installed(what: str, extra: str) -> ExtraError:
    """The error about *what* is missing, which the *extra* of the package brings."""
    return ExtraError(f'{what} is not installed here: pip install "spboot[{extra}]"')


@contextlib.contextmanager
def named(path: str | os.PathLike[str]) -> Iterator[None]:
    """Errors of what is inside are about *path*, and say so."""
    try:
        yield
    except SpbootError as error:
        if str(error).startswith(str(path)):
            raise
        raise type(error)(f"{path}: {error}") from None
