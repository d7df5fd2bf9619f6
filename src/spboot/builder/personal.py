"""Makes a linked bootloader a product's own: keys, names and user data, then the hash of itself."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from spboot import boards
from spboot.boards import Board
from spboot.errors import BuildError
from spboot.formats.comb import comb_table
from spboot.formats.manifest import name_id
from spboot.formats.spec import record, spec
from spboot.keys import Keys
from spboot.secret import Secret

_ABI = record("abi")
_PERSONAL = record("personal")
_SELF_HASH: Final = _ABI.field("self_hash")
_NAME_SIZE: Final = _PERSONAL.field("product_name").size
_RESERVED_SIZE: Final = _PERSONAL.field("reserved").size
USER_DATA_SIZE: Final = _PERSONAL.field("user_data").size


def finish(image: bytes, keys: Keys, user_data: bytes = b"") -> Secret:
    """The bootloader *image* (from the start of flash) with personalisation area, size and self hash filled in.

    Works on any spboot bootloader, prebuilt ones included.  Raises BuildError."""
    facts = spec()
    abi_at, personal_at = facts["abi"]["offset"], facts["personal"]["offset"]
    image = image + b"\xff" * (-len(image) % 8)
    abi = abi_of(image) | {"boot_size": len(image), "self_hash": bytes(_SELF_HASH.size)}
    personal = personal_area(keys, user_data)
    image = Secret(image[:personal_at] + personal + image[personal_at + len(personal) :])
    image = Secret(image[:abi_at] + _ABI.pack(**abi) + image[abi_at + _ABI.size :])
    abi["self_hash"] = self_hash(image)
    return Secret(image[:abi_at] + _ABI.pack(**abi) + image[abi_at + _ABI.size :])


def abi_of(image: bytes) -> dict[str, Any]:
    """The ABI table of a bootloader whose personalisation area we know, and that takes the updates which we make.

    Raises BuildError: it is no bootloader, or one of another release."""
    facts = spec()["abi"]
    if len(image) < facts["offset"] + _ABI.size:
        raise BuildError(f"this is no spboot bootloader: it has {len(image)} bytes")
    abi = _ABI.unpack(image[facts["offset"] :])
    if abi["magic"] != facts["magic"]:
        raise BuildError(f"this is no spboot bootloader: magic is {abi['magic']:#x}, expected {facts['magic']:#x}")
    if abi["personal_size"] != _PERSONAL.size:
        raise BuildError(
            f"this bootloader has {abi['personal_size'] or 'an unknown number of'} bytes for keys and names, expected "
            f"{_PERSONAL.size}: it is of another release; build it again, or use the spboot that built it"
        )
    found, made = (abi["update_format"], abi["stream_format"]), (spec()["format"], spec()["delta"]["format"])
    if found != made:
        raise BuildError(
            f"this bootloader takes {_formats(*found)}, and this spboot makes {_formats(*made)}: it is of another "
            "release; build it again, or, where devices have it, use the spboot that built it"
        )
    return abi


def _formats(update: int, stream: int) -> str:
    """Formats that a bootloader takes, in words."""
    if not update:
        return "updates it does not name a format of"
    return f"updates of format {update} with patch streams of format {stream}"


def self_hash(image: bytes) -> bytes:
    """SHA-256 of a bootloader without its own hash and without the personalisation area."""
    facts = spec()
    hash_at, personal_at = facts["abi"]["offset"] + _SELF_HASH.offset, facts["personal"]["offset"]
    parts = image[:hash_at], image[hash_at + _SELF_HASH.size : personal_at], image[personal_at + _PERSONAL.size :]
    return hashlib.sha256(b"".join(parts)).digest()


def target_of(image: bytes) -> int | None:
    """The id of the board that the bootloader at the start of *image* was made for; None when there is none."""
    facts = spec()["abi"]
    if len(image) < facts["offset"] + _ABI.size:
        return None
    abi = _ABI.unpack(image[facts["offset"] :])
    return int(abi["target"]) if abi["magic"] == facts["magic"] else None


def personal_area(keys: Keys, user_data: bytes = b"") -> Secret:
    """The personalisation area: keys, names, user data.  Raises BuildError."""
    facts = spec()["personal"]
    if len(user_data) > USER_DATA_SIZE:
        raise BuildError(f"user data is {len(user_data)} bytes, expected at most {USER_DATA_SIZE}")
    point = keys.verify.public_numbers()
    return Secret(
        _PERSONAL.pack(
            magic=facts["magic"],
            product=name_id(keys.product),
            flags=(facts["flag_development"] if keys.development else 0) + keys.index * facts["flag_index"],
            product_name=keys.product.encode().ljust(_NAME_SIZE, b"\0"),
            reserved=b"\xff" * _RESERVED_SIZE,
            aes_key=keys.cipher_key,
            user_data=Secret(user_data.ljust(USER_DATA_SIZE, b"\xff")),
            verify_key=comb_table(point.x, point.y),
        )
    )


def user_data_of(image: bytes) -> Secret:
    """The user data in the bootloader *image*, without what fills it up."""
    found = Secret(_PERSONAL.unpack(image[spec()["personal"]["offset"] :])["user_data"])
    return Secret(found.rstrip(b"\xff"))


def check_made_for(image: bytes, board: Board, keys: Keys) -> None:
    """Raise BuildError unless *image* begins with a whole bootloader for *board* that holds the keys *keys*."""
    abi = abi_of(image)
    if abi["target"] != name_id(board.name):
        known = boards.of_id(abi["target"])
        raise BuildError(
            f"the bootloader is for another board: {f'{known}, ' if known else ''}id {abi['target']:#010x}, expected "
            f"{name_id(board.name):#010x} ({board.name}): choose another --board, or build it for this one"
        )
    if self_hash(Secret(image[: abi["boot_size"]])) != abi["self_hash"]:
        raise BuildError("the bootloader is damaged, it has another hash than it says: get it again, or build it again")
    found = _PERSONAL.unpack(image[spec()["personal"]["offset"] :])
    found |= {name: Secret(found[name]) for name in ("aes_key", "user_data")}
    point = keys.verify.public_numbers()
    same = found["verify_key"] == comb_table(point.x, point.y) and found["aes_key"] == keys.cipher_key
    if not same or found["product"] != name_id(keys.product):
        raise BuildError("the bootloader holds other keys than this key folder: build it again with these keys")
