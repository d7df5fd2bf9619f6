"""Release folders as `spboot postbuild` makes them, from the bytes of updates."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def entry(name: str, data: bytes, seconds: float) -> dict[str, Any]:
    return {"file": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "seconds": seconds}


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
    name = f"lamp-{version}.sfb"
    (folder / name).write_bytes(full)
    facts: dict[str, Any] = {
        "format": 1,
        "name": "lamp",
        "board": board,
        "product": product,
        "version": version,
        "full": entry(name, full, costs.get("", len(full) / 10_000)),
        "patches": [],
    }
    for base, data in (patches or {}).items():
        name = f"lamp-{base}-{version}.sfbp"
        (folder / name).write_bytes(data)
        made = entry(name, data, costs.get(base, len(data) / 10_000)) | {"from": base, "pages": 3}
        facts["patches"].append(made)
    (folder / "release.json").write_text(json.dumps(facts, indent=2), encoding="utf-8")
    return folder
