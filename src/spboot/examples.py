"""The examples: the application template, one folder for each tool that builds it, and what serves its updates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spboot import disk
from spboot.errors import SpbootError
from spboot.formats.spec import data_path

_TEMPLATE: Final = "template"
_CUBEMX: Final = "cubemx-project"
_CMAKE: Final = "cmake"
_README: Final = "README.md"
_STARTUP: Final = ("app.ld", "src/main.c", "src/start.c")
"""Of the template, what a generated project has itself."""
_BOARDS: Final = ("boards/disco-l4r9i.h", "boards/nucleo-g0b1re.h", "boards/nucleo-l476rg.h")
"""Of the template, what an operating system has itself."""
_CONSOLE: Final = ("src/main.c", "src/start.c", "src/console.c", "boards/nucleo-g0b1re.h")
"""Of the template, what an application that has tasks does otherwise, and a board that it is not for."""

_SCREEN: Final = ("src/main.c", "app.ld", *_BOARDS)
"""Of the template, what an application for another board with external flash does otherwise."""
_WEB: Final = ("src/main.c", *_BOARDS)
"""Of the template, what an application for a board with Ethernet does otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One of them.  *parts*: folders whose files it uses; *without*: those of them that it does not."""

    name: str
    tells: str
    parts: tuple[str, ...] = (_TEMPLATE,)
    without: tuple[str, ...] = ()


ALL: Final = (
    Example(name="cmake", tells="plain CMake, by Ninja or make"),
    Example(name="cubemx-cmake", tells="a CMake project of STM32CubeMX", parts=(_TEMPLATE, _CUBEMX), without=_STARTUP),
    Example(
        name="cubemx-makefile", tells="a Makefile project of STM32CubeMX", parts=(_TEMPLATE, _CUBEMX), without=_STARTUP
    ),
    Example(
        name="stm32cubeide",
        tells="files for STM32CubeIDE",
        parts=(_TEMPLATE, _CUBEMX),
        without=(*_STARTUP, "STM32L476XX_FLASH.ld"),
    ),
    Example(name="platformio", tells="PlatformIO"),
    Example(
        name="rtos-iap",
        tells="three tasks and a kernel: updates while the others stay in time, for NUCLEO-L476RG and DISCO-L4R9I",
        parts=(_TEMPLATE, _CMAKE),
        without=(*_CONSOLE, _README),
    ),
    Example(
        name="gui",
        tells="a screen of pictures and fonts in external flash, for DISCO-F469I-EXT",
        parts=(_TEMPLATE, _CMAKE),
        without=(*_SCREEN, _README),
    ),
    Example(
        name="web-iap",
        tells="a page with a form that takes updates over Ethernet, for NUCLEO-F429ZI",
        parts=(_TEMPLATE, _CMAKE),
        without=(*_WEB, _README),
    ),
    Example(name="fleet", tells="no application: updates for many devices, by a web server or by goosebit", parts=()),
    Example(name="links", tells="two files of C: an update in fragments, over a link that loses them", parts=()),
    Example(name="zephyr", tells="an application of Zephyr, by west", without=(*_STARTUP, *_BOARDS, _README)),
)


def find(name: str) -> Example:
    """The example called *name*.  Raises SpbootError."""
    for each in ALL:
        if each.name == name:
            return each
    raise SpbootError(f"no example {name!r}; there are {', '.join(each.name for each in ALL)}")


def copy(example: Example, folder: Path) -> list[Path]:
    """Put *example* and the template into *folder*, as one project; the files.

    No file that is there is replaced: Raises SpbootError, before anything is written; DiskError."""
    texts = {folder / name: text for name, text in _texts(example).items()}
    for path in texts:
        if path.exists():
            raise SpbootError(f"{path} is there, and no file is replaced: choose a new folder")
    for path, text in texts.items():
        disk.make_folder(path.parent)
        disk.write(path, text)
    return list(texts)


def _texts(example: Example) -> dict[str, bytes]:
    """Content by name.  Beside each other, the tool's files name those of the parts by a path that is not needed in one
    project."""
    found: dict[str, bytes] = {}
    readme = b""
    for part in (*reversed(example.parts), example.name):
        without = () if part == example.name else example.without
        files = {name: text for name, text in _files(data_path("examples") / part).items() if name not in without}
        readme = b"\n".join(filter(None, (files.pop(_README, b""), readme)))
        found |= files
    found[_README] = readme
    for part in example.parts:
        found = {name: text.replace(f"../{part}/".encode(), b"") for name, text in found.items()}
    return found


def _files(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.parent.name != "__pycache__")
    return {path.relative_to(folder).as_posix(): disk.read(path) for path in paths}
