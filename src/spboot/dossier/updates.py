"""Runs: the updates of a release, whole and with the power cut."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Final

from spboot import release
from spboot.device import Device
from spboot.dossier.claim import Check, Outcome, lines_with
from spboot.dossier.subject import Subject, settle
from spboot.errors import DeviceError, LinkError, SpbootError
from spboot.image import Image
from spboot.releases import Item, Release

_SAID: Final = ("received", "install", "SLOT0 holds", "starting ")
_WAYS: Final = ("{at}", "{at}:after", "{at}:torn:random={at}")
"""Cuts in turn: before an operation, after it, and in the middle of it."""
_OLD, _NEW, _LOADER = "the old version", "the new version", "its loader"


def checks(subject: Subject, points: int) -> Iterator[Check]:
    """Full image and patches; of the full image and of the newest patch *points* cuts."""
    yield from _verified(subject)
    image = subject.release.image
    yield _installs(subject, "update-image", "the full image", image, subject.base)
    known = {each.version: each for each in subject.older}
    for item in subject.release.patches:
        base = known.get(item.base) if item.base else None
        if base is None:
            subject.gaps.append(f"The patch from {item.base} was not run: that release is not kept beside this one.")
        else:
            yield _installs(subject, f"update-patch-{item.base}", f"the patch from {item.base}", item, base)
    yield _cut(subject, "cuts-image", "full image", image, points)
    for item in subject.release.patches:
        if subject.base is not None and item.base == subject.base.version:
            yield _cut(subject, "cuts-patch", f"patch from {item.base}", item, points)


def _verified(subject: Subject) -> Iterator[Check]:
    updates = (subject.release.image, *subject.release.patches)
    yield Check(
        group="signatures",
        id="signatures",
        sentence="Every update of the release is signed by ECDSA on P-256 over SHA-256 with the key of the product, "
        "names product and board, and decodes to the application of the release.",
        run="host: each update checked by another implementation than the bootloader's, and decoded",
        inputs=tuple(subject.given(item) for item in updates),
        act=lambda: _verify(subject, updates),
    )


def _verify(subject: Subject, updates: tuple[Item, ...]) -> Outcome:
    known = {each.version: each for each in subject.older}
    decoded = 0
    for item in updates:
        base = known.get(item.base) if item.base else None
        old = Image.load(base.path(base.application), subject.board, base.version) if base else None
        report = release.verify(subject.data(item), subject.keys, old=old, board=subject.board)
        if report.image is not None and (report.image, report.rest) != (subject.image.data, subject.image.rest):
            return Outcome(holds=False, found=(f"{item.file} decodes to another application",))
        decoded += report.image is not None
    counts = {"signatures checked": len(updates), "decoded to the application": decoded}
    return Outcome(holds=True, found=(), counts=counts)


def _installs(subject: Subject, name: str, words: str, item: Item, base: Release | None) -> Check:
    who = subject.device_words(base)
    return Check(
        group="updates",
        id=name,
        sentence=f"{who[0].upper()}{who[1:]} takes {words}, installs it and starts version {subject.release.version}.",
        run="twin: the device as it left production, the file sent to its loader by YMODEM",
        inputs=(subject.device_input(base), subject.given(item)),
        act=lambda: _install(subject, item, base),
    )


def _install(subject: Subject, item: Item, base: Release | None) -> Outcome:
    bench = subject.before if base is subject.base else subject.bench(base)
    device = bench.device()
    _deliver(device, subject.data(item))
    log, board = device.twin.log, subject.board
    image = subject.image
    installed = device.twin.flash_read(board.image_address, len(image.data)) == image.data
    if board.slot0.rest is not None:
        installed = installed and device.twin.flash_read(board.slot0.rest.address, len(image.rest)) == image.rest
    return Outcome(
        holds=installed and device.version == str(subject.release.version),
        found=lines_with(device.heard, *_SAID),
        counts={"bytes of the file": item.size, "flash operations": len(log), "erases": log.erases()},
    )


def _cut(subject: Subject, name: str, words: str, item: Item, points: int) -> Check:
    bare = subject.board.slot1 is None or subject.base is None
    states = (_LOADER, _NEW) if bare else (_OLD, _NEW)
    return Check(
        group="cuts",
        id=name,
        sentence=f"A power cut in the middle of the update by the {words} loses no device: it comes back with "
        f"{' or '.join(states)} and takes the update again.",
        run=f"twin: power cut at {points} flash operations of the update, evenly from the first to the last, in turn "
        "before, after and in the middle of one; then power again, and the update again where it is not there",
        inputs=(subject.device_input(subject.base), subject.given(item)),
        act=lambda: _sweep(subject, item, points, states),
    )


def _sweep(subject: Subject, item: Item, points: int, states: tuple[str, ...]) -> Outcome:
    """*states*: with what a device may come back."""
    data, version = subject.data(item), str(subject.release.version)
    total = _operations(subject, data)
    came: Counter[str] = Counter()
    lost: list[str] = []
    ats = [number * (total - 1) // max(1, points - 1) for number in range(min(points, total))]
    for number, at in enumerate(ats):
        cut = _WAYS[number % len(_WAYS)].format(at=at)
        device = subject.before.device()
        device.cut(cut)
        try:
            state = _comes_back(subject, device, data)
            came[state] += 1
            if state not in states:
                lost.append(f"{cut}: it comes back with {state}")
                continue
            if device.version != version:
                device.reset()
                device.call("loader")
                _deliver(device, data)
            if device.version != version:
                lost.append(f"{cut}: it does not take the update again")
        except SpbootError as error:
            lost.append(f"{cut}: {error}")
    counts = {"flash operations of the update": total, "power cuts": len(ats), "lost devices": len(lost)}
    counts |= {f"came back with {state}": came[state] for state in sorted(came)}
    return Outcome(holds=not lost and bool(ats), found=tuple(f"lost at cut {each}" for each in lost), counts=counts)


def _operations(subject: Subject, data: bytes) -> int:
    """Flash operations from the first byte of the update to the start of what it installs."""
    device = subject.before.device()
    before = device.twin.log.total
    device.send(data)
    device.wait_for_start()
    return device.twin.log.total - before


def _comes_back(subject: Subject, device: Device, data: bytes) -> str:
    """Send *data*, in the middle of which power is cut, and see what runs then, in words."""
    _deliver(device, data)
    if device.twin.log.cut is not None:
        raise DeviceError("the power was not cut")
    known = {None: _LOADER, str(subject.release.version): _NEW}
    if subject.base is not None:
        known[str(subject.base.version)] = _OLD
    return known.get(device.version, f"version {device.version}")


def _deliver(device: Device, data: bytes) -> None:
    """Send *data* to *device*, which has called, and wait until an application starts or the loader speaks."""
    device.heard.clear()
    with contextlib.suppress(LinkError):
        device.send(data)
    settle(device)
