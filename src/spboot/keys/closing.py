"""A private key behind a passphrase: PKCS#8 with scrypt and AES-256-CBC, which OpenSSL reads.

`cryptography` closes a key with 2,048 rounds of PBKDF2 and takes no other number, so the file is put together here; it
opens it as it opens every other.  Layout: RFC 5958 3 (EncryptedPrivateKeyInfo), RFC 8018 A.4 (PBES2), RFC 7914 7
(scrypt).
"""

from __future__ import annotations

import base64
import secrets
import textwrap
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from spboot.secret import Secret

_COST, _BLOCKS, _PARALLEL = 1 << 14, 8, 5
"""N, r and p: 16 MB, as OpenSSL reads no key that takes more than 32; some tenths of a second a try."""
_KEY_SIZE: Final = 32
_PBES2: Final = bytes.fromhex("2a864886f70d01050d")  # 1.2.840.113549.1.5.13
_SCRYPT: Final = bytes.fromhex("2b06010401da47040b")  # 1.3.6.1.4.1.11591.4.11
_AES256_CBC: Final = bytes.fromhex("60864801650304012a")  # 2.16.840.1.101.3.4.1.42
_INTEGER, _OCTETS, _OBJECT, _SEQUENCE = 0x02, 0x04, 0x06, 0x30


def closed(key: ec.EllipticCurvePrivateKey, passphrase: Secret) -> bytes:
    """*key* in PEM form (ENCRYPTED PRIVATE KEY), which *passphrase* opens."""
    salt, start = secrets.token_bytes(16), secrets.token_bytes(AES.block_size // 8)
    derivation = Scrypt(salt=salt, length=_KEY_SIZE, n=_COST, r=_BLOCKS, p=_PARALLEL)
    encryptor = Cipher(AES(Secret(derivation.derive(passphrase))), CBC(start)).encryptor()
    padder = PKCS7(AES.block_size).padder()
    plain = Secret(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    padded = Secret(padder.update(plain) + padder.finalize())
    encrypted = encryptor.update(padded) + encryptor.finalize()
    numbers = b"".join(_integer(value) for value in (_COST, _BLOCKS, _PARALLEL, _KEY_SIZE))
    scrypt = _sequence(_tlv(_OBJECT, _SCRYPT), _sequence(_tlv(_OCTETS, salt), numbers))
    cipher = _sequence(_tlv(_OBJECT, _AES256_CBC), _tlv(_OCTETS, start))
    der = _sequence(_sequence(_tlv(_OBJECT, _PBES2), _sequence(scrypt, cipher)), _tlv(_OCTETS, encrypted))
    lines = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{lines}\n-----END ENCRYPTED PRIVATE KEY-----\n".encode()


def _tlv(tag: int, value: bytes) -> bytes:
    """DER.  *value* is below 64 KB."""
    size = len(value)
    length = bytes([size]) if size < 0x80 else b"\x81" + bytes([size]) if size < 0x100 else b"\x82" + size.to_bytes(2)
    return bytes([tag]) + length + value


def _integer(value: int) -> bytes:
    return _tlv(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def _sequence(*parts: bytes) -> bytes:
    return _tlv(_SEQUENCE, b"".join(parts))
