"""The public half of a key folder, for those who check updates: PEM, DER, C, or a folder without secrets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from spboot import disk
from spboot.errors import KeyFolderError
from spboot.keys.folder import PRODUCT, VERIFY, check_free, product_text
from spboot.keys.keys import Keys

SUFFIXES: Final = (".pem", ".der", ".h")
_A_LINE: Final = 12


def exported(keys: Keys, suffix: str) -> bytes:
    """The public key as .pem or .der (SubjectPublicKeyInfo), or as .h, a C array.  Raises KeyFolderError for others."""
    if suffix == ".pem":
        return keys.verify.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if suffix == ".der":
        return keys.verify.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if suffix == ".h":
        return _array(keys).encode()
    raise KeyFolderError(f"a public key is written as {', '.join(SUFFIXES)}, found {suffix or 'no ending'!r}")


def _array(keys: Keys) -> str:
    """65 bytes as SEC 1 has a point without compression (2.3.3), which mbedTLS, PSA and others read."""
    point = keys.verify.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    name = re.sub(r"\W", "_", f"{keys.product}_verify_key")
    name = f"_{name}" if name[0].isdigit() else name
    lines = [
        "    " + " ".join(f"0x{byte:02x}," for byte in point[at : at + _A_LINE]) for at in range(0, len(point), _A_LINE)
    ]
    return "\n".join(
        (
            f"/* Public key of product {keys.product}, fingerprint {keys.fingerprint}: P-256, 0x04, x, y. */",
            "#include <stdint.h>",
            "",
            f"static const uint8_t {name}[{len(point)}] = {{",
            *lines,
            "};",
            "",
        )
    )


def copy(keys: Keys, folder: Path) -> None:
    """A key *folder* for checkers: verify.pem and product.toml, no secret.  Raises KeyFolderError: it has keys;
    DiskError."""
    check_free(folder)
    disk.make_folder(folder)
    disk.write(folder / VERIFY, exported(keys, ".pem"))
    disk.write(folder / PRODUCT, product_text(keys.product, keys.development, keys.index))
