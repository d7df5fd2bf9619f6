"""The example `gui` as a user builds it, and the screen that it has to show, drawn here from the same assets."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import spboot
from examples.gui.assets import generate
from spboot.releases import Release
from spboot.twin.display.frame import Frame
from tests.integrations.project import Edit, Project

BOARD: Final = "DISCO-F469I-EXT"
QUICK: Final = "PANEL"
_PLAN: Final = """
[flash]
bootloader = { address = 0x0800_0000, size = 0x8000 }
slot0 = [{ address = 0x0800_8000, size = 0x8000 }, { address = 0x9000_0000, size = 0x40000 }]
slot1 = [{ address = 0x9004_0000, size = 0x8000 }, { address = 0x9004_8000, size = 0x40000 }]
journal = { address = 0x0810_0000, size = 0x4000 }

"""
"""Pages of 16 KB inside: of 128 KB, as BOARD has them, each update of code writes one whole."""
DRAWN: Final = "gui: drawn\r\n"
WIDTH, HEIGHT = 320, 240
_WINDOW: Final = 0x90000000
_SHOWN_S: Final = 0.1
_DATA: Final = Path(spboot.__file__).parent
WHITE, GREY, AMBER = 0xFFFF, 0x4208, 0xFD20

CODE: Final[Sequence[Edit]] = (
    ("src/screen.c", "#define PROGRESS 40u", "#define PROGRESS 75u"),
    ("src/screen.c", '"COTTON 40"', '"COTTON 60"'),
)
PICTURE: Final[Sequence[Edit]] = (("assets/assets.toml", "seed = 11\n", "seed = 77\n"),)
SMALL: Final[Sequence[Edit]] = (
    ("assets/assets.toml", "width = 320\nheight = 240\n", "width = 320\nheight = 24\n"),
    ("assets/assets.toml", "width = 120\nheight = 90\n", "width = 48\nheight = 32\n"),
    ("assets/assets.toml", "height = 28\n", "height = 14\n"),
)
"""A background of the uppermost part alone, a small photo, small letters."""
FONT: Final[Sequence[Edit]] = (("assets/assets.toml", "weight = 30\n", "weight = 60\n"),)


def quick_board(folder: Path) -> Path:
    """The file of a board like BOARD whose twin needs less time: with small pages inside, and a chip that erases in
    2 ms, as loops that wait are what a twin is slow at."""
    text = (_DATA / "boards" / "data" / "external" / f"{BOARD}.toml").read_text(encoding="utf-8")
    text = re.sub(r"\n\[flash\]\n.*?\n\n", _PLAN, text, flags=re.DOTALL).replace('"N25Q128A"', '"QUICK.toml"')
    chip = (_DATA / "chips" / "nor" / "N25Q128A.toml").read_text(encoding="utf-8")
    chip = chip.replace("[250_000, 800_000]", "[2_000, 800_000]").replace("[700_000,", "[5_600,")
    (folder / "QUICK.toml").write_text(chip, encoding="utf-8")
    (folder / f"{QUICK}.toml").write_text(text, encoding="utf-8")
    return folder / f"{QUICK}.toml"


@dataclass(frozen=True, slots=True)
class Built:
    """A release, and the board that it is for."""

    project: Project
    board: spboot.Board
    release: Release

    def patch(self, version: str) -> Path:
        """From *version*."""
        (found,) = (item for item in self.release.patches if str(item.base) == version)
        return self.release.path(found)

    def started(self) -> spboot.Device:
        """A new device that runs it."""
        device = spboot.Device(self.board, strict="all")
        device.program(next(self.release.folder.glob("BOOT_*.hex")))
        device.power_on()
        drawn(device)
        return device


def first_release(folder: Path, *, quick: bool = False, gallery: bool = False) -> Built:
    """Version 1.0.0, built by the commands of the README and kept.  *quick*: for a quick board, with small assets;
    *gallery*: with those that are not shown."""
    board = str(quick_board(folder.parent)) if quick else BOARD
    project = Project.new("gui", folder, board=board)
    if quick:
        project.board = QUICK
        project.run("git", "tag", "-d", "v1.0.0")
        project.edit(SMALL)
        project.commit("v1.0.0")
    configure, build = project.typed
    project.run(*configure, *(() if gallery else ("-DGALLERY=0",)))
    said = project.run(*build, "-t", "app_release")
    assert "warning" not in said, said
    generate.PAINTERS.append(folder / "build" / "assets")
    return Built(project, spboot.Board.load(board), project.release("releases", "1.0.0"))


def next_release(first: Built, edits: Sequence[Edit], version: str) -> Built:
    """What *first* is with *edits*, as another version."""
    project = first.project
    project.run("git", "checkout", "-q", "v1.0.0")
    project.edit(edits)
    project.commit(f"v{version}")
    said = project.run("cmake", "--build", "build")
    assert "warning" not in said, said
    return Built(project, first.board, project.release("out", version))


class Canvas:
    """A frame buffer of RGB565, drawn as draw.h says."""

    def __init__(self) -> None:
        self.pixels = [0] * (WIDTH * HEIGHT)

    def put(self, x: int, y: int, colour: int, alpha: int = 255) -> None:
        if x < WIDTH and y < HEIGHT and alpha == 255:
            self.pixels[y * WIDTH + x] = colour
        elif x < WIDTH and y < HEIGHT and alpha:
            under, mixed = self.pixels[y * WIDTH + x], 0
            for shift, mask in ((11, 31), (5, 63), (0, 31)):
                over, below = colour >> shift & mask, under >> shift & mask
                mixed |= (over * alpha + below * (255 - alpha) + 127) // 255 << shift
            self.pixels[y * WIDTH + x] = mixed

    def picture(self, asset: generate.Asset, left: int, top: int) -> None:
        data, size = asset.data(), asset.size // asset.width // asset.height
        for number in range(asset.width * asset.height):
            value = int.from_bytes(data[number * size : number * size + size], "little")
            x, y = left + number % asset.width, top + number // asset.width
            if size == 2:
                self.put(x, y, value)
            else:
                red, green, blue = value >> 19 & 31, value >> 10 & 63, value >> 3 & 31
                self.put(x, y, red << 11 | green << 5 | blue, value >> 24)

    def box(self, left: int, top: int, width: int, height: int, colour: int) -> None:
        for y in range(top, top + height):
            for x in range(left, left + width):
                self.put(x, y, colour)

    def text(self, font: generate.Font, words: str, left: int, top: int) -> None:
        for word in words:
            rows = generate.letters()[ord(word)]
            for y in range(font.height):
                for x in range(font.width):
                    self.put(left + x, top + y, WHITE, 17 * font.alpha(rows, x, y))
            left += font.width + font.height // 8

    def frame(self) -> Frame:
        """As LTDC shows it: the lowest bits of a channel are its highest ones again (RM0090 16.4.2)."""
        rgb = bytearray()
        for pixel in self.pixels:
            red, green, blue = pixel >> 11, pixel >> 5 & 63, pixel & 31
            rgb += bytes((red << 3 | red >> 2, green << 2 | green >> 4, blue << 3 | blue >> 2))
        return Frame(width=WIDTH, height=HEIGHT, rgb=bytes(rgb))


@dataclass(frozen=True, slots=True)
class Shown:
    """What a version shows."""

    version: str
    title: str
    progress: int
    seed: int
    weight: int

    def frame(self, toml: Path) -> Frame:
        """The screen, with the assets of *toml* but for photo and large font, which are this version's."""
        return _screen(self, toml)


