"""Release folders as `spboot postbuild` makes them, from the bytes of updates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from spboot.releases import FILE, Item, Release, item
from spboot.version import Version


def write(
    folder: Path,
    version: str,
    full: bytes,
    patches: dict[str, bytes] | None = None,
    *,
    board: str,
    product: str = "demo",
    seconds: dict[str, float] | None = None,
) -> Path:
    """A release; *patches* by the version that they start from.  *seconds*: the same, "" for the full image; what is
    not there takes a second for each 10,000 bytes."""
    folder.mkdir(parents=True)
    costs = seconds or {}

    def made(name: str, data: bytes, kind: str, base: str = "") -> Item:
        (folder / name).write_bytes(data)
        found = item(folder / name, kind, Version.parse(base) if base else None)
        return replace(found, seconds=costs.get(base, len(data) / 10_000), pages=3)

    items = [made(f"lamp-{version}.sfb", full, "image"), made(f"lamp-{version}.bin", b"application", "application")]
    items += [made(f"lamp-{base}-{version}.sfbp", data, "patch", base) for base, data in (patches or {}).items()]
    release = Release(
        folder=folder,
        name="lamp",
        board=board,
        product=product,
        version=Version.parse(version),
        git=None,
        development=False,
        items=tuple(items),
    )
    (folder / FILE).write_text(release.text(), encoding="utf-8")
    return folder
