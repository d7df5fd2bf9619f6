"""References, with a disassembler as the second opinion."""

from __future__ import annotations

import re

import capstone
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spboot.delta import reference
from spboot.delta.reference import B_COND, B_COND_W, BL, CBZ, LDR, LDR_W, MOVW, SMALL, B, Image

from .code import NAMES, one_kind
from .writer import BASE

_DISASSEMBLER = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
_BRANCHES = re.compile(r"(b|bl|cbz|cbnz|b(eq|ne|hs|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le))(\.w)?$")
_FIRST_HALVES = st.sampled_from([0xF000, 0xF240, 0xF8DF, 0x4800, 0xD000, 0xE000, 0xB100, 0xB900, 0xF640, 0xF400])


def _named(data: bytes, pc: int) -> tuple[int, int] | None:
    """Size and target of what the disassembler takes for a reference of ours."""
    for found in _DISASSEMBLER.disasm(data, pc - 4, 1):
        numbers = re.findall(r"#(-?(?:0x)?[0-9a-f]+)", found.op_str)
        if _BRANCHES.match(found.mnemonic):
            return found.size, int(numbers[-1], 0)
        if found.mnemonic == "movw":
            return found.size, int(numbers[-1], 0)
        if found.mnemonic in ("ldr", "ldr.w") and re.search(r"\[pc(, #0x[0-9a-f]+|, #\d+)?\]$", found.op_str):
            return found.size, (pc & ~3) + (int(numbers[-1], 0) if numbers else 0)
    return None


@settings(max_examples=600, deadline=None)
@given(_FIRST_HALVES, st.integers(0, 0x7FF), st.integers(0, 0xFFFF), st.integers(0, 1))
def test_as_the_disassembler_has_it(first: int, more: int, second: int, place: int) -> None:
    """Where it knows the instruction.  It knows more of them, and takes the branch of four bytes in hints for none."""
    data = (first | more).to_bytes(2, "little") + second.to_bytes(2, "little")
    pc = BASE + 0x10000 + 2 * place + 4
    ours = reference.find(data, pc, Image(BASE, 1), aligned=False)
    theirs = _named(data, pc)
    if theirs is not None:
        assert ours is not None
        assert (ours.size, ours.target) == theirs


@pytest.mark.parametrize("kind", NAMES)
@given(st.integers(0, (1 << 32) - 1) | st.integers(BASE, BASE + 2000), st.integers(0, 900))
def test_what_is_written_is_read(kind: int, target: int, half: int) -> None:
    """And nothing else is written."""
    image, at = one_kind(kind)
    pc = BASE + 2 * half + 4
    data = image[at : at + 4]
    plain = reference.find(data, BASE + at + 4, Image(BASE, 100), aligned=True)
    assert plain is not None
    assert plain.kind == kind
    made = reference.write(data[: plain.size], kind, pc, target)
    if made is not None and kind not in (reference.REL, reference.CODE, reference.DATA, SMALL):
        found = reference.find(made + b"\0\0", pc, Image(BASE, 100), aligned=False)
        assert found is not None
        assert (found.kind, found.target) == (kind, target)
        assert reference.write(made, kind, BASE + at + 4, plain.target) == data[: plain.size]


@pytest.mark.parametrize(
    ("kind", "least", "most", "step"),
    [
        (BL, -(1 << 24), (1 << 24) - 2, 2),
        (B_COND_W, -(1 << 20), (1 << 20) - 2, 2),
        (B_COND, -256, 254, 2),
        (B, -2048, 2046, 2),
        (CBZ, 0, 126, 2),
        (LDR, 0, 1020, 4),
        (LDR_W, 0, 4095, 1),
    ],
)
def test_reach(kind: int, least: int, most: int, step: int) -> None:
    image, at = one_kind(kind)
    data = image[at : at + (2 if kind in (LDR, B_COND, B, CBZ) else 4)]
    pc = BASE + (1 << 25)
    for offset in (least, most):
        assert reference.write(data, kind, pc, pc + offset)
    for offset in (least - step, most + step, *([least + 1] if step > 1 else [])):
        assert reference.write(data, kind, pc, pc + offset) is None


def test_reach_of_numbers() -> None:
    image, at = one_kind(MOVW)
    assert reference.write(image[at : at + 4], MOVW, BASE, 0xFFFF)
    assert reference.write(image[at : at + 4], MOVW, BASE, 0x10000) is None
    assert reference.write(bytes(4), SMALL, BASE, 0xFFFF) == b"\xff\xff\0\0"
    assert reference.write(bytes(4), SMALL, BASE, 0x10000) is None