@cache
def _screen(shown: Shown, toml: Path) -> Frame:
    table = tomllib.loads(toml.read_text(encoding="utf-8"))
    pictures = {each["name"]: generate.Asset(**each) for each in table["picture"]}
    fonts = {each["name"]: generate.Font(**each) for each in table["font"]}
    before = pictures["photo"]
    photo = generate.Asset(name="photo", kind="photo", seed=shown.seed, width=before.width, height=before.height)
    large = generate.Font(name="large", height=fonts["large"].height, weight=shown.weight)
    canvas = Canvas()
    canvas.picture(pictures["background"], 0, 0)
    canvas.picture(photo, 16, 56)
    for place, name in enumerate(("start", "warm", "spin", "lock")):
        canvas.picture(pictures[f"icon_{name}"], 160 + 72 * (place % 2), 52 + 60 * (place // 2))
    canvas.text(large, shown.title, 16, 14)
    canvas.text(fonts["small"], "TIME LEFT 1:25", 16, 170)
    canvas.box(16, 192, 288, 12, GREY)
    canvas.box(18, 194, 284 * shown.progress // 100, 8, AMBER)
    canvas.text(fonts["small"], f"VERSION {shown.version}", 16, 216)
    return canvas.frame()


FIRST: Final = Shown("1.0.0", "COTTON 40", 40, 11, 30)
CHANGES: Final = {
    "code": (CODE, Shown("1.1.0", "COTTON 60", 75, 11, 30)),
    "picture": (PICTURE, Shown("1.2.0", "COTTON 40", 40, 77, 30)),
    "font": (FONT, Shown("1.3.0", "COTTON 40", 40, 11, 60)),
    "assets": ((*PICTURE, *FONT), Shown("1.4.0", "COTTON 40", 40, 77, 60)),
}
"""What becomes of the first version: edits, and what is shown then."""


def drawn(device: spboot.Device) -> None:
    """Until the screen is drawn and shown, which may have been said already."""
    if DRAWN.encode() not in device.heard:
        device.read_until(DRAWN, 120)
    device.wait(_SHOWN_S)


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one update.  *image*, *patch*: bytes of the files; erases inside, of SLOT1 and of assets; virtual seconds."""

    name: str
    image: int
    patch: int
    inside: int
    waiting: int
    assets: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.name}: patch {self.patch:,} bytes of {self.image:,}, erases: {self.inside} inside,"
            f" {self.waiting} of SLOT1, {self.assets} of assets; {self.seconds:.1f} s"
        )


def updated(device: spboot.Device, name: str, built: Built) -> Figures:
    """The device takes the patch from the first version through its application, until it has drawn."""
    log, slot1, file = device.twin.log, built.board.slot1, built.patch(FIRST.version)
    assert slot1 is not None

    def erases() -> tuple[int, int, int]:
        return log.erases(0, _WINDOW), log.erases(slot1.address), log.erases(_WINDOW, slot1.address)

    before, began = erases(), device.port.now()
    device.heard.clear()
    device.update(file, through="application")
    drawn(device)
    seconds = device.port.now() - _SHOWN_S - began
    inside, waiting, assets = (after - number for after, number in zip(erases(), before, strict=True))
    image = built.release.path(built.release.image)
    sizes = image.stat().st_size, file.stat().st_size
    return Figures(name, *sizes, inside=inside, waiting=waiting, assets=assets, seconds=seconds)
