"""What an update file or a delta file says about itself."""

from __future__ import annotations

from collections.abc import Iterable

from spboot import boards, release
from spboot.errors import AuthenticationError, SpbootError
from spboot.formats import payload
from spboot.formats.delta_file import HEAD_SIZE, DeltaHead, is_delta_file
from spboot.formats.manifest import KIND_IMAGE, KIND_KEYS, name_id
from spboot.keys import Keys
from spboot.rotation import Rotation
from spboot.version import Version

Facts = dict[str, str | int | None]
"""Name of a field -> its value; None: it has none."""
GOOD, NOT_OURS, DAMAGED, UNCHECKED = "good", "not ours", "damaged", "not checked"
"""What a file can be."""
CHAINED = "each chunk fits the next"
"""What can be said without keys."""


def judge(update: bytes, keys: Keys | Iterable[Keys] | None = None) -> tuple[str, str]:
    """What the update or delta file *update* is (GOOD, NOT_OURS, DAMAGED or UNCHECKED), and why, with the remedy.

    Without *keys* nobody knows whose it is, but a chunk that does not fit the next one is seen.  Raises FormatError.

    >>> judge(patch(old, new, keys=keys), keys)
    ('good', 'signature and chunks good')
    """
    if is_delta_file(update):
        return UNCHECKED, "a delta file has no signature: `spboot delta apply` compares its check"
    artefact = release.Artefact.parse(update)
    broken = _chain_error(artefact)
    if broken:
        return DAMAGED, broken
    given = _listed(keys)
    if not given:
        return UNCHECKED, f"{CHAINED}; whose it is tell its keys: give --keys"
    if artefact.header.manifest.product not in {name_id(each.product) for each in given}:
        products = " or ".join(dict.fromkeys(repr(each.product) for each in given))
        return NOT_OURS, f"for another product than {products}: give the keys of its product, or another file"
    signer = release.signed_by(update, given)
    if signer is None and len(given) > 1:
        return NOT_OURS, _nobodys(given)
    try:
        report = release.verify(update, signer or given[0])
    except AuthenticationError as error:
        return NOT_OURS, str(error)
    except SpbootError as error:
        return DAMAGED, str(error)
    return GOOD, _praise(report)


def _listed(keys: Keys | Iterable[Keys] | None) -> list[Keys]:
    return [] if keys is None else [keys] if isinstance(keys, Keys) else list(keys)


def inspect(update: bytes, keys: Keys | Iterable[Keys] | None = None) -> Facts:
    """Every field of an update (.sfb, .sfbp, .sfbk) or delta file by name, as `spboot inspect --json` prints them.

    Nothing is checked without *keys*; with them, "check" says what `verify` finds, and "signed_by" the fingerprint of
    those whose key signed it; None: no key of theirs.  Raises FormatError.

    >>> facts = inspect(patch(old, new, keys=keys))
    >>> facts["kind"], facts["base_version"], facts["version"], facts["target_name"]
    ('patch', '1.0.0', '1.1.0', 'NUCLEO-L476RG')
    """
    return _delta_facts(update) if is_delta_file(update) else _update_facts(update, _listed(keys))


def _delta_facts(data: bytes) -> Facts:
    head = DeltaHead.parse(data)
    return {
        "kind": "delta file",
        "new_size": head.new_size,
        "check": head.check.hex(),
        "stream_size": len(data) - HEAD_SIZE,
    }


def _update_facts(data: bytes, given: list[Keys]) -> Facts:
    artefact = release.Artefact.parse(data)
    header, manifest = artefact.header, artefact.header.manifest
    if manifest.kind == KIND_KEYS:
        return _key_facts(data, given)
    signed_by = release.signed_by(data, given)
    names = {name_id(each.product): each.product for each in given}
    is_image = manifest.kind == KIND_IMAGE
    facts: Facts = {
        "kind": "full image" if is_image else "patch",
        "product": f"{manifest.product:#010x}",
        "product_name": names.get(manifest.product),
        "target": f"{manifest.target:#010x}",
        "target_name": boards.of_id(manifest.target),
        "trial": "until it confirms itself" if manifest.trial else "no",
        "signature_count": manifest.signature_count,
        "key_index": manifest.key_index,
        "trailer_size": manifest.trailer_size,
        "version": str(Version.unpack(manifest.version)),
        "image_size": manifest.image_size,
        "external_size": manifest.external.size if manifest.external else None,
        "payload_size": manifest.payload_size,
        "base_version": None if is_image else str(Version.unpack(manifest.base_version)),
        "base_hash": None if is_image else manifest.base_hash.hex(),
        "salt": manifest.salt.hex(),
        "image_hash": manifest.image_hash.hex(),
        "external_hash": manifest.external.hash.hex() if manifest.external else None,
        "chunk_hash": header.chunk_hash.hex(),
        "signature": header.signature.hex(),
        "chunks": _chain(artefact),
    }
    if given:
        facts["signed_by"] = signed_by.fingerprint if signed_by else None
        facts["check"] = _check(data, signed_by or given[0]) if signed_by or len(given) == 1 else _nobodys(given)
    return facts


def _key_facts(data: bytes, given: list[Keys]) -> Facts:
    found = Rotation.parse(data)
    header, manifest = found.artefact.header, found.artefact.header.manifest
    facts: Facts = {
        "kind": "key",
        "product": f"{manifest.product:#010x}",
        "product_name": {name_id(each.product): each.product for each in given}.get(manifest.product),
        "target": f"{manifest.target:#010x}",
        "target_name": boards.of_id(manifest.target),
        "signature_count": manifest.signature_count,
        "index": found.index,
        "new_key": found.fingerprint,
        "table_hash": manifest.image_hash.hex(),
        "chunk_hash": header.chunk_hash.hex(),
        "signature": header.signature.hex(),
    }
    if given:
        signed_by = release.signed_by(data, given)
        facts["signed_by"] = signed_by.fingerprint if signed_by else None
        facts["check"] = _check(data, signed_by or given[0]) if signed_by or len(given) == 1 else _nobodys(given)
    return facts


def _chain(artefact: release.Artefact) -> str:
    count = -(-len(artefact.wire) // payload.CHUNK_SIZE)
    return _chain_error(artefact) or f"{count}, each fits the next"


def _chain_error(artefact: release.Artefact) -> str:
    """What is wrong with the chain of chunks; "" when nothing is."""
    try:
        list(payload.chunks(artefact.wire, artefact.header.chunk_hash))
    except AuthenticationError as error:
        return str(error)
    return ""


def _nobodys(given: list[Keys]) -> str:
    keys = ", ".join(each.fingerprint for each in given)
    return (
        f"the signature is none by a key that was given ({keys}): the file was damaged or changed, or give other keys"
    )


def _check(data: bytes, secrets: Keys) -> str:
    try:
        return _praise(release.verify(data, secrets))
    except SpbootError as error:
        return str(error)


def _praise(report: release.Report) -> str:
    if report.artefact.header.manifest.kind == KIND_KEYS:
        return "signature good, and the table is that of a key"
    if report.stream is None:
        return "signature and chunks good, not decoded without the encryption key"
    return "signature and chunks good" + (", decodes to the signed image" if report.image is not None else "")
