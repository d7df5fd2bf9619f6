"""Makes a bootloader or a release a second time, in another folder, and compares all files byte by byte."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from spboot import disk, releases
from spboot.boards import Board
from spboot.builder import bootloader as builder
from spboot.builder import personal
from spboot.builder.build_record import BuildRecord
from spboot.builder.production import phrase
from spboot.errors import BuildError
from spboot.formats.signature import to_der
from spboot.keys import Keys
from spboot.making import Making, postbuild
from spboot.release import Artefact
from spboot.releases import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of both makings.  *at*: the first byte that differs, which is the length where one is the other's
    beginning; None when they are the same."""

    name: str
    size: int
    at: int | None
    missing: str = ""
    """"first" or "second" where one of them has no such file."""

    def __str__(self) -> str:
        if self.missing:
            return f"{self.name}: the {self.missing} making has none"
        return f"{self.name}: {'the same' if self.at is None else f'differs from byte {self.at} on'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What came of a second making."""

    files: tuple[File, ...]
    reasons: tuple[str, ...]
    """What else is not the same: compiler, sources, board file ...; where files differ, the likely causes."""

    @property
    def different(self) -> tuple[File, ...]:
        """The files that are not there twice, or not the same."""
        return tuple(each for each in self.files if each.at is not None or each.missing)

    @property
    def same(self) -> bool:
        """Whether every file is there twice, byte for byte."""
        return bool(self.files) and not self.different


def of_bootloader(folder: Path, board: Board, keys: Keys) -> Comparison:
    """Build the bootloader for *board* again that `spboot build` wrote to *folder*, by the compiler of its record.

    Raises BuildError: no bootloader, other keys than *keys*, no such compiler; FormatError, DiskError."""
    first = BuildRecord.load(folder, board.name)
    image = disk.read(folder / f"spboot-{board.name}.bin")
    personal.check_made_for(image, board, keys)
    with _scratch() as place:
        user_data = personal.user_data_of(image)
        production = first.production or None
        confirmation = phrase(board, keys)  # given when it was built first
        builder.build(
            board, keys, place, compiler=first.compiler, user_data=user_data, production=production,
            confirmation=confirmation,
        )  # fmt: skip
        second = BuildRecord.load(place, board.name)
        names = {path.relative_to(place) for path in place.rglob("*") if path.is_file()}
        return Comparison(files=tuple(_compare(folder, place, names)), reasons=tuple(_changed(first, second)))


def of_release(release: Release, board: Board, keys: Keys, bootloader: Path) -> Comparison:
    """Make all files of *release* again: of its application, the bootloader in *bootloader*, and the releases beside
    it that its patches start from.

    *keys* need not sign: each signature of the release is checked and taken, where what is signed is the same.  Raises
    BuildError: a release that a patch starts from is not there; as `postbuild` does."""
    kept = releases.all_in(release.folder.parent, name=release.name, board=release.board)
    bases = [each for each in kept if each.version in {item.base for item in release.patches}]
    if absent := {item.base for item in release.patches} - {each.version for each in bases}:
        raise BuildError(
            f"{release.folder.parent}: there is no release {min(str(each) for each in absent)}, from which a patch of "
            f"{release.version} starts: put its folder back"
        )
    making = Making(
        app=release.path(release.application),
        board=board,
        keys=replace(keys, signing=_Kept.of(keys, release)),
        version=release.version,
        name=release.name,
        bootloader=bootloader,
        git=release.git,
        dirty=Path(release.image.file).stem.endswith("-dirty"),
    )
    with _scratch() as place:
        try:
            second = postbuild(making, place, bases).folder
        except _OtherError as error:
            return Comparison(files=(), reasons=(str(error),))
        listed = {Path(item.file) for item in release.items} | {Path(releases.FILE)}
        made = {path.relative_to(second) for path in second.iterdir()}
        return Comparison(files=tuple(_compare(release.folder, second, listed | made)), reasons=())


class _OtherError(Exception):
    """What would be signed is not what was signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A Signer that gives the signature which is kept, whatever made it, for what was signed already."""

    keys: Keys
    signatures: tuple[bytes, ...]

    @classmethod
    def of(cls, keys: Keys, release: Release) -> Self:
        """By the signatures of the updates in *release*."""
        updates = [Artefact.parse(disk.read(release.path(item))) for item in (release.image, *release.patches)]
        return cls(keys=keys, signatures=tuple(each.header.signature for each in updates))

    def sign(self, digest: bytes) -> bytes:
        """DER."""
        for signature in self.signatures:
            if self.keys.signed(digest, signature):
                return to_der(signature)
        raise _OtherError(
            "an update that is made now is another than the one that was signed: other keys, or an spboot that makes "
            "another patch; use the one that made the release"
        )


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """A folder for the second making, which is gone afterwards: there are keys in it."""
    with tempfile.TemporaryDirectory(prefix="spboot-") as name:
        yield Path(name) / "second"


def _compare(first: Path, second: Path, names: Iterable[Path]) -> Iterator[File]:
    for name in sorted(names):
        one, two = (folder / name for folder in (first, second))
        text = name.as_posix()
        if not one.is_file() or not two.is_file():
            missing = "second" if one.is_file() else "first"
            yield File(name=text, size=0, at=None, missing=missing)
            continue
        yield File(name=text, size=one.stat().st_size, at=_difference(disk.read(one), disk.read(two)))


def _difference(one: bytes, two: bytes) -> int | None:
    """The first byte that differs; None when none does."""
    if one == two:
        return None
    return next((at for at, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))


def _changed(first: BuildRecord, second: BuildRecord) -> Iterator[str]:
    """What two records say of different inputs."""
    if first.spboot != second.spboot:
        yield f"spboot was {first.spboot}, is {second.spboot}"
    if first.compiler_version != second.compiler_version:
        yield f"the compiler was {first.compiler_version}, is {second.compiler_version}"
    if first.development != second.development:
        yield "the keys are marked for development in one of them only"
    for what, one, two in (
        ("source", first.sources, second.sources),
        ("generated file (board, part or formats)", first.generated, second.generated),
    ):
        changed = sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))
        if changed:
            yield f"another {what}: {', '.join(changed)}"
