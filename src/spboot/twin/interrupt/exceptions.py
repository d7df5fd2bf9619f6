"""Exceptions: when they are taken, what is stacked, how they return, what a fault becomes (ARMv7-M B1.5)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import unicorn
from unicorn import arm_const as arm

from spboot.twin.core import INT_BKPT, INT_SVC, SET_MODE, mode
from spboot.twin.die import Die
from spboot.twin.errors import LockupError
from spboot.twin.interrupt.guard import Guard
from spboot.twin.interrupt.mpu import Access
from spboot.twin.interrupt.nvic import BUS_FAULT, HARD_FAULT, MEM_MANAGE, NMI, SVCALL, USAGE_FAULT, Nvic
from spboot.twin.quick import Registers
from spboot.twin.timeline import PS_PER_S

_FRAME: Final = struct.Struct("<8I")
_FP_FRAME: Final = struct.Struct("<16III")
_STACKED: Final = tuple(
    getattr(arm, f"UC_ARM_REG_{name}") for name in ("R0", "R1", "R2", "R3", "R12", "LR")
)  # in stacking order
_BEFORE: Final = (*_STACKED, arm.UC_ARM_REG_SP, arm.UC_ARM_REG_XPSR, arm.UC_ARM_REG_CONTROL)
_ENTERED: Final = (  # IPSR switches to MSP
    arm.UC_ARM_REG_SP, arm.UC_ARM_REG_IPSR, arm.UC_ARM_REG_LR, arm.UC_ARM_REG_EPSR, arm.UC_ARM_REG_PC,
)  # fmt: skip
_AT_RETURN: Final = (
    arm.UC_ARM_REG_PC, arm.UC_ARM_REG_LR, arm.UC_ARM_REG_CONTROL, arm.UC_ARM_REG_FAULTMASK, arm.UC_ARM_REG_MSP,
    arm.UC_ARM_REG_PSP,
)  # fmt: skip
_RETURNED: Final = (
    arm.UC_ARM_REG_FAULTMASK, *SET_MODE, *_STACKED, arm.UC_ARM_REG_SP, arm.UC_ARM_REG_XPSR_NZCVQG, arm.UC_ARM_REG_EPSR,
    arm.UC_ARM_REG_PC,
)  # fmt: skip
_FLOATING: Final = (*(arm.UC_ARM_REG_S0 + n for n in range(16)), arm.UC_ARM_REG_FPSCR)
_THREAD: Final = 256
_THUMB: Final = 1 << 24
_ENABLE_BIT: Final = {MEM_MANAGE: 16, BUS_FAULT: 17, USAGE_FAULT: 18}
_FORCED: Final = 1 << 30
_PRECISERR, _IMPRECISERR, _BFARVALID = 1 << 9, 1 << 10, 1 << 15
_BFHFNMIGN: Final = 1 << 8
_IACCVIOL, _DACCVIOL, _MUNSTKERR, _MSTKERR, _MMARVALID = 1, 2, 8, 0x10, 0x80
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
        self._known = frozenset(self._returns | frame | mode for frame in (0, 0x10) for mode in (0, 8, 0xC))
        self._before, self._entered = Registers(self.core, *_BEFORE), Registers(self.core, *_ENTERED)
        self._at_return, self._returned = Registers(self.core, *_AT_RETURN), Registers(self.core, *_RETURNED)
        self._floating = Registers(self.core, *_FLOATING)
        self.active: list[int] = []
        self.sleeping = False
        self.event = False
        """The event register: what WFE waits for (ARMv7-M B1.5.18)."""
        self.faults: list[Fault] = []
        self.debugged = False
        """Whether a debugger is attached, for which BKPT halts;"""
        self.inspected = False
        """whether an access is the debugger's, which is privileged."""
        self._late_fault: tuple[int, int] | None = None
        self.guard = Guard(die, nvic.mpu)
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
        return bool(self.active) or self.inspected or not self.core.get(arm.UC_ARM_REG_CONTROL) & 1

    @property
    def in_fault_handler(self) -> bool:
        """Whether the execution priority is negative: HardFault, NMI, or FAULTMASK set."""
        return any(e in self.active for e in (NMI, HARD_FAULT)) or bool(self.core.masks()[2] & 1)

    # priorities

    @property
    def level(self) -> int:
        """The execution priority without masks."""
        nvic = self.nvic
        return min([nvic.group(nvic.priorities[exception]) for exception in self.active], default=_THREAD)

    @property
    def priority(self) -> int:
        """The execution priority: what an exception must be more urgent than."""
        nvic, level = self.nvic, self.level
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
        if group >= self.level or group >= self.priority:
            return False
        self.enter(number, self.core.pc)
        return True

    # entry and return

    def enter(self, exception: int, return_pc: int) -> None:
        """Stack a frame and go to the handler."""
        core, thread = self.core, not self.active
        *stacked, stack, xpsr, control = self._before.read()
        self._check_fpu(control)
        self.sleeping = False
        running = 0 if thread else self.active[-1]
        frame = _FRAME.pack(*stacked, return_pc & ~1, xpsr & ~0x3FF | 1 << 24 | running | (stack & 4) << 7)
        floating = bool(control & 4)
        if floating:
            frame += _FP_FRAME.pack(*self._floating.read(), 0)
        top = stack - len(frame) & ~7 & 0xFFFFFFFF
        if not self.die.rams.holds(top, len(frame)):
            raise self._lockup(f"no RAM to stack exception {exception} at {top:#010x}; check the stack pointer")
        if not self.guard.on or self._may_stack(top, len(frame), "write", thread and control & 1 == 1):
            core.store(top, frame)
        else:
            exception = self._derived(exception, _MSTKERR)
        came_from = 0 if not thread else 0xC if control & 2 else 8
        link = 0xFFFFFF00 | self._returns | (0 if floating else 0x10) | came_from
        self._go(exception, link, top)
        if floating:
            core.set(arm.UC_ARM_REG_CONTROL, control & ~4)

    def _go(self, exception: int, link: int, top: int) -> None:
        """To the handler, with the stack at *top*."""
        core = self.core
        where = self.nvic.registers["VTOR"] + 4 * exception
        fetched = core.fetch(where, 4)
        if fetched is None:
            raise self._lockup(f"no vector for exception {exception} at {where:#010x}")
        vector = int.from_bytes(fetched, "little")
        self._entered.write([top, exception, link, _THUMB, vector | 1])
        self.active.append(exception)
        if self.guard.on and exception in (NMI, HARD_FAULT):
            self.guard.drop()
        self.nvic.pending &= ~(1 << exception)
        if not vector & 1:
            if exception in (NMI, HARD_FAULT):
                raise self._lockup(f"vector {vector:#010x} of exception {exception} is even")
            self.fault(USAGE_FAULT, _INVSTATE, vector, vector)

    def _may_stack(self, top: int, size: int, access: Access, unprivileged: bool) -> bool:
        return self.guard.allows_all(top, size, access, privileged=not unprivileged)

    def _derived(self, exception: int, status: int) -> int:
        """The MPU denied the stack at the entry to *exception*: which one is entered in its place (B1.5.14).  One that
        is not may come later where it is pending by itself; SVCALL and faults are lost with their frame."""
        nvic, level = self.nvic, self.priority
        self.faults.append(
            Fault(kind="MemManage", address=self.core.pc, pc=self.core.pc, time=self.die.timeline.now / PS_PER_S)
        )
        if nvic.has_fault_status:
            nvic.registers["CFSR"] |= status
        if exception in (NMI, HARD_FAULT):
            return exception
        if nvic.has_fault_status:
            enabled = nvic.registers["SHCSR"] >> _ENABLE_BIT[MEM_MANAGE] & 1
            group = nvic.group(nvic.priority(MEM_MANAGE))
            if enabled and group < min(level, nvic.group(nvic.priority(exception))):
                return MEM_MANAGE
            nvic.registers["HFSR"] |= _FORCED
        return HARD_FAULT

    def leave(self) -> None:
        """Exception return: the PC holds EXC_RETURN."""
        core = self.core
        pc, link, control, faultmask, main, process = self._at_return.read()
        code = pc & 0xFE | self._returns & 1
        if not self.active or code not in self._known:
            core.pc = link
            self.fault(USAGE_FAULT, _INVPC, 0xFFFFFF00 | code, core.pc)
            return
        to_thread, to_process, floating = bool(code & 8), code & 0xC == 0xC, not code & 0x10
        left = self.active.pop()
        stack = process if to_process else main
        size = _FRAME.size + (_FP_FRAME.size if floating else 0)
        if not self.die.rams.holds(stack, size):
            raise self._lockup(f"no RAM to unstack from at {stack:#010x}")
        unprivileged = to_thread and control & 1 == 1
        if self.guard.on and not self._may_stack(stack, size, "read", unprivileged):
            core.pc = link
            self._go(self._derived(left, _MUNSTKERR), 0xFFFFFF00 | code, stack)
            return
        content = core.fetch(stack, size) or bytes(size)
        *stacked, return_pc, xpsr = _FRAME.unpack(content[: _FRAME.size])
        control = control & 1 | (4 if floating else 0) | (2 if to_process else 0)
        running = 0 if to_thread or not self.active else self.active[-1]
        after = stack + size + (xpsr >> 7 & 4)
        masked = faultmask if left == NMI else 0
        psr = xpsr & 0xF80F0000 | running, xpsr & 0x0700FC00  # U19
        self._returned.write([masked, *mode(running, control), *stacked, after, *psr, return_pc | 1])
        if floating:
            self._floating.write(list(_FP_FRAME.unpack(content[_FRAME.size :])[:-1]))
        self.event = True
        if self.guard.on and left in (NMI, HARD_FAULT):
            self.guard.drop()
        self._check_return(xpsr, to_thread)
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
            if status & _MMARVALID:
                nvic.registers["MMFAR"] = address
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

    def access_denied(self, address: int, *, fetch: bool) -> None:
        """The MPU denied the access of the instruction at the PC (B3.2.15)."""
        pc = self.core.pc
        if fetch:
            self.fault(MEM_MANAGE, _IACCVIOL, pc, pc)
        else:
            self.fault(MEM_MANAGE, _DACCVIOL | _MMARVALID, address, pc)

    def interrupted(self) -> None:
        """The slice ended by SVC, BKPT, a branch to EXC_RETURN, or what unicorn knows nothing of."""
        number = self.core.interrupt
        if self.core.at_exception_return:
            self.leave()
        elif number == INT_SVC:
            self.supervisor_call()
        elif number == INT_BKPT:
            self.breakpoint()
        else:
            self.undefined()

    def undefined(self) -> None:
        """The instruction at the PC is none, or the core was sent to an even address."""
        pc = self.core.pc
        thumb = self.core.get(arm.UC_ARM_REG_XPSR) >> 24 & 1
        self.fault(USAGE_FAULT, _UNDEFINSTR if thumb else _INVSTATE, pc, pc)

    def breakpoint(self) -> None:
        """BKPT halts for a debugger; without one it is a HardFault (ARMv7-M C1.6.1)."""
        if not self.debugged:
            self.fault(HARD_FAULT, 0, self.core.pc, self.core.pc)

    def supervisor_call(self) -> None:
        """SVC; where it may not be taken it escalates."""
        nvic = self.nvic
        if nvic.group(nvic.priority(SVCALL)) < self.priority:
            self.enter(SVCALL, self.core.pc)
        else:
            self.fault(HARD_FAULT, 0, self.core.pc, self.core.pc)

    def lose_supply(self) -> None:
        """Standby: no state of the FPU is left to be looked at."""
        self.core.set(arm.UC_ARM_REG_CONTROL, 0)

    def check_fpu(self) -> None:
        """Refuse FPU instructions that CPACR does not allow (PM0214 4.6.1); seen at exceptions and when a run ends."""
        self._check_fpu(self.core.get(arm.UC_ARM_REG_CONTROL))

    def _check_fpu(self, control: int) -> None:
        if control & 4 and self.nvic.registers.get("CPACR", 0) & 0xF00000 != 0xF00000:
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
