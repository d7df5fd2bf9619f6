"""A signer in an HSM, smart card or other token, by PKCS#11: `--signer pkcs11:token=NAME;object=KEY`.

Token and key are named by a URI (RFC 7512): token, serial, object and id say which; behind ? come module-path, the
library of the token's maker, and pin-source, a file with the PIN.  The private key never leaves the token.  Needs the
extra `pkcs11`.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import unquote, unquote_to_bytes

from spboot.errors import SignerError, not_installed
from spboot.keys import source

if TYPE_CHECKING:
    from spboot.keys.source import Source

SCHEME: Final = "pkcs11:"
MODULE: Final = "SPBOOT_PKCS11_MODULE"
_PATH: Final = ("token", "serial", "object", "id", "type")
_QUERY: Final = ("module-path", "pin-source")
_FORM: Final = "pkcs11:token=NAME;object=KEY?module-path=LIBRARY&pin-source=file:FILE"
_ALONE: Final = threading.Lock()
"""Who is logged in is a matter of the whole process."""
_NO_KEY: Final = "it has no such private key on a curve: look with `pkcs11-tool --module LIBRARY -O -l`"
_SAID: Final = {
    "NoSuchToken": "there is no such token: look at its name with `pkcs11-tool --module LIBRARY -L`",
    "MultipleTokensReturned": "several tokens are called so: add serial=... to the URI",
    "PinIncorrect": "the PIN is wrong: look before you try again, most tokens lock themselves after a few tries",
    "PinLenRange": "the PIN is wrong: it has a length that the token's PINs do not have",
    "PinLocked": "the token is locked after wrong PINs: unlock it with its maker's tool",
    "MechanismInvalid": "the token does not sign a digest by ECDSA (mechanism CKM_ECDSA): it cannot sign updates",
}
"""Errors of PKCS#11 that a person can mend, by the name of their class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSigner:
    """The private key *label* or *id*, or the only one, of the token called *token*.  *module*: path of the library.

    *pin*: the PIN, or who is asked for it when neither the URI nor SPBOOT_PIN of the environment has it.

    >>> TokenSigner.parse("pkcs11:token=lamp;object=signing?module-path=/usr/lib/softhsm/libsofthsm2.so").label
    'signing'
    """

    module: str
    token: str
    serial: str | None = None
    label: str | None = None
    id: bytes | None = None
    pin_file: Path | None = None
    pin: Source = field(default=None, repr=False)

    @classmethod
    def parse(cls, uri: str) -> Self:
        """The signer of a PKCS#11 URI (RFC 7512).  Raises SignerError: what is wrong with it, and its form."""
        path, _, query = uri.removeprefix(SCHEME).partition("?")
        names = _attributes(path, ";", _PATH) | _attributes(query, "&", _QUERY)
        if "token" not in names:
            raise SignerError(f"the signer's URI names no token, expected {_FORM}")
        if names.get("type", "private") != "private":
            raise SignerError(f"the signer's URI has type={names['type']}, expected type=private or none")
        module = unquote(names["module-path"]) if "module-path" in names else os.environ.get(MODULE)
        if not module:
            raise SignerError(
                f"no PKCS#11 library is named: add ?module-path=LIBRARY to the URI, or set {MODULE} to its path"
            )
        pin = unquote(names["pin-source"]).removeprefix("file:").removeprefix("//") if "pin-source" in names else None
        return cls(
            module=module,
            token=unquote(names["token"]),
            serial=unquote(names["serial"]) if "serial" in names else None,
            label=unquote(names["object"]) if "object" in names else None,
            id=unquote_to_bytes(names["id"]) if "id" in names else None,
            pin_file=Path(pin) if pin else None,
        )

    def asking(self, pin: Source) -> Self:
        """The same, with *pin*."""
        return replace(self, pin=pin)

    def sign(self, digest: bytes) -> bytes:
        """r || s.  Raises SignerError: which of library, token, PIN and key does not do; ExtraError."""
        try:
            import pkcs11
        except ImportError:
            raise not_installed("signing by PKCS#11", "pkcs11") from None
        if not Path(self.module).is_file():
            raise SignerError(f"{self.module}: there is no such PKCS#11 library: correct module-path or {MODULE}")
        try:
            with _ALONE:
                return self._signed(pkcs11, digest)
        except (pkcs11.exceptions.PKCS11Error, RuntimeError) as error:
            known = _SAID.get(type(error).__name__)
            what = known or f"the token refused: {type(error).__name__} {error}".rstrip()
            raise SignerError(f"token {self.token!r}: {what}; nothing was signed") from None

    def _signed(self, pkcs11: Any, digest: bytes) -> bytes:
        serial = {"token_serial": self.serial.encode()} if self.serial else {}
        token = pkcs11.lib(self.module).get_token(token_label=self.token, **serial)
        # Not in a variable: a traceback would show it.
        with token.open(user_pin=self._pin()) as session:
            found = list(session.get_objects(self._template(pkcs11)))
            if len(found) != 1:
                what = "several private keys of it are called so: add id=..." if found else _NO_KEY
                raise SignerError(f"token {self.token!r}: {what}; nothing was signed")
            return bytes(found[0].sign(digest, mechanism=pkcs11.Mechanism.ECDSA))

    def _template(self, pkcs11: Any) -> dict[Any, Any]:
        """What the key is known by."""
        attribute = pkcs11.Attribute
        template = {attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY, attribute.KEY_TYPE: pkcs11.KeyType.EC}
        if self.label is not None:
            template[attribute.LABEL] = self.label
        if self.id is not None:
            template[attribute.ID] = self.id
        return template

    def _pin(self) -> str:
        pin = source.first_line(self.pin_file) if self.pin_file else source.obtained(self.pin, source.PIN)
        if pin is None:
            raise SignerError(
                f"token {self.token!r} wants its PIN: set {source.PIN}, or add pin-source=file:FILE to the URI"
            )
        try:
            return bytes(pin).decode()
        except UnicodeDecodeError:
            raise SignerError(
                f"token {self.token!r}: the PIN is not UTF-8 text, expected its digits or letters"
            ) from None


def _attributes(text: str, between: str, known: tuple[str, ...]) -> dict[str, str]:
    """Name -> value, still with its percent signs."""
    found: dict[str, str] = {}
    for part in filter(None, text.split(between)):
        name, is_there, value = part.partition("=")
        if name == "pin-value":
            raise SignerError(f"a PIN does not belong on a command line: set {source.PIN}, or use pin-source=file:FILE")
        if name not in known or not is_there or not value:
            raise SignerError(
                f"the signer's URI has {name!r}, expected NAME=VALUE with one of {', '.join(known)}: {_FORM}"
            )
        if name in found:
            raise SignerError(f"the signer's URI has {name} twice, expected {_FORM}")
        found[name] = value
    return found
