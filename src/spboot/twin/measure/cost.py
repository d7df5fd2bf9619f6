"""What code costs on a Cortex-M: instructions and cycles of an emulated run.

The model is a table of cycles by instruction, zero wait states, as the manuals give them:

    cm0p     Cortex-M0+ TRM (DDI 0484C) table 3-1, with the single-cycle multiplier that every STM32 M0+ has.
    cm4      Cortex-M4 TRM (DDI 0439B) table 3-1 and 3.3.2; a pipeline refill is taken as 2 cycles (it is 1 to 3), a
             division as 7 (2 to 12).  Serves M3 (whose long multiply takes 3 to 7 cycles, not 1), M33 and M7 too; for
             the dual-issue M7 it is an upper bound.

Checked once against silicon: a published P-256 routine of which the author reports 0.98 M cycles on a Cortex-M4 costs
0.96 M here.  Flash wait states, caches, bus contention and exception entry are not in the model.  An instruction in an
IT block whose condition fails costs as if executed.

Counting is done by basic block: the cost of a block is worked out when it first runs; whether its last branch was taken
is known when the next block starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Literal, get_args

import capstone
import unicorn
from unicorn import arm_const

CoreKind = Literal["cm0p", "cm4"]

_REFILL: Final[dict[CoreKind, int]] = {"cm0p": 1, "cm4": 2}
_DIVIDE: Final = 7
_CONDITIONS: Final = ("eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le")
_BRANCHES: Final = frozenset({f"{b}{c}" for b in ("b", "bx") for c in ("", *_CONDITIONS)} | {"cbz", "cbnz"})
_CALLS: Final = frozenset(f"{b}{c}" for b in ("bl", "blx") for c in ("", *_CONDITIONS))
_WRITE_PC_FIRST: Final = frozenset({"mov", "add", "ldr"})


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionCost:
    """Cycles of one instruction.

    *refill* is added when the next instruction executed is not the one that follows in memory.  A load that is
    *shortened* takes a cycle less right after an instruction that *overlaps* (M4: neighbouring single loads and stores
    pipeline their address and data phases).
    """

    cycles: int
    refill: int = 0
    overlaps: bool = False
    shortened: bool = False
    moves_sp: bool = False


def instruction_cost(instruction: capstone.CsInsn, kind: CoreKind) -> InstructionCost:
    """The cost of a capstone *instruction* decoded without detail."""
    name = instruction.mnemonic.split(".")[0]
    operands = instruction.op_str
    refill = _REFILL[kind]
    if name.startswith(("push", "pop", "ldm", "stm", "vpush", "vpop")):
        return InstructionCost(
            cycles=1 + _count_registers(operands),
            refill=refill + (kind == "cm0p") if "pc}" in operands else 0,  # POP {.., PC}: 3 + N on M0+
            moves_sp=name.lstrip("v").startswith("p") or operands.startswith("sp"),
        )
    if name in _BRANCHES:
        return InstructionCost(cycles=1, refill=refill)
    if name in _CALLS:
        extra = kind == "cm0p" and not name.startswith("blx")  # BL is two halfwords: 3 on M0+
        return InstructionCost(cycles=1 + extra, refill=refill)
    if name in ("tbb", "tbh"):
        return InstructionCost(cycles=2, refill=refill)
    if name.startswith(("ldr", "str", "vldr", "vstr")):
        return _transfer_cost(name, operands, kind)
    if name in ("udiv", "sdiv"):
        return InstructionCost(cycles=_DIVIDE)
    if name in ("dmb", "dsb", "isb", "msr", "mrs"):
        return InstructionCost(cycles=3)
    if name in _WRITE_PC_FIRST and operands.startswith("pc,"):
        return InstructionCost(cycles=1, refill=refill)
    return InstructionCost(cycles=1, moves_sp=operands.startswith("sp,"))


def _transfer_cost(name: str, operands: str, kind: CoreKind) -> InstructionCost:
    """A single load or store, or a pair."""
    if operands.startswith("pc,"):
        return InstructionCost(cycles=2, refill=_REFILL[kind])
    writes_sp = "[sp" in operands and (operands.endswith("!") or "], " in operands)
    if name.startswith(("ldrd", "strd")):
        return InstructionCost(cycles=3, moves_sp=writes_sp)
    if kind == "cm0p" or name.startswith("v"):
        return InstructionCost(cycles=2)
    if name.startswith("ldr"):
        return InstructionCost(cycles=2, overlaps=True, shortened=True, moves_sp=writes_sp)
    # The write buffer hides a store with an immediate offset; one with a register offset takes two cycles.
    _, _, offset = operands.partition("[")[2].partition("]")[0].partition(", ")
    by_register = offset != "" and not offset.startswith("#")
    return InstructionCost(cycles=2 if by_register else 1, overlaps=True, moves_sp=writes_sp)


def _count_registers(operands: str) -> int:
    """How many words "sp!, {r4, r5, pc}" transfers; capstone writes no ranges."""
    names = operands.partition("{")[2].rstrip("}").split(",")
    return sum(2 if name.strip().startswith("d") else 1 for name in names)


def decoder() -> capstone.Cs:
    """A capstone decoder for the code of every core the model knows."""
    return capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """A basic block: totals, and what matters where it meets the next one."""

    end: int
    instructions: int
    cycles: int
    refill: int
    overlaps: bool
    shortened: bool
    moves_sp: bool


def _block_of(costs: Iterable[InstructionCost], end: int) -> _Block:
    listed = list(costs)
    cycles = listed[0].cycles
    for before, cost in pairwise(listed):
        cycles += cost.cycles - (before.overlaps and cost.shortened)
    return _Block(
        end=end,
        instructions=len(listed),
        cycles=cycles,
        refill=listed[-1].refill,
        overlaps=listed[-1].overlaps,
        shortened=listed[0].shortened,
        moves_sp=any(cost.moves_sp for cost in listed),
    )


class CycleCounter:
    """Counts what runs on a `unicorn.Uc` from now until `detach`.

    *lowest_sp* is the lowest stack pointer seen where a block starts.  Counts include the block that runs, as a whole.
    """

    def __init__(self, uc: Any, kind: CoreKind) -> None:
        if kind not in get_args(CoreKind):
            raise ValueError(f"core kind is {kind!r}, expected one of {get_args(CoreKind)}")
        self._uc = uc
        self._kind = kind
        self._decoder = decoder()
        self._blocks: dict[tuple[int, int], _Block] = {}
        self._hook: int = uc.hook_add(unicorn.UC_HOOK_BLOCK, self._make_hook())
        self.reset()

    def reset(self) -> None:
        """Start again from zero."""
        self.instructions = 0
        self.cycles = 0
        self.lowest_sp = 0xFFFFFFFF
        self._last: _Block | None = None

    def forget_code(self) -> None:
        """Code in memory has changed: decode it anew when it runs."""
        self._blocks.clear()

    def detach(self) -> None:
        """Stop counting; the counts stay."""
        self._uc.hook_del(self._hook)

    def _make_hook(self) -> Callable[[Any, int, int, Any], None]:
        def on_block(uc: Any, address: int, size: int, _: Any) -> None:
            block = self._blocks.get((address, size)) or self._decode(address, size)
            self.instructions += block.instructions
            cycles = block.cycles
            last = self._last
            if last is None or last.moves_sp:
                self.lowest_sp = min(self.lowest_sp, uc.reg_read(arm_const.UC_ARM_REG_SP))
            if last is not None:
                if last.end != address:
                    cycles += last.refill
                elif last.overlaps and block.shortened:
                    cycles -= 1
            self.cycles += cycles
            self._last = block

        return on_block

    def _decode(self, address: int, size: int) -> _Block:
        code = bytes(self._uc.mem_read(address, size))
        instructions = list(self._decoder.disasm(code, address))
        decoded = sum(instruction.size for instruction in instructions)
        if decoded != size:
            raise ValueError(f"code at {address + decoded:#010x} does not decode: {code[decoded : decoded + 4].hex()}")
        block = _block_of((instruction_cost(i, self._kind) for i in instructions), address + size)
        self._blocks[address, size] = block
        return block
