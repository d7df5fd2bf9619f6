"""Which signer a line of text names."""

from __future__ import annotations

from spboot.keys.command import CommandSigner
from spboot.keys.signer import Signer
from spboot.keys.source import Source
from spboot.keys.token import SCHEME, TokenSigner


def named_by(text: str, pin: Source = None) -> Signer:
    """The token of a URI that begins with pkcs11:, else the program of a command line.  *pin*: see TokenSigner.

    Raises SignerError: what is wrong with *text*."""
    if text.lstrip().startswith(SCHEME):
        return TokenSigner.parse(text.strip()).asking(pin)
    return CommandSigner.parse(text)
