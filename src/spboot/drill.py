"""The exercise for the day on which a signing key leaks: every release, on a twin, brought to a new key.

The new key lives in a folder that is gone at the end, and what the old key signs for the exercise is never written to a
disk: a file that brings a key is as good as a key to whoever holds it."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spboot import release
from spboot.boards import Board
from spboot.device import Device
from spboot.errors import DeviceError, FormatError, LinkError, SpbootError
from spboot.image import Image
from spboot.keys import Keys
from spboot.releases import Release
from spboot.rotation import check_board, rotation
from spboot.version import Version

STEPS: Final = {
    "starts": "the release starts as it was shipped",
    "new key": "it takes the new key, and goes on running",
    "replay": "the same file again changes nothing",
    "old key": "what the old key signs is refused: an update, and a key of the thief's",
    "update": "what the new key signs is taken: the newest application, under a higher version",
}
"""What is looked at, in this order, of each release; a device that fails one is not asked the next."""
_REFUSED: Final = "refused, code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How far the devices of one release came.  *failed*: the step of `STEPS` that went wrong, "" for none; *why*: what
    the device said."""

    version: Version
    failed: str = ""
    why: str = ""

    def mark(self, step: str) -> str:
        """ "yes", "NO" or "-", which was not reached, of a *step*."""
        at, end = list(STEPS).index(step), list(STEPS).index(self.failed) if self.failed else len(STEPS)
        return "yes" if at < end else "NO" if at == end else "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a drill showed."""

    product: str
    board: str
    old_key: str
    """Fingerprint of the key that counts as leaked."""
    outcomes: tuple[Outcome, ...]

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Releases whose devices would be lost, or would go on taking what the old key signs."""
        return tuple(each for each in self.outcomes if each.failed)

    def markdown(self) -> str:
        """Half a page."""
        rows = [f"| {' | '.join(['release', *STEPS])} |", f"|{'---|' * (1 + len(STEPS))}"]
        rows += [f"| {each.version} | {' | '.join(each.mark(step) for step in STEPS)} |" for each in self.outcomes]
        lost = [f"- {each.version}, {STEPS[each.failed]}: no. {each.why}" for each in self.failed]
        end = ["What went wrong:", "", *lost] if lost else ["Devices of every release come back from a leaked key."]
        return "\n".join(
            (
                f"# Drill: the signing key of {self.product} leaked",
                "",
                f"Board {self.board}, key {self.old_key}. Each release was programmed into an emulated board by its "
                "own factory file and brought to a new key by the update that a device in the field would get.",
                "",
                *rows,
                "",
                *(f"- **{name}**: {words}." for name, words in STEPS.items()),
                "",
                *end,
                "",
            )
        )


def drill(
    board: Board, keys: Keys, kept: Sequence[Release], *, tell: Callable[[Outcome], None] = lambda _: None
) -> Report:
    """Bring the devices of each of the releases *kept* to a new key, on twins of *board*.  *keys* sign three times.

    Nothing is written but a temporary folder, which is gone behind it.  Raises BoardError: devices of this board take
    no key; FormatError: there is no release; what reading releases and signing raise.

    >>> drill(board, keys, releases.all_in("releases")).failed
    ()
    """
    check_board(board)
    if not kept:
        raise FormatError("there is no release to exercise with: make one with `spboot postbuild --release`")
    with tempfile.TemporaryDirectory(prefix="spboot-drill-") as place:
        new = keys.successor(Path(place) / "new")
        theirs = dataclasses.replace(keys.successor(Path(place) / "theirs"), index=new.index + 1)
        files = _files(board, keys, new, theirs, kept[-1])
        outcomes = []
        for each in kept:
            outcomes.append(_outcome(board, each, files))
            tell(outcomes[-1])
    return Report(product=keys.product, board=board.name, old_key=keys.fingerprint, outcomes=tuple(outcomes))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    """Updates of the exercise, in memory alone."""

    key: bytes
    forged: tuple[bytes, ...]
    """What whoever has the old key could send."""
    update: bytes
    version: str


def _files(board: Board, keys: Keys, new: Keys, theirs: Keys, newest: Release) -> _Files:
    version = Version.unpack(newest.version.pack() + 1)
    image = Image.load(newest.path(newest.application), board, version)
    return _Files(
        key=rotation(keys, new, board),
        forged=(release.full_image(image, keys=keys), rotation(keys, theirs, board)),
        update=release.full_image(image, keys=new),
        version=str(version),
    )


def _outcome(board: Board, kept: Release, files: _Files) -> Outcome:
    with Device(board) as device:
        device.program(kept.path(kept.factory[0]))
        for step, look in _LOOKS.items():
            try:
                look(device, str(kept.version), files)
            except (DeviceError, LinkError) as error:
                return Outcome(version=kept.version, failed=step, why=str(error))
    return Outcome(version=kept.version)


def _starts(device: Device, version: str, _: _Files) -> None:
    device.power_on()
    found = device.wait_for_start()
    if found != version:
        raise DeviceError(f"it started {found}, expected {version}")


def _takes_the_key(device: Device, version: str, files: _Files) -> None:
    device.update(files.key)
    _starts(device, version, files)


def _replay(device: Device, version: str, files: _Files) -> None:
    _refuses(device, files.key)
    _starts(device, version, files)


def _refuses_the_old(device: Device, version: str, files: _Files) -> None:
    for forged in files.forged:
        _refuses(device, forged)
        _starts(device, version, files)


def _takes_the_new(device: Device, _: str, files: _Files) -> None:
    device.update(files.update)
    if device.version != files.version:
        raise DeviceError(f"it started {device.version}, expected {files.version}")


def _refuses(device: Device, update: bytes) -> None:
    try:
        device.update(update)
    except SpbootError as error:
        if _REFUSED in str(error):
            return
        raise
    raise DeviceError("it took the file, expected that it refuses it")


_LOOKS: Final = {
    "starts": _starts,
    "new key": _takes_the_key,
    "replay": _replay,
    "old key": _refuses_the_old,
    "update": _takes_the_new,
}
assert list(_LOOKS) == list(STEPS)
