"""The cost model: single instructions against the manuals, blocks against instructions, and the caller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import unicorn
from unicorn import arm_const

from spboot.errors import FormatError, TwinError
from spboot.twin.measure.callee import Callee, Core
from spboot.twin.measure.cost import CoreKind, CycleCounter, InstructionCost, decoder, instruction_cost

from .conftest import ImageFactory
from .images import Compiler
from .vectors import generated
from .verifier import WORK_SIZE, prepared


class Reference:
    """Counts instruction by instruction, with nothing remembered but the one before."""

    def __init__(self, callee: Callee, kind: CoreKind) -> None:
        self.instructions = 0
        self.cycles = 0
        self.lowest_sp = 0xFFFFFFFF
        self._kind = kind
        self._decoder = decoder()
        self._end: int | None = None  # of the instruction before
        self._before = InstructionCost(cycles=0)
        self._costs: dict[int, tuple[int, InstructionCost]] = {}
        callee.uc.hook_add(unicorn.UC_HOOK_CODE, self._make_hook())

    def _make_hook(self) -> Any:
        def on_instruction(uc: Any, address: int, size: int, _: Any) -> None:
            if self._end is not None and self._before.refill == 0:
                while self._end < address:  # in an IT block, unicorn does not report what it skips
                    self._count(uc, self._end)
            self._count(uc, address)
            self.lowest_sp = min(self.lowest_sp, uc.reg_read(arm_const.UC_ARM_REG_SP))

        return on_instruction

    def _count(self, uc: Any, address: int) -> None:
        if address not in self._costs:
            decoded = next(self._decoder.disasm(bytes(uc.mem_read(address, 4)), address))
            self._costs[address] = address + decoded.size, instruction_cost(decoded, self._kind)
        end, cost = self._costs[address]
        self.instructions += 1
        self.cycles += cost.cycles
        if self._end not in (None, address):
            self.cycles += self._before.refill
        elif self._before.overlaps and cost.shortened:
            self.cycles -= 1
        self._end, self._before = end, cost


@pytest.mark.parametrize(("compiler", "core"), [("clang", "cm4"), ("gcc", "cm4"), ("clang", "cm0p"), ("gcc", "cm0p")])
@pytest.mark.parametrize("function", ["spb_p256_verify", "spb_sha256_update", "spb_aes128_ctr"])
def test_blocks_cost_what_their_instructions_cost(
    image: ImageFactory, compiler: Compiler, core: Core, function: str
) -> None:
    callee = Callee(image(compiler, core), core)
    vector = generated()[0]
    table = prepared(vector.public)
    assert table is not None
    if (compiler, core, function) == ("gcc", "cm0p", "spb_p256_verify"):
        pytest.skip("three million instructions one by one: once on this core is enough")
    data = callee.allocate(bytes(range(256)))
    arguments = {
        "spb_p256_verify": tuple(callee.allocate(part) for part in (table, vector.hash, vector.wire, WORK_SIZE)),
        "spb_sha256_update": (callee.allocate(112), data, 200),
        "spb_aes128_ctr": (callee.allocate(16), callee.allocate(12), 5, data, 100),
    }[function]
    reference = Reference(callee, "cm0p" if core == "cm0p" else "cm4")
    result = callee.call(function, *arguments)
    assert (result.instructions, result.cycles) == (reference.instructions, reference.cycles)
    assert result.stack >= 0x2004_0000 - 8 - reference.lowest_sp
    assert result.instructions > 500


# code, then cycles of cm0p and of cm4 when the branch is not taken, and when it is
MANUAL = [
    ("movs r0, #1", "0120", 1, 1, 0, 0),
    ("muls r0, r1", "4843", 1, 1, 0, 0),
    ("ldr r0, [r1]", "0868", 2, 2, 0, 0),
    ("str r0, [r1]", "0860", 2, 1, 0, 0),
    ("str r0, [r1, r2]", "8850", 2, 2, 0, 0),
    ("ldm r0!, {r1-r3}", "0ec8", 4, 4, 0, 0),
    ("push {r4, lr}", "10b5", 3, 3, 0, 0),
    ("pop {r4, pc}", "10bd", 3, 3, 2, 2),
    ("beq", "fed0", 1, 1, 1, 2),
    ("b", "fee7", 1, 1, 1, 2),
    ("bl", "fff7feff", 2, 1, 1, 2),
    ("bx lr", "7047", 1, 1, 1, 2),
    ("blx r3", "9847", 1, 1, 1, 2),
    ("mov pc, r0", "8746", 1, 1, 1, 2),
    ("dsb", "bff34f8f", 3, 3, 0, 0),
    ("umull", "a1fb0201", None, 1, 0, 0),
    ("udiv", "b1fbf2f0", None, 7, 0, 0),
    ("cbz r0", "00b1", None, 1, 0, 2),
    ("tbb", "dfe800f0", None, 2, 0, 2),
    ("ldrd", "d1e90023", None, 3, 0, 0),
    ("str.w r0, [r1, r2, lsl #2]", "41f82200", None, 2, 0, 0),
    ("ldr pc, [r0]", "d0f800f0", None, 2, 0, 2),
]


@pytest.mark.parametrize(("text", "code", "cm0p", "cm4", "cm0p_refill", "cm4_refill"), MANUAL)
def test_instructions_cost_what_the_manuals_say(
    text: str, code: str, cm0p: int | None, cm4: int, cm0p_refill: int, cm4_refill: int
) -> None:
    (decoded,) = decoder().disasm(bytes.fromhex(code), 0x0800_0000)
    assert decoded.mnemonic.split(".")[0] == text.split()[0].split(".")[0]
    cost = instruction_cost(decoded, "cm4")
    assert (cost.cycles, cost.refill) == (cm4, cm4_refill)
    if cm0p is not None:
        cost = instruction_cost(decoded, "cm0p")
        assert (cost.cycles, cost.refill) == (cm0p, cm0p_refill)


def test_loads_overlap_across_blocks() -> None:
    """A run of loads too long for one block: each but the first takes one cycle."""
    uc: Any = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB)  # type: ignore[no-untyped-call,attr-defined]
    uc.ctl_set_cpu_model(arm_const.UC_CPU_ARM_CORTEX_M4)
    uc.mem_map(0x0800_0000, 0x4000)
    uc.mem_write(0x0800_0000, bytes.fromhex("0168") * 3000)  # ldr r1, [r0]
    uc.reg_write(arm_const.UC_ARM_REG_R0, 0x0800_0000)
    counter = CycleCounter(uc, "cm4")
    uc.emu_start(0x0800_0001, 0x0800_0000 + 2 * 3000)
    assert (counter.instructions, counter.cycles) == (3000, 3001)


def test_stack_holds_the_fifth_argument_and_the_deepest_word(image: ImageFactory) -> None:
    """AAPCS: with one byte of data the fifth argument decides whether anything is written."""
    callee = Callee(image("clang", "cm4"), "cm4")
    key, nonce, data = callee.allocate(16), callee.allocate(12), callee.allocate(8)
    idle = callee.call("spb_aes128_ctr", key, nonce, 0, data, 0)
    assert callee.read(data, 8) == bytes(8)
    result = callee.call("spb_aes128_ctr", key, nonce, 0, data, 1)
    written = callee.read(data, 8)
    assert written[0] != 0
    assert written[1:] == bytes(7)
    assert result.stack >= idle.stack >= 9 * 4


def test_counting_can_be_left_out(image: ImageFactory) -> None:
    callee = Callee(image("clang", "cm4"), "cm4", counting=False)
    result = callee.call("spb_sha256_init", callee.allocate(112))
    assert (result.instructions, result.cycles, result.stack) == (0, 0, 0)


def test_a_fault_names_the_function_and_the_address(image: ImageFactory) -> None:
    callee = Callee(image("clang", "cm4"), "cm4")
    with pytest.raises(TwinError, match="spb_sha256_init stopped at 0x08"):
        callee.call("spb_sha256_init", 0x6000_0000)
    with pytest.raises(TwinError, match="no symbol no_such_function"):
        callee.call("no_such_function")


def test_a_file_that_is_no_elf_is_refused(tmp_path: Path) -> None:
    (tmp_path / "image.elf").write_bytes(b"not an ELF")
    with pytest.raises(FormatError, match=r"image\.elf: not an ELF file"):
        Callee(tmp_path / "image.elf")
