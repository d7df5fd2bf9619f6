"""What the two updates of `spboot demo` cost on each board, measured on its twin and kept in costs.json.

`make costs` renews the file, `make costs BOARDS="NAME ..."` those boards in it: half a minute to two minutes each."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import spboot
from spboot import boards
from spboot.boards import Board
from spboot.builder.demo import build_demo, cargo_size
from spboot.device.cost import Cost, measure
from spboot.device.upgrade import START_S
from spboot.version import Version

PATH: Final = Path(__file__).with_name("costs.json")
_VERSIONS: Final = ("1.0.0", "1.1.0", "1.2.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One update of a board: bytes of file and image, seconds of the twin's time, pages erased in all areas."""

    kind: str
    image_bytes: int
    file_bytes: int
    line_s: float
    flash_s: float
    all_s: float
    pages: int


def load() -> dict[str, list[Update]]:
    """Board -> its updates, as they were measured last."""
    kept = json.loads(PATH.read_text(encoding="utf-8"))
    return {name: [Update(**update) for update in updates] for name, updates in kept.items()}


def measured(board: Board, folder: Path) -> list[Update]:
    """A full image through the loader, then a patch through the application, or another image with a single slot."""
    keys = spboot.Keys.new(folder / "keys", "demo", development=True)
    boot = spboot.build(board, keys=keys, folder=folder / "boot")
    size = cargo_size(board)
    old, middle, new = (
        spboot.Image.load(build_demo(board, Version.parse(version), folder, cargo_size=size), board, version)
        for version in _VERSIONS
    )
    image, last = folder / "demo.sfb", folder / "demo.sfbp"
    image.write_bytes(spboot.full_image(middle, keys=keys))
    with spboot.Device(board) as device:
        device.program(spboot.merge(boot, old, keys=keys))
        device.power_on()
        device.call("loader")
        first = _update(device, image, "full image", len(middle.data))
        if board.slot1 is None:
            last.write_bytes(spboot.full_image(new, keys=keys))
            device.type("r")
            device.call("loader")
            return [first, _update(device, last, "full image", len(new.data))]
        last.write_bytes(spboot.patch(middle, new, keys=keys))
        device.call("application")
        return [first, _update(device, last, "patch", len(new.data))]


def _update(device: spboot.Device, file: Path, kind: str, size: int) -> Update:
    cost: Cost = measure(device, file, name=kind, image_size=size, ready=b"r resets", seconds=START_S)
    line, flash, until = (round(value, 2) for value in (cost.line_s, cost.flash_s, cost.all_s))
    return Update(
        kind=kind,
        image_bytes=size,
        file_bytes=cost.file_bytes,
        line_s=line,
        flash_s=flash,
        all_s=until,
        pages=cost.pages,
    )


def renew(names: list[str]) -> None:
    """Measure the boards *names* again and write the file, after each."""
    kept = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else {}
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            updates = measured(Board.load(name), Path(folder))
        kept[name] = [asdict(each) for each in updates]
        print(name, *(f"{each.kind}: {each.all_s} s" for each in updates), flush=True)
        there = {name: kept[name] for name in boards.names() if name in kept}
        PATH.write_text(json.dumps(there, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    renew(sys.argv[1:] or list(boards.names()))
