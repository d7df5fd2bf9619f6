"""General purpose DMA of STM32U5 and STM32H5 (RM0456 17, RM0481 16): channels that may take their tasks from a list.

Sections named are those of RM0456.  A block of data moves by items of the source's width; at its end the channel is
done, or takes the registers of the next one from memory, which may be the same again: a circular buffer."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.blocks.dma import Controller, Request
from spboot.twin.die import Die
from spboot.twin.master import Unreachable

_FLAGS: Final = ("TCF", "HTF", "DTEF", "ULEF", "USEF", "SUSPF", "TOF")
_FIXED: Final = ("LAP", "LSM", "PRIO")
"""Fields of CR that are read-only while a channel is enabled (GPDMA_CxCR)."""
_ITEM: Final = (
    ("UT1", "TR1"), ("UT2", "TR2"), ("UB1", "BR1"), ("USA", "SAR"), ("UDA", "DAR"), ("UT3", "TR3"), ("UB2", "BR2"),
    ("ULL", "LLR"),
)  # fmt: skip
"""What an item of a list may hold, in this order, and the bit of LLR that says so (17.4.5)."""
_SIGNED, _PACKED = 1, (2, 3)
"""How PAM fits widths that differ (GPDMA_CxTR1.PAM)."""
_TC_OF_CHANNEL: Final = 3
_WORD: Final = 4


@dataclass(slots=True)
class Task:
    """The block of data that a channel moves: its size in bytes, and what was read and not yet written."""

    total: int = 0
    fifo: bytearray = field(default_factory=bytearray)


class Gpdma(Controller, ips=("gpdma_v1",)):
    """The controller, without TrustZone."""

    READ_ONLY = frozenset({"MISR", "SMISR"})
    STATE: ClassVar[tuple[str, ...]] = (*Controller.STATE, "tasks")

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self._drop(lambda name: not name.startswith("CH") or int(name[2 : name.index("_")]) < self.count)
        for n in range(self.count):
            self._handle(f"CH{n}_CR", partial(self._write_control, n))
            self._handle(f"CH{n}_FCR", partial(self._clear, n), self._nothing)
            self._handle(f"CH{n}_SR", partial(self._refuse_status, n), partial(self._status, n))
            for name in ("LBAR", "TR1", "TR2", "BR1", "SAR", "DAR", "TR3", "BR2", "LLR"):
                self._handle(f"CH{n}_{name}", partial(self._write_fixed, f"CH{n}_{name}", n))

    def reset(self) -> None:
        super().reset()
        self.tasks = [Task() for _ in range(self.count)]

    # a channel

    def _get(self, n: int, register: str, name: str) -> int:
        return self.field(f"CH{n}_{register}", name)

    def _on(self, n: int) -> bool:
        return bool(self._get(n, "CR", "EN"))

    def _left(self, n: int) -> int:
        """Bytes of the block that are still to be read."""
        return self._get(n, "BR1", "BNDT")

    def moves(self, n: int) -> bool:
        going = self._on(n) and not self._get(n, "CR", "SUSP")
        return going and bool(self._left(n) or self.tasks[n].fifo)

    def source(self, n: int) -> Request | None:
        if self._get(n, "TR2", "SWREQ"):
            return None
        return self.wires.get((-1, self._get(n, "TR2", "REQSEL")))

    def from_memory(self, n: int) -> bool:
        return bool(self._get(n, "TR2", "DREQ"))

    def ahead(self, n: int) -> int:
        total, left, width = self.tasks[n].total, self._left(n), self._width(n, "S")
        half = total - total // 2
        return max(1, -(-(left - half if left > half else left) // width))

    def _width(self, n: int, side: str) -> int:
        """Bytes of an item at the source, "S", or at the destination, "D"."""
        return 1 << self._get(n, "TR1", f"{side}DW")

    def take(self, n: int) -> None:
        task, (wide, narrow) = self.tasks[n], (self._width(n, "S"), self._width(n, "D"))
        before = self._left(n)
        try:
            if len(task.fifo) < narrow and before:
                item = self.master.read(self.registers[f"CH{n}_SAR"], wide)
                self._advance(n, "SAR", "SINC", wide)
                self.registers[f"CH{n}_BR1"] -= wide << self.fields[f"CH{n}_BR1"]["BNDT"][0]
                task.fifo += self._fitted(n, item, wide, narrow)
            if len(task.fifo) >= narrow:
                out = int.from_bytes(task.fifo[:narrow], "little")
                del task.fifo[:narrow]
                self.master.write(self.registers[f"CH{n}_DAR"], narrow, out)
                self._advance(n, "DAR", "DINC", narrow)
        except Unreachable as error:
            self._fail(n, "DTEF", str(error))
            return
        half = task.total - task.total // 2
        if before > half >= self._left(n) and self._tells(n):
            self._flag(n, "HTF")
        if not self._left(n) and not task.fifo:
            self._end_block(n)

    def _fitted(self, n: int, item: int, wide: int, narrow: int) -> bytes:
        """What becomes of an item where the widths differ (GPDMA_CxTR1.PAM)."""
        how = self._get(n, "TR1", "PAM")
        if how in _PACKED or wide == narrow:
            return item.to_bytes(wide, "little")
        if how == _SIGNED and wide > narrow:  # the highest bytes are kept
            return (item >> 8 * (wide - narrow)).to_bytes(narrow, "little")
        if how == _SIGNED and item >> 8 * wide - 1:
            item -= 1 << 8 * wide
        return (item & (1 << 8 * narrow) - 1).to_bytes(narrow, "little")

    def _advance(self, n: int, register: str, grows: str, size: int) -> None:
        if self._get(n, "TR1", grows):
            self.registers[f"CH{n}_{register}"] += size

    def _tells(self, n: int) -> bool:
        """Whether the end of this block, and its half, are told (GPDMA_CxTR2.TCEM)."""
        last = not self.registers[f"CH{n}_LLR"]
        return last or self._get(n, "TR2", "TCEM") != _TC_OF_CHANNEL

    def _end_block(self, n: int) -> None:
        tells = self._tells(n)
        if not self.registers[f"CH{n}_LLR"]:
            self._stop(n)
        elif self._load_item(n):
            self._begin_block(n)
        if tells:
            self._flag(n, "TCF")

    def _load_item(self, n: int) -> bool:
        """Take the next item of the list; whether that went well (17.4.6)."""
        link = self.registers[f"CH{n}_LLR"]
        if not link & self.mask(f"CH{n}_LLR", "ULL"):
            self.die.refuse(
                f"{self.name}_CH{n}_LLR = {link:#x} loads an item without its own link",
                "the twin does not model that: set ULL (RM0456 GPDMA_CxLLR)",
            )
        address = self.registers[f"CH{n}_LBAR"] | link & self.mask(f"CH{n}_LLR", "LA")
        try:
            for bit, name in _ITEM:
                if link & self.mask(f"CH{n}_LLR", bit):
                    self.registers[f"CH{n}_{name}"] = self.master.read(address, _WORD) & self.masks[f"CH{n}_{name}"]
                    address += _WORD
        except Unreachable as error:
            self._fail(n, "ULEF", str(error))
            return False
        self.rewire()
        return True

    def _begin_block(self, n: int) -> None:
        self._check(n)
        wrong = self._wrong(n)
        if wrong:
            self._fail(n, "USEF", wrong)
            return
        self.tasks[n].total = self._left(n)
        if self._get(n, "TR2", "SWREQ") and n not in self.copying:
            self.copy(n)
        self.rewire()

    def _wrong(self, n: int) -> str:
        """What is a user setting error (17.4.16): "" when nothing is."""
        wide, narrow, left = self._width(n, "S"), self._width(n, "D"), self._left(n)
        if not left:
            return "BNDT is 0"
        if max(wide, narrow) > _WORD:
            return "a width is reserved"
        packed = wide != narrow and self._get(n, "TR1", "PAM") in _PACKED
        if left % wide or (packed and left % narrow):
            return f"BNDT = {left} is not a multiple of the widths"
        for register, size in (("SAR", wide), ("DAR", narrow)):
            if self.registers[f"CH{n}_{register}"] % size:
                return f"{register} = {self.registers[f'CH{n}_{register}']:#x} is not aligned to {size} bytes"
        return ""

    def _check(self, n: int) -> None:
        """What is not modelled."""
        for register, names in {"TR1": ("SSEC", "DSEC", "SBX", "DBX", "DHX"), "TR2": ("BREQ", "TRIGPOL"),
                                "BR1": ("BRC", "SDEC", "DDEC", "BRSDEC", "BRDDEC")}.items():  # fmt: skip
            for name in names:
                if self._get(n, register, name) not in (0, 3 if name == "TRIGPOL" else 0):
                    self.die.refuse(
                        f"{self.name}_CH{n}_{register}.{name} was set", "the twin does not model it (RM0456 17.8)"
                    )
        for register in ("TR3", "BR2"):
            if self.registers[f"CH{n}_{register}"]:
                self.die.refuse(f"{self.name}_CH{n}_{register} is not 0", "the twin does not model 2D addressing")
        if self._get(n, "CR", "LSM") and self.registers[f"CH{n}_LLR"]:
            self.die.refuse(
                f"{self.name}_CH{n}_CR.LSM was set", "the twin does not model steps of a list (RM0456 17.8)"
            )
        burst = "DBL_1" if self.from_memory(n) else "SBL_1"
        if self.source(n) and self._get(n, "TR1", burst):
            self.die.refuse(
                f"{self.channel(n)} moves bursts for a request of a UART", f"leave {burst} 0: each is for one item"
            )

    def _fail(self, n: int, flag: str, error: str) -> None:
        """An error disables the channel (17.4.16)."""
        self._stop(n)
        self._flag(n, flag)
        self.die.forbid(f"{self.channel(n)} stops with {flag}: {error}", "correct its registers (RM0456 17.4.16)")

    def _stop(self, n: int) -> None:
        self.registers[f"CH{n}_CR"] &= ~(self.mask(f"CH{n}_CR", "EN") | self.mask(f"CH{n}_CR", "SUSP"))
        self.tasks[n].fifo.clear()
        self.end_copy(n)
        self.rewire()

    # flags

    def _flag(self, n: int, name: str) -> None:
        self.registers[f"CH{n}_SR"] |= self.mask(f"CH{n}_SR", name)
        self._update_line(n)

    def _raised(self, n: int) -> bool:
        return any(self._get(n, "SR", name) and self._get(n, "CR", f"{name[:-1]}IE") for name in _FLAGS)

    def _update_line(self, n: int) -> None:
        self.line(self.vector(n), self._raised(n))

    def _status(self, n: int) -> int:
        """IDLEF: disabled or suspended (GPDMA_CxSR)."""
        idle = not self._on(n) or self._get(n, "CR", "SUSP")
        return self.registers[f"CH{n}_SR"] | (self.mask(f"CH{n}_SR", "IDLEF") if idle else 0)

    def _refuse_status(self, n: int, value: int) -> None:
        self.die.forbid(f"{self.name}_CH{n}_SR is read-only, {value:#x} was written", "write CxFCR to clear flags")

    def _clear(self, n: int, value: int) -> None:
        self.registers[f"CH{n}_SR"] &= ~value
        self._update_line(n)

    def _nothing(self) -> int:
        return 0

    def read_MISR(self) -> int:
        return sum(self._raised(n) * self.mask("MISR", f"MIS{n}") for n in range(self.count))

    # registers

    def write_SECCFGR(self, value: int) -> None:
        if value:
            self.die.refuse(f"{self.name}_SECCFGR = {value:#x}", "the twin does not model secure channels")

    def _write_fixed(self, name: str, n: int, value: int) -> None:
        """Registers that are read-only while the channel is enabled (17.8)."""
        if self._on(n):
            self.die.forbid(
                f"{self.name}_{name} written while {self.channel(n)} is enabled",
                "suspend and reset the channel first; the write is ignored (RM0456 17.8)",
            )
            return
        self.registers[name] = value & self.masks[name]

    def _write_control(self, n: int, value: int) -> None:
        """EN is set by software and cleared by hardware; what runs is suspended, then reset (17.4.3, 17.4.4)."""
        name, was_on = f"CH{n}_CR", self._on(n)
        value &= self.masks[name]
        reset, suspend = self.mask(name, "RESET"), self.mask(name, "SUSP")
        if value & reset:
            self._reset_channel(n, suspended=bool((self.registers[name] | value) & suspend))
            was_on, value = False, value & ~(reset | suspend | self.mask(name, "EN"))
        if was_on:
            value |= self.mask(name, "EN")
            fixed = sum(self.mask(name, part) for part in _FIXED)
            if (value ^ self.registers[name]) & fixed:
                self.die.forbid(f"{self.name}_{name} was changed while the channel is enabled", "do not: it is ignored")
                value = value & ~fixed | self.registers[name] & fixed
        suspends = value & ~self.registers[name] & suspend
        self.registers[name] = value
        if was_on and suspends:
            self.end_copy(n)
            self._flag(n, "SUSPF")
        elif self._on(n) and not was_on:
            self._start(n)
        elif was_on:
            self._go_on(n)
        self._update_line(n)

    def _go_on(self, n: int) -> None:
        if self._get(n, "TR2", "SWREQ") and n not in self.copying and self.moves(n):
            self.copy(n)
        self.begin(n)

    def _reset_channel(self, n: int, *, suspended: bool) -> None:
        if self._on(n) and not suspended:
            self.die.forbid(
                f"{self.channel(n)} was reset while it is active",
                "suspend it and wait for SUSPF first (RM0456 17.4.4)",
            )
        self._stop(n)

    def _start(self, n: int) -> None:
        link = self.registers[f"CH{n}_LLR"]
        if not self._left(n) and link & self.mask(f"CH{n}_LLR", "UB1") and not self._load_item(n):
            return
        self._begin_block(n)
        self.begin(n)
