"""Generated GUI applications, as TouchGFX projects are laid out: code in internal flash with tables of pointers to what
is outside, and pictures, fonts and sounds from 0x90000000 on.  The same sizes and seed give the same bytes on every
machine.  Each pair is an application and the same one with one change."""

from __future__ import annotations

import dataclasses
import hashlib
import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from examples.gui.assets import generate as assets
from examples.gui.assets.generate import Asset
from spboot import delta, disk
from spboot.builder import cargo
from spboot.builder.compiler import toolchain
from spboot.formats import program

CODE_AT: Final = 0x0800_8000
ASSETS_AT: Final = 0x9000_0000
_CORE: Final = "cm4"
_UNIT: Final = 48_000
"""Bytes of code in one file of C, about: what changes is compiled again, the rest is not."""
_OPTIONS: Final = ("-Os", "-fno-lto", "-Wno-error")
_PICTURE: Final = Asset(name="picture", kind="photo", seed=11, width=256, height=200)
"""The one that is replaced: 100 KB."""
_NEW: Final = Asset(name="new", kind="icon", seed=5, width=48, height=48)
"""The one that is inserted."""
_CACHE: Final = Path(__file__).resolve().parents[2] / "build" / "bench" / "gui"
_SCRIPT: Final = """
ENTRY(screens)
SECTIONS {
    .text 0x%08x : { KEEP(*(.rodata.bitmaps)) *(.text*) *(.rodata*) }
    .data 0x20000000 : { *(.data*) *(.bss*) }
    /DISCARD/ : { *(.comment) *(.ARM.exidx*) *(.ARM.attributes) *(.note*) *(.llvm*) }
}
"""
_HEAD: Final = """\
#include <stdint.h>
struct bitmap { const void *pixels; uint16_t width, height; uint32_t format; };
struct view { const struct bitmap *shown[16]; const void *font, *sound; uint32_t count, x, y, state; };
void draw(struct view *v, const struct bitmap *b, uint32_t x, uint32_t y);
void write_text(struct view *v, const void *font, const char *text, uint32_t x);
"""
_DRAW: Final = """\
void draw(struct view *v, const struct bitmap *b, uint32_t x, uint32_t y) {
    v->shown[v->count++ % 16u] = b;
    v->x = x * b->width;
    v->y = y * b->height;
}
void write_text(struct view *v, const void *font, const char *text, uint32_t x) {
    v->font = font;
    while (*text) v->state += (uint32_t)*text++ * x;
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The two parts of an application: *code* at CODE_AT, *outside* at ASSETS_AT."""

    code: bytes
    outside: bytes

    def whole(self) -> bytes:
        """Both in one block, one behind the other."""
        return self.code + b"\xff" * (-len(self.code) % 4096) + self.outside


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What an application is made of.  *units*: seed and release of each file of code.  *fixed*: whether one function
    has its fix."""

    units: tuple[tuple[int, int], ...]
    assets: tuple[Asset, ...]
    fixed: bool = False

    def parts(self) -> Parts:
        """Compiled, linked and painted.  Raises BuildError."""
        return Parts(code=_code(self), outside=assets.image(self.assets))


def application(code: int, outside: int, seed: int = 1) -> Application:
    """An application with some *code* and *outside* bytes."""
    units = tuple((seed + number, 0) for number in range(max(1, code // _UNIT)))
    some = assets.some(max(outside - _PICTURE.size, 0), seed)
    some.insert(len(some) // 2, _PICTURE)
    return Application(units=units, assets=tuple(some))


def encode(old: Parts, new: Parts) -> bytes:
    """The patch stream from *old* to *new*: the one place that knows how an encoder takes two parts."""
    return delta.encode(old.code, new.code, base=CODE_AT, old_rest=old.outside, new_rest=new.outside)


def _code_fix(before: Application) -> Application:
    return dataclasses.replace(before, fixed=True)


def _picture_replaced(before: Application) -> Application:
    return _with(before, [dataclasses.replace(each, seed=77) if each == _PICTURE else each for each in before.assets])


def _fix_and_picture(before: Application) -> Application:
    """What the design has a bar for: one function changed, and one picture of 100 KB replaced."""
    return _code_fix(_picture_replaced(before))


def _code_inserted(before: Application) -> Application:
    (seed, release), *others = before.units
    return dataclasses.replace(before, units=((seed, release + 1), *others))


def _asset_inserted(before: Application) -> Application:
    return _with(before, [before.assets[0], _NEW, *before.assets[1:]])


def _font_grown(before: Application) -> Application:
    """The first font gets letters of another alphabet."""
    first = next(each for each in before.assets if each.kind == "letter")
    return _with(before, [dataclasses.replace(each, letters=128) if each == first else each for each in before.assets])


def _everything_moved(before: Application) -> Application:
    after = _code_fix(_font_grown(_asset_inserted(_picture_replaced(before))))
    return dataclasses.replace(after, units=tuple((seed, 1) for seed, _ in before.units))


def _with(before: Application, new: Sequence[Asset]) -> Application:
    return dataclasses.replace(before, assets=tuple(new))


CHANGES: Final[dict[str, Callable[[Application], Application]]] = {
    "code-fix": _code_fix,
    "picture-replaced": _picture_replaced,
    "fix-and-picture": _fix_and_picture,
    "code-inserted": _code_inserted,
    "asset-inserted": _asset_inserted,
    "font-grown": _font_grown,
    "everything-moved": _everything_moved,
}
"""What becomes of an application in each pair."""


def pair(change: str, code: int, outside: int) -> tuple[Parts, Parts]:
    """An application of these sizes in bytes before and after *change*.  Raises BuildError."""
    before = application(code, outside)
    return before.parts(), CHANGES[change](before).parts()


def _code(made: Application) -> bytes:
    """The bytes at CODE_AT."""
    sources = [_unit(seed, release) for seed, release in made.units]
    sources.insert((len(sources) + 1) // 2, _screens(made))
    tools = toolchain("clang", _CORE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with ThreadPoolExecutor() as pool:
            objects = list(pool.map(_compiled, sources))
        names = [f"{number:03}.o" for number in range(len(objects))]
        for file, data in zip(names, objects, strict=True):
            (folder / file).write_bytes(data)
        symbols = "".join(f"{each.name} = {at:#x};\n" for each, at in assets.places(made.assets, ASSETS_AT))
        tables = "".join(f"EXTERN(cargo_{seed})\n" for seed, _ in made.units)
        (folder / "link.ld").write_text(symbols + tables + _SCRIPT % CODE_AT, encoding="utf-8")
        tools.link_files(names, "link.ld", "gui.elf", folder)
        return program.load(folder / "gui.elf", CODE_AT).from_address(CODE_AT)


def _unit(seed: int, release: int) -> str:
    """A file of code that knows of no pictures."""
    return cargo.source(_UNIT, release, seed).replace(cargo.SYMBOL, f"cargo_{seed}")


def _screens(made: Application) -> str:
    """The code that shows what is outside: a table of all pictures, and a function for each screen."""
    names = [each.name for each in made.assets]
    pictures = [each for each in made.assets if each.kind in assets.PICTURES]
    place = {each.name: number for number, each in enumerate(pictures)}
    parts = [_HEAD, *(f"extern const uint8_t {name}[];\n" for name in names)]
    parts.append("const struct bitmap bitmaps[] = {\n")
    parts += [f"    {{{each.name}, {each.width}, {each.height}, {assets.PICTURES[each.kind]}}},\n" for each in pictures]
    parts += ["};\n", _DRAW]
    kept = [name for name in names if name != _NEW.name]
    count = 4 + len(kept) // 4
    for number in range(count):
        lines = _screen(random.Random(number), kept, place, fixed=made.fixed and number == count // 3)
        if number == 1 and _NEW.name in place:
            lines.append(f"draw(v, &bitmaps[{place[_NEW.name]}], 1u, 2u);")
        body = "\n    ".join(lines)
        parts.append(
            f"void screen_{number}(struct view *v);\nvoid screen_{number}(struct view *v) {{\n    {body}\n}}\n"
        )
    shown = ", ".join(f"screen_{number}" for number in range(count))
    return "".join([*parts, f"void (*const screens[])(struct view *) = {{{shown}}};\n"])


def _screen(chance: random.Random, names: Sequence[str], place: Mapping[str, int], *, fixed: bool) -> list[str]:
    lines = []
    for _ in range(chance.randrange(4, 24)):
        name, x, y = chance.choice(names), chance.randrange(800), chance.randrange(480)
        if name in place:
            lines.append(f"draw(v, &bitmaps[{place[name]}], {x}u, {y}u);")
        elif name.startswith("letter"):
            lines.append(f'write_text(v, {name}, "{_words(chance)}", {x}u);')
        else:
            lines.append(f"if (v->state == {y}u) v->sound = {name};")
    return [*lines, "if (v->state > 479u) v->x = 0;"] if fixed else lines


def _words(chance: random.Random) -> str:
    words = ("Settings", "Start", "Stop", "Temperature", "Pressure", "Service", "Wash", "Time left", "Door is open")
    return f"{chance.choice(words)} {chance.randrange(100)}"


@cache
def _compiled(source: str) -> bytes:
    """The object file of *source*, from the cache where it was compiled before.  Raises BuildError."""
    tools = toolchain("clang", _CORE)
    told = "\n".join((tools.version(), *tools.compile, *_OPTIONS, source))
    kept = _CACHE / f"{hashlib.sha256(told.encode()).hexdigest()}.o"
    if not kept.exists():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "unit.c").write_text(source, encoding="utf-8")
            tools.compile_file("unit.c", folder / "unit.o", (), folder, _OPTIONS)
            disk.make_folder(_CACHE)
            disk.write(kept, (folder / "unit.o").read_bytes())
    return kept.read_bytes()
