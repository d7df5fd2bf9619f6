"""Exceptions: when they are taken, what is stacked, how they return, what a fault becomes (ARMv7-M B1.5)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import unicorn
from unicorn import arm_const as arm
from unicorn.unicorn_py3 import UcError

from spboot.twin.die import Die
from spboot.twin.errors import LockupError
from spboot.twin.interrupt.nvic import BUS_FAULT, HARD_FAULT, MEM_MANAGE, NMI, SVCALL, USAGE_FAULT, Nvic
from spboot.twin.timeline import PS_PER_S

_FRAME: Final = struct.Struct("<8I")
_FP_FRAME: Final = struct.Struct("<16III")
_STACKED: Final = tuple(
    getattr(arm, f"UC_ARM_REG_{name}") for name in ("R0", "R1", "R2", "R3", "R12", "LR")
)  # in stacking order
_THREAD: Final = 256
_ENABLE_BIT: Final = {MEM_MANAGE: 16, BUS_FAULT: 17, USAGE_FAULT: 18}
_FORCED: Final = 1 << 30
_PRECISERR, _IMPRECISERR, _BFARVALID = 1 << 9, 1 << 10, 1 << 15
_BFHFNMIGN: Final = 1 << 8
_IBUSERR, _UNDEFINSTR, _INVSTATE, _INVPC = 1 << 8, 1 << 16, 1 << 17, 1 << 18
_V7_RETURNS: Final = 0xE1
_V8_RETURNS: Final = 0xA0
"""EXC_RETURN of a handler that goes back to a handler with a floating-point frame; on ARMv8-M without security that
also says that the stack is the non-secure one (DDI0553 B3.20)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault the firmware ran into.  *address* is what it accessed."""

    kind: str
    address: int
    pc: int
    time: float


class Cpu:
    """The exception model around the core."""

    def __init__(self, die: Die, nvic: Nvic) -> None:
        self.die = die
        self.nvic = nvic
        self.core = die.core
        self._returns = _V8_RETURNS if die.chip.core == "cm33" else _V7_RETURNS
        self.active: list[int] = []
        self.sleeping = False
        self.event = False
        """The event register: what WFE waits for (ARMv7-M B1.5.18)."""
        self.faults: list[Fault] = []
        self._late_fault: tuple[int, int] | None = None
        self.returned: Callable[[int], None] = lambda _exception: None
        """Called with the number of an exception that returned."""

    def reset(self) -> None:
        """Registers and exceptions; SP and PC from the vector table that a reset leaves."""
        self.active.clear()
        self.sleeping = self.event = False
        self._late_fault = None
        self.core.reset()
        stack, entry = struct.unpack("<II", self.core.uc.mem_read(self.nvic.registers["VTOR"], 8))
        if (stack, entry) == (0xFFFFFFFF, 0xFFFFFFFF):
            self.die.refuse("flash is empty at the reset vector", "load an image that begins there")
        self.core.set(arm.UC_ARM_REG_SP, stack & ~3)
        self.core.pc = entry
        if not entry & 1:
            raise LockupError(f"the reset vector {entry:#010x} is even: not Thumb code; set bit 0")

    def send_event(self) -> None:
        """Set the event register."""
        self.event = True

    @property
    def privileged(self) -> bool:
        return bool(self.active) or not self.core.get(arm.UC_ARM_REG_CONTROL) & 1

    # priorities

    @property
    def priority(self) -> int:
        """The execution priority: what an exception must be more urgent than."""
        nvic = self.nvic
        level = min((nvic.group(nvic.priority(e)) for e in self.active), default=_THREAD)
        primask, basepri, faultmask = self.core.masks()
        if basepri & nvic.priority_mask:
            level = min(level, nvic.group(basepri & nvic.priority_mask))
        if primask & 1:
            level = min(level, 0)
        if faultmask & 1:
            level = min(level, -1)
        return level

    def take_pending(self) -> bool:
        """Enter the foremost exception if it may.  False when all candidates are masked."""
        group, number = self.nvic.best()
        if group >= self.priority:
            return False
        self.enter(number, self.core.pc)
        return True

    # entry and return

    def enter(self, exception: int, return_pc: int) -> None:
        """Stack a frame and go to the handler."""
        core, thread = self.core, not self.active
        self.check_fpu()
        self.sleeping = False
        control = core.get(arm.UC_ARM_REG_CONTROL)
        floating = bool(control & 4)
        stack = core.get(arm.UC_ARM_REG_SP)
        xpsr = core.get(arm.UC_ARM_REG_XPSR) | 1 << 24
        frame = _FRAME.pack(
            *(core.get(register) for register in _STACKED),
            return_pc & ~1,
            xpsr & ~0x3FF | (self.active[-1] if self.active else 0) | (stack & 4) << 7,
        )
        if floating:
            fp = [core.get(arm.UC_ARM_REG_S0 + n) for n in range(16)]
            frame += _FP_FRAME.pack(*fp, core.get(arm.UC_ARM_REG_FPSCR), 0)
        top = stack - len(frame) & ~7 & 0xFFFFFFFF
        if not self.die.rams.holds(top, len(frame)):
            raise self._lockup(f"no RAM to stack exception {exception} at {top:#010x}; check the stack pointer")
        core.uc.mem_write(top, frame)
        core.set(arm.UC_ARM_REG_SP, top)
        use_psp = thread and control & 2
        core.set(arm.UC_ARM_REG_IPSR, exception)  # switches to MSP
        if floating:
            core.set(arm.UC_ARM_REG_CONTROL, control & ~4)
        base = 0xFFFFFF00 | self._returns
        core.set(arm.UC_ARM_REG_LR, base | (0 if floating else 0x10) | (0xC if use_psp else 8 if thread else 0))
        core.clear_it_state()
        self.active.append(exception)
        self.nvic.pending &= ~(1 << exception)
        self._go(exception)

    def _go(self, exception: int) -> None:
        """Fetch the vector and jump."""
        where = self.nvic.registers["VTOR"] + 4 * exception
        try:
            vector = int.from_bytes(self.core.uc.mem_read(where, 4), "little")
        except UcError:
            raise self._lockup(f"no vector for exception {exception} at {where:#010x}") from None
        self.core.pc = vector
        if not vector & 1:
            if exception in (NMI, HARD_FAULT):
                raise self._lockup(f"vector {vector:#010x} of exception {exception} is even")
            self.fault(USAGE_FAULT, _INVSTATE, vector, vector)

    def leave(self) -> None:
        """Exception return: the PC holds EXC_RETURN."""
        core, code = self.core, self.core.pc & 0xFE | self._returns & 1
        known = {self._returns | frame | mode for frame in (0, 0x10) for mode in (0, 8, 0xC)}
        if not self.active or code not in known:
            core.pc = core.get(arm.UC_ARM_REG_LR)
            self.fault(USAGE_FAULT, _INVPC, 0xFFFFFF00 | code, core.pc)
            return
        to_thread, floating = bool(code & 8), not code & 0x10
        left = self.active.pop()
        if left != NMI:
            core.set(arm.UC_ARM_REG_FAULTMASK, 0)
        control = core.get(arm.UC_ARM_REG_CONTROL) & 1 | (4 if floating else 0) | (2 if to_thread and code & 4 else 0)
        core.set_mode(0 if to_thread else self.active[-1] if self.active else 0, control)
        stack = core.get(arm.UC_ARM_REG_SP)
        size = _FRAME.size + (_FP_FRAME.size if floating else 0)
        if not self.die.rams.holds(stack, size):
            raise self._lockup(f"no RAM to unstack from at {stack:#010x}")
        frame = _FRAME.unpack(core.uc.mem_read(stack, _FRAME.size))
        if floating:
            fp = _FP_FRAME.unpack(core.uc.mem_read(stack + _FRAME.size, _FP_FRAME.size))
            for number in range(16):
                core.set(arm.UC_ARM_REG_S0 + number, fp[number])
            core.set(arm.UC_ARM_REG_FPSCR, fp[16])
        for register, value in zip(_STACKED, frame, strict=False):
            core.set(register, value)
        core.set(arm.UC_ARM_REG_SP, stack + size + (frame[7] >> 7 & 4))
        core.set(arm.UC_ARM_REG_XPSR_NZCVQG, frame[7] & 0xF80F0000)
        core.set(arm.UC_ARM_REG_EPSR, frame[7] & 0x0700FC00)
        core.pc = frame[6]
        self.event = True
        self._check_return(frame[7], to_thread)
        self.returned(left)

    def _check_return(self, xpsr: int, to_thread: bool) -> None:
        if to_thread != (not self.active) and not self.nvic.registers["CCR"] & 1:
            self.fault(USAGE_FAULT, _INVPC, self.core.pc, self.core.pc)
        elif not xpsr >> 24 & 1:
            self.fault(USAGE_FAULT, _INVSTATE, self.core.pc, self.core.pc)

    # faults

    def fault(self, kind: int, status: int, address: int, pc: int) -> None:
        """Take fault *kind* with *status* in CFSR, escalated to HardFault where it must be (B1.5.14)."""
        nvic = self.nvic
        name = {MEM_MANAGE: "MemManage", BUS_FAULT: "BusFault", USAGE_FAULT: "UsageFault"}.get(kind, "HardFault")
        self.faults.append(Fault(kind=name, address=address, pc=pc, time=self.die.timeline.now / PS_PER_S))
        level = self.priority
        if nvic.has_fault_status:
            nvic.registers["CFSR"] |= status
            if status & _BFARVALID:
                nvic.registers["BFAR"] = address
            enabled = nvic.registers["SHCSR"] >> _ENABLE_BIT.get(kind, 31) & 1
            if not (enabled and nvic.group(nvic.priority(kind)) < level):
                nvic.registers["HFSR"] |= _FORCED
                kind = HARD_FAULT
        else:
            kind = HARD_FAULT  # ARMv6-M has no other (DDI0419 B1.5.1)
        if kind == HARD_FAULT and level <= -1:
            raise self._lockup(f"{name} at {address:#010x}, PC {self.die.where(pc)}, inside a fault handler")
        self.enter(kind, pc)

    def memory_fault(self, error: int, address: int) -> None:
        """Unicorn found nothing at *address*."""
        pc = self.core.pc
        if error == unicorn.UC_ERR_FETCH_UNMAPPED:
            self.fault(BUS_FAULT, _IBUSERR, pc, pc)
        else:
            self.fault(BUS_FAULT, _PRECISERR | _BFARVALID, address, pc)

    def undefined(self) -> None:
        """The instruction at the PC is none, or the core was sent to an even address."""
        pc = self.core.pc
        thumb = self.core.get(arm.UC_ARM_REG_XPSR) >> 24 & 1
        self.fault(USAGE_FAULT, _UNDEFINSTR if thumb else _INVSTATE, pc, pc)

    def breakpoint(self) -> None:
        """BKPT without a debugger is a HardFault (ARMv7-M C1.6.1)."""
        self.fault(HARD_FAULT, 0, self.core.pc, self.core.pc)

    def supervisor_call(self) -> None:
        """SVC; where it may not be taken it escalates."""
        nvic = self.nvic
        if nvic.group(nvic.priority(SVCALL)) < self.priority:
            self.enter(SVCALL, self.core.pc)
        else:
            self.fault(HARD_FAULT, 0, self.core.pc, self.core.pc)

    def check_fpu(self) -> None:
        """Refuse FPU instructions that CPACR does not allow (PM0214 4.6.1); seen at exceptions and when a run ends."""
        if self.nvic.registers.get("CPACR", 0) & 0xF00000 != 0xF00000 and self.core.get(arm.UC_ARM_REG_CONTROL) & 4:
            self.die.refuse("an FPU instruction ran with CPACR off", "set CP10 and CP11 first")

    def bus_error(self, address: int) -> None:
        """From a memory hook: the load is answered with a bus error.  A precise fault, or with BFHFNMIGN at priority -1
        and below only a flag (ARMv7-M B3.2.8)."""
        nvic = self.nvic
        if nvic.registers["CCR"] & _BFHFNMIGN and self.priority <= -1:
            nvic.registers["CFSR"] |= _PRECISERR | _BFARVALID
            nvic.registers["BFAR"] = address
            return
        self._late_fault = (_PRECISERR | _BFARVALID, address)
        self.core.take_back()

    def bus_fault_later(self, address: int) -> None:
        """From an MMIO callback: a bus fault, taken after the instruction."""
        self._late_fault = (_IMPRECISERR, address)
        self.core.end_slice()

    def take_late_fault(self) -> bool:
        """Whether a bus fault waited, and was taken."""
        if self._late_fault is None:
            return False
        (status, address), self._late_fault = self._late_fault, None
        self.fault(BUS_FAULT, status, address, self.core.pc)
        return True

    def _lockup(self, text: str) -> LockupError:
        return LockupError(f"lockup: {text}, at {self.die.where(self.core.pc)}")

    def save(self) -> Any:
        return list(self.active), self.sleeping, self.event, list(self.faults)

    def load(self, state: Any) -> None:
        active, self.sleeping, self.event, faults = state
        self.active, self.faults = list(active), list(faults)
        self._late_fault = None
