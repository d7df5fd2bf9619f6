"""Runs: files that a device must not take.  What has to be made for them is made in memory, and nowhere else."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from spboot import disk, release
from spboot.boards import Board
from spboot.dossier.claim import Check, Input, Outcome
from spboot.dossier.subject import Bench, Subject, offer, settle
from spboot.formats.manifest import MANIFEST_SIZE
from spboot.formats.signature import SIGNATURE_SIZE
from spboot.formats.spec import record, spec
from spboot.image import Image
from spboot.keys import Keys
from spboot.releases import Release
from spboot.version import Version

_CODES: Final = {name: number for number, (name, _) in enumerate(spec()["status"]["codes"])}
_SIGNATURE: Final = slice(MANIFEST_SIZE, MANIFEST_SIZE + SIGNATURE_SIZE)
_OTHER: Final = "SPBOOT-DOSSIER"
"""Name of a product and of a board that are nobody's: what is signed for them no device takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """A file, and the codes of [status] that it may be refused by.  *early*: before any flash is touched."""

    id: str
    words: str
    data: bytes
    codes: tuple[str, ...]
    early: bool = True
    name: str = ""
    """Of a file of a release; made for the run when there is none."""


def checks(subject: Subject) -> Iterator[Check]:
    """A file of each kind, sent to the device that the release is for, or to one that has it already."""
    before = [*_changed(subject), *_signed(subject)]
    if subject.board.slot1 is None:
        late = [bad for bad in before if not bad.early]
        before = [bad for bad in before if bad.early]
        subject.gaps.append(
            f"Not run: {' and '.join(bad.words for bad in late)}. With a single slot these are written over the old "
            "application before they are refused, and the device stays in its loader."
        )
    for bad in before:
        yield _check(subject, bad, subject.base, lambda: subject.before)
    for bad in _old(subject):
        yield _check(subject, bad, subject.release, lambda: subject.after)


def _check(subject: Subject, bad: Bad, has: Release | None, bench: Callable[[], Bench]) -> Check:
    """*has*: the release that the device of *bench* left production with."""
    who = subject.device_words(has)
    return Check(
        group="refusals",
        id=f"refuse-{bad.id}",
        sentence=f"{who[0].upper()}{who[1:]} refuses {bad.words}: it says why, its application stays as it was, byte "
        "for byte, and it starts as before.",
        run="twin: the file sent to the loader by YMODEM, SLOT0 compared, reset",
        inputs=(subject.device_input(has), Input.of(bad.name or f"{bad.id}, made in memory for this run", bad.data)),
        act=lambda: _refused(subject, bad, bench()),
    )


def _refused(subject: Subject, bad: Bad, bench: Bench) -> Outcome:
    device, parts = bench.device(), subject.board.slot0.parts
    before = [device.twin.flash_read(part.address, part.size) for part in parts]
    verdict = offer(device, bad.data)
    log = device.twin.log
    touched = sum(log.erases(part.address, part.end) + log.programs(part.address, part.end) for part in parts)
    words = (
        verdict.words if verdict is not None and verdict.words else ("the device did not say what it made of the file",)
    )
    known = any(f"code {_CODES[code]}:" in line for line in words for code in bad.codes)
    refused = verdict is not None and not verdict.accepted and known
    same = not touched and [device.twin.flash_read(part.address, part.size) for part in parts] == before
    device.reset()
    device.heard.clear()
    settle(device)
    same = same and device.version == bench.version
    return Outcome(
        holds=refused and same,
        found=words,
        counts={"flash operations in SLOT0": touched, "in all": len(log)},
    )


def _changed(subject: Subject) -> Iterator[Bad]:
    """The full image of the release, changed."""
    data = subject.data(subject.release.image)
    head, broken = MANIFEST_SIZE + SIGNATURE_SIZE, ("IMAGE_VERIFY_ALG_FAILURE",)
    hash_at = record("manifest").field("image_hash").offset
    yield Bad(id="manifest", words="the image with one bit of its manifest changed", codes=broken,
              data=_flipped(data, hash_at))  # fmt: skip
    yield Bad(id="signature", words="the image with one bit of its signature changed", codes=broken,
              data=_flipped(data, head - 1))  # fmt: skip
    yield Bad(id="unsigned", words="the image without a signature", codes=broken,
              data=data[: _SIGNATURE.start] + bytes(SIGNATURE_SIZE) + data[_SIGNATURE.stop :])  # fmt: skip
    yield Bad(id="first-chunk", words="the image with one bit of its first chunk changed", codes=broken,
              data=_flipped(data, head))  # fmt: skip
    if len(data) - head > spec()["chunk"]["data_size"] + spec()["chunk"]["hash_size"]:
        yield Bad(id="last-byte", words="the image with one bit of its last byte changed", early=False,
                  codes=("INVALID_PATCH_TAG",), data=_flipped(data, len(data) - 1))  # fmt: skip
    yield Bad(id="truncated", words="the first half of the image", early=False, codes=("TOO_FEW_BYTES",),
              data=data[: max(head + 1, len(data) // 2)])  # fmt: skip
    yield Bad(id="no-update", words="a file that is no update", codes=("INVALID_PATCH_IMAGE",),
              data=subject.data(subject.release.application), name=subject.release.application.file)  # fmt: skip
    yield Bad(id="other-key", words="an image that was signed with another key", codes=broken,
              data=release.full_image(subject.image, keys=subject.stranger))  # fmt: skip


def _signed(subject: Subject) -> Iterator[Bad]:
    """What the signing key of the product signs, and the device still must not take."""
    if not subject.can_sign:
        subject.gaps.append("Not run: images for another product and another board. The signing key is not here.")
        return
    keys: Keys = dataclasses.replace(subject.keys, product=_OTHER)
    yield Bad(id="other-product", words="an image of another product, signed with its own key",
              codes=("INVALID_SECTION_KEY",), data=release.full_image(subject.image, keys=keys))  # fmt: skip
    board: Board = dataclasses.replace(subject.board, name=_OTHER)
    image: Image = dataclasses.replace(subject.image, board=board)
    yield Bad(id="other-board", words="an image for another board, signed with its own key", codes=("WRONG_BOARD",),
              data=release.full_image(image, keys=subject.keys))  # fmt: skip


def _old(subject: Subject) -> Iterator[Bad]:
    """What is not above the release."""
    item = subject.release.image
    yield Bad(id="same-version", words="the version that it has", codes=("SAME_VERSION",), data=subject.data(item),
              name=item.file)  # fmt: skip
    if subject.base is not None:
        older = subject.base.image
        yield Bad(id="older-version", words=f"the older version {subject.base.version}",
                  codes=("IMAGE_VERSION_FAILURE",), name=older.file,
                  data=disk.read(subject.base.path(older)))  # fmt: skip
        return
    below = _below(subject.release.version)
    if below is None or not subject.can_sign:
        why = "The signing key is not here." if below else "There is no lower version."
        subject.gaps.append(f"Not run: an older version sent to a device. {why}")
        return
    image: Image = dataclasses.replace(subject.image, version=below)
    yield Bad(id="older-version", words=f"the older version {below}", codes=("IMAGE_VERSION_FAILURE",),
              data=release.full_image(image, keys=subject.keys))  # fmt: skip


def _below(version: Version) -> Version | None:
    """A version just below; None where there is none."""
    packed = version.pack() - 1
    return Version.unpack(packed) if packed > 0 else None


def _flipped(data: bytes, at: int) -> bytes:
    """One bit of the byte *at* changed."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
