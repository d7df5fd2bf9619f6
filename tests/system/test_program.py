"""What formats.program reads out of an ELF is what objcopy makes of it, whatever the linker script."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import event, given, reject, settings
from hypothesis import strategies as st

from spboot.builder.compiler import NAMES, run, toolchain
from spboot.errors import BuildError, FormatError
from spboot.formats import intel_hex, program
from tests.system.application import converted

pytestmark = pytest.mark.both_compilers

_KINDS = {
    "code": '"ax", %progbits',
    "constants": '"a", %progbits',
    "data": '"aw", %progbits',
    "empty RAM": '"aw", %nobits',
    "constructors": '"aw", %init_array',
    "a note": '"a", %note',
    "for a debugger": '"M", %progbits, 1',
}


LOST = {16, 32, 48, 64}
"""Holes in objcopy's HEX that our reader takes for lost lines, behind a whole one (decision 0030)."""


class Section(NamedTuple):
    """One section of a program, and what the linker script says of it."""

    kind: str
    size: int
    gap: int
    align: int
    noload: bool
    in_ram: bool


VECTORS = Section(kind="constants", size=48, gap=0, align=4, noload=False, in_ram=False)
"""First in each program, as objcopy takes none without sections."""


def _section() -> st.SearchStrategy[Section]:
    return st.builds(
        Section,
        kind=st.sampled_from(list(_KINDS)),
        size=st.sampled_from([0, 1, 4, 13, 16, 48, 300]),
        gap=st.sampled_from([0, 0, 1, 16, 64, 0x1000]),
        align=st.sampled_from([1, 4, 32]),
        noload=st.sampled_from([False, False, False, True]),
        in_ram=st.booleans(),
    )


def _source(sections: list[Section]) -> str:
    return "\n".join(
        f".section .s{number}, {_KINDS[each.kind]}\n.global f{number}\nf{number}: "
        + (
            f".skip {each.size}"
            if each.kind == "empty RAM"
            else "\n".join(f".byte {(number * 37 + at) & 0xFF}" for at in range(each.size))
        )
        for number, each in enumerate(sections)
    )


def _script(sections: list[Section], headers: bool) -> str:
    lines = [
        f"    .s{number} {'(NOLOAD)' if each.noload else ''} : ALIGN({each.align}) {{ KEEP(*(.s{number})) "
        + (f". += {each.gap}; " if each.gap else "")
        + f"}} > {'RAM AT> FLASH' if each.in_ram else 'FLASH'}"
        for number, each in enumerate(sections)
        if each.kind != "for a debugger"
    ]
    first = "    . = ORIGIN(FLASH) + SIZEOF_HEADERS;\n" if headers else ""
    memory = "MEMORY { FLASH (rx) : ORIGIN = 0x08000000, LENGTH = 1M  RAM (rw) : ORIGIN = 0x20000000, LENGTH = 1M }\n"
    return memory + "SECTIONS {\n" + first + "\n".join(lines) + "\n    /DISCARD/ : { *(.comment) *(.ARM.exidx*) }\n}\n"


@pytest.mark.parametrize("compiler", NAMES)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(others=st.lists(_section(), min_size=1, max_size=6), headers=st.booleans())
def test_an_elf_is_what_objcopy_makes_of_it(compiler: str, others: list[Section], headers: bool) -> None:
    tools, sections = toolchain(compiler, "cm4"), [VECTORS, *others]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "a.s").write_text(_source(sections))
        (work / "a.ld").write_text(_script(sections, headers))
        tools.compile_file("a.s", work / "a.o", (), work)
        try:
            run([*tools.link, "-T", "a.ld", "a.o", "-o", "a.elf"], work)
        except BuildError:
            reject()  # as lld does with constructors that other sections stand between
        path = work / "a.elf"
        found = program.load(path, 0)
        binary, text = (converted(path, kind).read_bytes() for kind in ("bin", "hex"))
    event(f"{len(found.segments)} segments")
    assert found.from_address(found.segments[0].address) == binary
    assert intel_hex.read("a.hex", intel_hex.write(found.segments)) == found.segments
    holes = {after.address - before.end for before, after in pairwise(found.segments)}
    try:
        assert intel_hex.read("a.hex", text) == found.segments
    except FormatError as error:
        assert "lost" in str(error) and holes & LOST
