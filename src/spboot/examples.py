"""The examples: the application template, and one folder for each tool that builds it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spboot import disk
from spboot.errors import SpbootError
from spboot.formats.spec import data_path

_TEMPLATE: Final = "template"
_README: Final = "README.md"
_STARTUP: Final = ("app.ld", "src/main.c", "src/start.c")
"""Of the template, what a generated project has itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One of them.  *without*: files of the template that it has its own of."""

    name: str
    tells: str
    without: tuple[str, ...] = ()


ALL: Final = (
    Example(name="cmake", tells="plain CMake, by Ninja or make"),
    Example(name="cubemx-cmake", tells="a CMake project of STM32CubeMX", without=_STARTUP),
    Example(name="cubemx-makefile", tells="a Makefile project of STM32CubeMX", without=_STARTUP),
    Example(name="stm32cubeide", tells="STM32CubeIDE", without=("app.ld",)),
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
    """Content by name.  Beside each other the tool's files name those of the template by a path that is not needed in
    one project."""
    template = _files(data_path("examples") / _TEMPLATE)
    own = _files(data_path("examples") / example.name)
    readme = own[_README] + b"\n" + template[_README]
    kept = {name: text for name, text in template.items() if name not in example.without}
    moved = {name: text.replace(f"../{_TEMPLATE}/".encode(), b"") for name, text in own.items()}
    return kept | moved | {_README: readme.replace(f"../{_TEMPLATE}/".encode(), b"")}


def _files(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): disk.read(path) for path in paths}
