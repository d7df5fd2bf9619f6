"""What each kind of fault does to one execution of an instruction (decision 0072), on tiny Thumb programs."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

import pytest
from unicorn import arm_const

from spboot.twin import Twin
from tests.system.fault import KINDS
from tests.system.instruction import Instruction
from tests.system.listing import Function
from tests.system.striker import Strike, Striker
from tests.system.trace import Trace

M0, M4, M33 = "STM32L073RZ", "STM32L476RG", "STM32L562QE"
EVERY, WITH_IT = (M0, M4, M33), (M4, M33)
FLASH, START, DATA = 0x0800_0000, 0x0800_0040, 0x2000_0100
WORDS: Final = (0x1122_3380, 0x5566_7788, 0x99AA_BBCC)
"""What R5 is the address of."""
ONES: Final = 0xFFFFFFFF
NUMBERS: Final = [*(arm_const.UC_ARM_REG_R0 + n for n in range(8)), arm_const.UC_ARM_REG_SP, arm_const.UC_ARM_REG_LR]
NAMES: Final = (*(f"r{n}" for n in range(8)), "sp", "lr")

IT: Final = """
0020      movs r0, #0
0028      cmp r0, #0
0cbf      ite eq
0121      movs r1, #1
0222      movs r2, #2
0433      adds r3, #4
"""
THREE_UNDER_IT: Final = """
0020      movs r0, #0
0028      cmp r0, #0
16bf      itet ne
0121      movs r1, #1
0222      movs r2, #2
0323      movs r3, #3
0434      adds r4, #4
"""
BRANCH: Final = """
0120      movs r0, #1
0028      cmp r0, #0
00d0      beq #0x8000048
0131      adds r1, #1
0232      adds r2, #2
"""
WIDE_BRANCH: Final = """
0120      movs r0, #1
0028      cmp r0, #0
00f00180  beq.w #0x800004a
0131      adds r1, #1
0232      adds r2, #2
"""
COMPARE_AND_BRANCH: Final = """
0120      movs r0, #1
00b1      cbz r0, #0x8000046
0131      adds r1, #1
0232      adds r2, #2
"""
SUM: Final = """
0520      movs r0, #5
001d      adds r0, r0, #4
0146      mov r1, r0
c31e      subs r3, r0, #3
"""
LOADS: Final = """
2868      ldr r0, [r5]
2978      ldrb r1, [r5]
2a88      ldrh r2, [r5]
"""
SIGNED: Final = """
0024      movs r4, #0
2857      ldrsb r0, [r5, r4]
295f      ldrsh r1, [r5, r4]
"""
SEVERAL: Final = """
0fcd      ldm r5!, {r0, r1, r2, r3}
"""
TWO: Final = """
d5e90001  ldrd r0, r1, [r5]
"""
POP: Final = """
2868      ldr r0, [r5]
01b4      push {r0}
02bc      pop {r1}
"""
RETURN: Final = """
0648      ldr r0, [pc, #0x18]
01b4      push {r0}
00bd      pop {pc}
"""
"""Goes to 0x0800_0050."""
CALL: Final = """
00f001f8  bl #0x8000046
0131      adds r1, #1
0232      adds r2, #2
"""
TWICE: Final = """
0320      movs r0, #3
0131      adds r1, #1
0138      subs r0, #1
fcd1      bne #0x8000042
"""


class Program:
    """*text*, a line an instruction with its code in front, on a chip of *part*; it ends in an endless loop."""

    def __init__(self, part: str, text: str) -> None:
        lines = [line.split(maxsplit=1) for line in text.strip().splitlines()]
        code = bytes.fromhex("".join(code for code, _ in lines))
        self.places = [START]
        for hexed, words in lines:
            instruction = Instruction(self.places[-1], bytes.fromhex(hexed))
            assert instruction.words == words
            self.places.append(self.places[-1] + instruction.size)
        self.twin = Twin(part)
        self._striker = Striker(self.twin.core)
        image = struct.pack("<2I", 0x2000_1000, START | 1).ljust(0x40, b"\0") + code
        self._image = image + bytes.fromhex("fee7") * ((0x5C - len(image)) // 2) + struct.pack("<I", 0x0800_0051)
        self._image += bytes.fromhex("fee7") * 0x4100
        self.twin.flash_load(FLASH, self._image)
        self.twin.power_on()
        self.twin.core.store(DATA, struct.pack("<4I", *WORDS, 0))
        self.twin.core.set(arm_const.UC_ARM_REG_R5, DATA)
        self._ready, self._base = self.twin.snapshot(), self.twin.instructions
        self._trace = Trace(self.twin, [Function(START, self.places[-1], "program")])
        self._run()
        self._trace.end()

    def _run(self) -> None:
        self.twin.run(until=lambda: self.twin.core.halfword(self.twin.core.pc) == 0xE7FE, instructions=40)
        self.twin.run(instructions=2)

    def faults(self, kind: str, line: int) -> dict[str, Strike]:
        """What can happen at the first execution of *line*, by name."""
        n = self._trace.executions()[self.places[line]][0]
        return {each.fault.words: each for each in self._trace.strikes([self._trace.point(n)], KINDS[kind])}

    def struck(self, strike: Strike) -> dict[str, int]:
        """Registers after a run with *strike*, and pc."""
        self.twin.restore(self._ready)
        self._striker.arm(strike, self._base)
        self._run()
        assert self._striker.done
        assert not self._striker.missed
        assert self.twin.flash_read(FLASH, len(self._image)) == self._image
        core = self.twin.core
        return dict(zip(NAMES, map(core.get, NUMBERS), strict=True)) | {"pc": core.pc}

    def at(self, kind: str, line: int, words: str) -> dict[str, int]:
        return self.struck(self.faults(kind, line)[words])


def of(found: dict[str, int], *names: str) -> Sequence[int]:
    return tuple(found[name] for name in names)


@pytest.mark.parametrize("part", WITH_IT)
@pytest.mark.parametrize(
    ("line", "expected"),
    [(1, (1, 0, 4)), (2, (1, 2, 4)), (3, (0, 0, 4)), (5, (1, 0, 0))],
    ids=["compare", "IT", "under an IT", "behind its block"],
)
def test_a_skip(part: str, line: int, expected: Sequence[int]) -> None:
    found = Program(part, IT).at("skip", line, "skipped")
    assert of(found, "r1", "r2", "r3") == expected


@pytest.mark.parametrize("part", EVERY)
def test_two_skips_behind_each_other(part: str) -> None:
    found = Program(part, SUM).at("skip-2", 1, "2 skipped")
    assert of(found, "r0", "r1", "r3") == (5, 0, 2)


@pytest.mark.parametrize("part", WITH_IT)
def test_two_skips_under_an_it(part: str) -> None:
    """The second of them is not executed anyway."""
    found = Program(part, IT).at("skip-2", 3, "2 skipped")
    assert of(found, "r1", "r2", "r3") == (0, 0, 4)


@pytest.mark.parametrize("part", EVERY)
def test_an_inverted_branch(part: str) -> None:
    """The other of the two: it is taken, or it is not."""
    program = Program(part, BRANCH)
    assert of(program.at("inverted", 2, "inverted"), "r1", "r2") == (0, 2)
    assert program.faults("inverted", 1) == {}
    assert of(
        Program(part, BRANCH.replace("0120      movs r0, #1", "0020      movs r0, #0")).at("inverted", 2, "inverted"),
        "r1",
        "r2",
    ) == (1, 2)


@pytest.mark.parametrize("part", WITH_IT)
@pytest.mark.parametrize(("text", "line"), [(WIDE_BRANCH, 2), (COMPARE_AND_BRANCH, 1)], ids=["wide", "compare"])
def test_inverted_branches_of_the_larger_cores(part: str, text: str, line: int) -> None:
    assert of(Program(part, text).at("inverted", line, "inverted"), "r1", "r2") == (0, 2)
    zero = text.replace("0120      movs r0, #1", "0020      movs r0, #0")
    assert of(Program(part, zero).at("inverted", line, "inverted"), "r1", "r2") == (1, 2)


@pytest.mark.parametrize("part", WITH_IT)
@pytest.mark.parametrize(
    ("which", "expected"),
    [("0 to 2", (1, 0, 3)), ("0 to 0", (1, 2, 0)), ("1 to 1", (0, 0, 0)), ("2 to 2", (0, 2, 3))],
)
def test_an_inverted_it(part: str, which: str, expected: Sequence[int]) -> None:
    """Without a fault the second of the three is executed."""
    found = Program(part, THREE_UNDER_IT).at("inverted", 2, f"inverted {which}")
    assert of(found, "r1", "r2", "r3", "r4") == (*expected, 4)


@pytest.mark.parametrize("part", EVERY)
@pytest.mark.parametrize(
    ("line", "words", "expected"),
    [
        (1, "r0 = 0x0", (0, 0, ONES - 2)),
        (1, "r0 = 0xffffffff", (ONES, ONES, ONES - 3)),
        (1, "r0 kept", (5, 5, 2)),
        (2, "r1 = 0x0", (9, 0, 6)),
    ],
)
def test_a_stuck_register(part: str, line: int, words: str, expected: Sequence[int]) -> None:
    assert of(Program(part, SUM).at("stuck", line, words), "r0", "r1", "r3") == expected


@pytest.mark.parametrize("part", WITH_IT)
def test_a_stuck_register_under_an_it(part: str) -> None:
    """The block goes on as it should."""
    found = Program(part, THREE_UNDER_IT).at("stuck", 4, "r2 = 0xffffffff")
    assert of(found, "r1", "r2", "r3", "r4") == (0, ONES, 0, 4)


@pytest.mark.parametrize("part", EVERY)
def test_registers_that_can_be_stuck(part: str) -> None:
    """All that an instruction writes: also those of a load of several, its base, the stack pointer and the link."""
    assert {words.split()[0] for words in Program(part, SEVERAL).faults("stuck", 0)} == {"r0", "r1", "r2", "r3", "r5"}
    assert {words.split()[0] for words in Program(part, POP).faults("stuck", 2)} == {"r1", "sp"}
    program = Program(part, CALL)
    assert of(program.at("stuck", 0, "lr = 0x0"), "lr", "r1", "r2") == (0, 0, 2)
    assert program.faults("stuck", 2).keys() == {"r2 = 0x0", "r2 = 0xffffffff", "r2 kept"}


@pytest.mark.parametrize("part", EVERY)
@pytest.mark.parametrize(
    ("line", "words", "expected"),
    [
        (0, "bit 31 of r0", (0x9122_3380, 0x80, 0x3380)),
        (1, "bit 4 of r1", (0x1122_3380, 0x90, 0x3380)),
        (2, "bit 15 of r2", (0x1122_3380, 0x80, 0xB380)),
    ],
)
def test_a_flipped_bit(part: str, line: int, words: str, expected: Sequence[int]) -> None:
    program = Program(part, LOADS)
    assert of(program.at("flipped", line, words), "r0", "r1", "r2") == expected
    assert len(program.faults("flipped-all", line)) == (32, 8, 16)[line]
    assert program.twin.rams.read(DATA, 12) == struct.pack("<3I", *WORDS)


@pytest.mark.parametrize("part", EVERY)
def test_a_flipped_sign(part: str) -> None:
    """What is flipped is a bit in memory: that of the sign is in all bits above, too."""
    program = Program(part, SIGNED)
    assert of(program.at("flipped-all", 1, "bit 7 of r0"), "r0", "r1") == (0, 0x3380)
    assert of(program.at("flipped-all", 2, "bit 15 of r1"), "r0", "r1") == (0xFFFFFF80, 0xFFFFB380)


@pytest.mark.parametrize("part", EVERY)
def test_a_flipped_bit_of_several(part: str) -> None:
    program = Program(part, SEVERAL)
    found = program.at("flipped", 0, "bit 4 of r2")
    assert {words.split()[-1] for words in program.faults("flipped", 0)} == {"r0", "r1", "r2", "r3"}
    assert of(found, "r0", "r1", "r2", "r3", "r5") == (*WORDS[:2], WORDS[2] ^ 16, 0, DATA + 16)
    assert of(Program(part, POP).at("flipped", 2, "bit 0 of r1"), "r0", "r1") == (WORDS[0], WORDS[0] ^ 1)


@pytest.mark.parametrize("part", WITH_IT)
def test_a_flipped_bit_of_two(part: str) -> None:
    assert of(Program(part, TWO).at("flipped", 0, "bit 15 of r1"), "r0", "r1") == (WORDS[0], WORDS[1] ^ 0x8000)


@pytest.mark.parametrize("part", EVERY)
def test_a_flipped_bit_of_a_return_address(part: str) -> None:
    program = Program(part, RETURN)
    assert program.at("flipped-all", 2, "bit 12 of pc")["pc"] == 0x0800_1050
    assert "bit 0 of pc" not in program.faults("flipped-all", 2)


@pytest.mark.parametrize("part", EVERY)
@pytest.mark.parametrize(("line", "r1"), [(1, 1), (2, 4)], ids=["the same one again", "another one"])
def test_two_faults(part: str, line: int, r1: int) -> None:
    """The second is where the core comes next, were it to the same instruction."""
    program = Program(part, TWICE)
    first, second = program.faults("skip", 1)["skipped"], program.faults("skip", line)["skipped"]
    found = program.struck(Strike(first.point, first.fault, (second.point.address, second.fault)))
    assert of(found, "r0", "r1") == (0, r1 if line == 1 else 3)
