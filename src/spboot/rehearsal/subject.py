"""What is rehearsed: a device as it leaves the factory, and the updates that it is to take."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any, Self

from spboot import release
from spboot.boards import Board
from spboot.builder.bootloader import Bootloader
from spboot.builder.merge import merge
from spboot.chips.silence import Silence
from spboot.disk import read
from spboot.errors import VersionError
from spboot.formats import program
from spboot.formats.program import Program
from spboot.image import Image
from spboot.keys import Keys
from spboot.releases import Release
from spboot.trial import wanted
from spboot.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A *board* with *factory* in its flash, which runs *old*, and updates to *new* by their names: "image", perhaps
    "patch", and "further", an image above *new* that a device which runs *new* can take.

    >>> subject = Subject.made(board, keys, boot, old, new)
    >>> [name for name, data in subject.updates], str(subject.further)
    (['image', 'patch', 'further'], '1.1.1')
    """

    board: Board
    factory: Program = field(repr=False)
    old: Version
    new: Version
    updates: tuple[tuple[str, bytes], ...] = field(repr=False)
    trial: bool
    """Whether *new* is on trial until it confirms itself."""
    further: Version | None = None
    silence: Silence = field(default_factory=Silence)
    """What the twin keeps silent, beside what the board names."""
    key: str = ""
    """What *old* and *new* call for an update at, when it is typed; "": they take none."""
    settle: float = 0.5
    """Virtual seconds from its start in which an application confirms itself."""

    def update(self, name: str) -> bytes | None:
        """The update of that name; None when there is none."""
        return dict(self.updates).get(name)

    @classmethod
    def made(
        cls, board: Board, keys: Keys, bootloader: Bootloader | str | PathLike[str], old: Image, new: Image, **more: Any
    ) -> Self:
        """Of two versions of an application; *keys* sign, *more* are other fields.  Raises SpbootError, as `merge`,
        `full_image`, `patch`."""
        if old.version >= new.version:
            raise VersionError(f"from {old.version} to {new.version}: expected two versions, the lower one first")
        top = Version(new.version.major, new.version.minor, new.version.patch + 1)
        updates = {"image": release.full_image(new, keys=keys)}
        if board.slot1 is not None:
            updates["patch"] = release.patch(old, new, keys=keys)
        updates["further"] = release.full_image(replace(new, version=top), keys=keys)
        return cls(
            board=board,
            factory=merge(bootloader, old, keys=keys),
            old=old.version,
            new=new.version,
            further=top,
            updates=tuple(updates.items()),
            trial=wanted(new.data, board),
            **more,
        )

    @classmethod
    def released(cls, board: Board, old: Release, new: Release, **more: Any) -> Self:
        """Of the files of two releases, as they go out: no key is needed.  *more* as above.  Raises SpbootError."""
        factory = next((item for item in old.factory if item.file.endswith(".hex")), None)
        if factory is None:
            raise VersionError(f"{old.folder}: no factory file (.hex): make the release again with a bootloader")
        updates = {"image": read(new.path(new.image))}
        for item in new.patches:
            if item.base == old.version:
                updates["patch"] = read(new.path(item))
        return cls(
            board=board,
            factory=program.load(old.path(factory), board.bootloader.address),
            old=old.version,
            new=new.version,
            updates=tuple(updates.items()),
            trial=wanted(Image.load(new.path(new.application), board, new.version).data, board),
            **more,
        )
