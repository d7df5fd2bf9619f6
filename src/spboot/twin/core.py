"""The CPU core: what we know about unicorn on Cortex-M stands here and nowhere else.

U1  UC_MODE_MCLASS forces a Cortex-M33; UC_MODE_THUMB with the model set gives the core that was asked for.
U2  A branch to EXC_RETURN arrives as interrupt 3 with the PC at or above 0xFFFFFF00, or as interrupt 8 once the handler
    wrote a special register and on M33, or on M0 as a fetch from an unmapped address.
U3  A memory hook inside an IT block leaks ITSTATE into later instructions: the hook clears it in EPSR.
U4  `mem_map_ptr` ignores read-only; `mem_protect` afterwards does not.
U5  Changes of code through the host pointer show only once the translation is dropped: `forget_code`.
U6  Unprivileged thread mode neither writes CONTROL nor reads or writes PRIMASK, MSP and PSP: IPSR is set first.
U7  WFI returns early with the PC past it; WFE and YIELD do so as an invalid instruction.
U8  `emu_stop` in a hook takes the access back (the PC stays at the instruction), except inside an IT block, where it
    does nothing.  In an MMIO callback it takes the access back although the model has seen it.
U9  The limit of `emu_start(count=)` may be lowered while it runs: the run then ends after the current instruction, or
    after the IT block that it is in.  Limit and count stand next to each other in the handle; `_find_count` finds them.
U10 In callbacks the PC is exact as long as `emu_start` was given a count.
U11 A context freed after its core was closed aborts the process.
U12 The Python wrappers of callbacks and registers cost more than the work: hot paths call the C functions, and
    those that we call with the lock of the interpreter held and with nothing to convert.  A slice is short.
U13 In an IT block nothing ends a run, neither count nor `emu_stop`, but a BKPT, which leaves ITSTATE as it is there.
U14 An instruction of an IT block whose condition fails is not counted.
U15 CPS and MSR end a translated block, so that a block hook behind them sees what they did.  A block hook costs nothing
    elsewhere; one on instructions slows all of them down, and many do so many times over.
U16 With the virtual TLB a hook says what each page of 1 KB allows, once until the TLB is dropped, for each privilege
    by itself (LDRT and STRT have that of threads).  What it denies is error 21 with the PC at the access and the
    address of the page alone, for peripherals as for memory, code that is translated already included.
U17 `mem_protect` on such a page calls the hooks of U4 for each access, with its address.  A store is then the hook's
    to make, but not one to a peripheral; code is asked for by the halfword while its block is translated, and a refusal
    stops in front of the block.  Loads are asked about once, unless a hook on loads exists, wherever it is.
U18 An MMIO callback counts from the start of its mapping, so that one that is split counts wrong: `carve` maps anew.
U19 Writing XPSR_NZCVQG writes the number of the exception as well, from the same value.
U20 A hook of unmapped accesses may map memory and return True: the access is then made again (shown.py).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Final

import unicorn
from unicorn import arm_const as arm
from unicorn.unicorn_py3 import UcError

from spboot.errors import TwinError
from spboot.twin import quick
from spboot.twin.mmio import Mmio
from spboot.twin.quick import Registers
from spboot.twin.shown import Shown

_engine: Any = unicorn  # its type hints hide what it exports
_MODELS: Final = {
    "cm0p": arm.UC_CPU_ARM_CORTEX_M0,  # unicorn has no M0+; VTOR, the difference we need, is ours anyway
    "cm4": arm.UC_CPU_ARM_CORTEX_M4,
    "cm7": arm.UC_CPU_ARM_CORTEX_M7,
    "cm33": arm.UC_CPU_ARM_CORTEX_M33,
}
_PROBE_COUNT: Final = 0x5A17
_HANDLE_WORDS: Final = 400
_EXC_RETURN_BASE: Final = 0xFFFFFF00
_NO_END: Final = 0xFFFFFFFE
_BKPT: Final = bytes.fromhex("00be")

_MASKS: Final = (arm.UC_ARM_REG_PRIMASK, arm.UC_ARM_REG_BASEPRI, arm.UC_ARM_REG_FAULTMASK)
_GENERAL: Final = (*(arm.UC_ARM_REG_R0 + n for n in range(13)), arm.UC_ARM_REG_SP, arm.UC_ARM_REG_LR, arm.UC_ARM_REG_PC)
_SAVED: Final = (
    *(arm.UC_ARM_REG_R0 + n for n in range(13)),
    *(arm.UC_ARM_REG_D0 + n for n in range(16)),
    *(arm.UC_ARM_REG_FPSCR, arm.UC_ARM_REG_CONTROL, arm.UC_ARM_REG_MSP, arm.UC_ARM_REG_PSP, arm.UC_ARM_REG_LR),
    *_MASKS,
    arm.UC_ARM_REG_PC,
)

INT_SVC: Final = 2
INT_ABORT: Final = 3
INT_BKPT: Final = 7
INT_EXIT: Final = 8


SET_MODE: Final = (arm.UC_ARM_REG_CONTROL, arm.UC_ARM_REG_IPSR, arm.UC_ARM_REG_CONTROL, arm.UC_ARM_REG_CONTROL)
"""The registers by which handler mode is left: `mode` says what is written to them."""


def mode(exception: int, control: int) -> tuple[int, int, int, int]:
    """For `SET_MODE`: to the mode of *exception* (0: thread), with all of *control*.  SPSEL can be written in thread
    mode alone, and nothing any more once CONTROL says unprivileged (U6)."""
    return control & ~1, exception, control & ~1, control


class Core:
    """A Cortex-M and its memories, run in slices of a known number of instructions.  *kind* is as in the chip facts."""

    def __init__(self, kind: str) -> None:
        if kind not in _MODELS:
            raise TwinError(f"the twin has no core {kind!r}; it has {', '.join(_MODELS)}")
        self.uc: Any = _engine.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB)  # U1
        self.uc.ctl_set_cpu_model(_MODELS[kind])
        self._count = _find_count(self.uc)
        self._before: int = 0
        self.running = False
        """Whether it executes: who asks is a hook or a callback."""
        self.ended_early = False
        self.held = False
        """Whether `hold` ended the slice."""
        self.alone = False
        """Whether a run executes one instruction alone, also within an IT block; for a debugger."""
        self.wall: int | None = None
        """Where the next run ends at the latest: in front of that instruction."""
        self.interrupt: int | None = None
        self.uc.hook_add(unicorn.UC_HOOK_INTR, self._on_interrupt)
        self._bug: Exception | None = None
        self._keep: list[Any] = []
        self.shown = Shown(self.uc, self.forget_code)
        self.mmio = Mmio(self.uc, self.note_bug)
        self.code_changed: Callable[[int, int], None] = lambda _address, _size: None
        """Called with address and size of what `forget_code` drops."""
        self.slices = self.crossings = 0
        """How often it was run, and calls for its registers and memory: what an exception costs the host."""
        self._word = ctypes.c_uint32()
        self._at_word = ctypes.addressof(self._word)
        self._bytes = (ctypes.c_ubyte * 128)()
        self._at_bytes = ctypes.addressof(self._bytes)
        self._handle = self.uc._uch.value
        self._general = Registers(self, *_GENERAL)
        self._privilege = Registers(self, arm.UC_ARM_REG_IPSR, arm.UC_ARM_REG_CONTROL, *_MASKS)

    # memory

    def map_buffer(self, address: int, buffer: ctypes.Array[ctypes.c_ubyte], *, writable: bool) -> None:
        """Let *buffer* be the memory at *address*."""
        size = ctypes.sizeof(buffer)
        self.uc.mem_map_ptr(address, size, unicorn.UC_PROT_ALL, ctypes.addressof(buffer))
        if not writable:
            self.uc.mem_protect(address, size, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)  # U4
        self._keep.append(buffer)

    def note_bug(self, bug: Exception) -> int:
        """An exception in a callback may not pass through C: it is raised when the slice has ended."""
        self._bug = self._bug or bug
        self.end_slice()
        return 0

    def forget_code(self, address: int, size: int) -> None:
        """The memory changed under the translator.  Not to be called from a callback (U5)."""
        if error := quick.forget(self._handle, address, address + size):
            raise UcError(error)
        self.code_changed(address, size)

    def on_block(self, address: int, size: int, call: Callable[[], None]) -> Any:
        """Call *call* before each block of instructions that begins in a range (U13).  Between slices only."""

        def on_block(_uc: Any, _address: int, _size: int, _data: Any) -> None:
            call()

        hook = self.uc.hook_add(unicorn.UC_HOOK_BLOCK, on_block, begin=address, end=address + size - 1)
        self.uc.ctl_remove_cache(address, address + size)
        return hook

    def off_block(self, hook: Any) -> None:
        """End what `on_block` began and returned.  Between slices only."""
        self.uc.hook_del(hook)

    def clear_it_state(self) -> None:
        """First thing in every memory hook (U3)."""
        self.set(arm.UC_ARM_REG_EPSR, 1 << 24)

    @property
    def it_state(self) -> int:
        """ITSTATE (ARMv7-M A7.3.3): 0 outside of IT blocks, bits 0 to 2 are 0 in the last instruction of one."""
        xpsr = self.get(arm.UC_ARM_REG_XPSR)
        return xpsr >> 8 & 0xFC | xpsr >> 25 & 3

    @property
    def in_it_block(self) -> bool:
        """Whether the instruction that a memory hook sees is in an IT block; ask before `clear_it_state`."""
        return bool(self.get(arm.UC_ARM_REG_XPSR) & 0x0600FC00)

    # running

    @property
    def executed(self) -> int:
        """Instructions executed so far, the current one included."""
        return self._before + self._count[0] if self.running else self._before

    @executed.setter
    def executed(self, value: int) -> None:
        self._before = value

    def run(self, count: int) -> int | None:
        """Execute up to *count* instructions.  Returns unicorn's error number, None when there was none.

        `interrupt` is then set when the slice ended by SVC, BKPT or a branch to EXC_RETURN."""
        self.interrupt = None
        self.held = False
        self.slices += 1
        self._count[0] = 0
        fence = self._raise_fence()
        self.running = True
        self.uc._hook_exception = None
        error: int | None = quick.run(self._handle, self.pc | 1, _NO_END, 0, count) or None
        self.running = False
        at_fence = fence is not None and self._lift_fence(*fence)
        self.wall = None
        if self.uc._hook_exception is not None:
            raise self.uc._hook_exception
        if self._bug is not None:
            bug, self._bug = self._bug, None
            raise bug
        if error == unicorn.UC_ERR_FETCH_UNMAPPED and self.pc >= _EXC_RETURN_BASE:  # U2
            self.interrupt, error = INT_EXIT, None
        done, limit = int(self._count[0]), int(self._count[1])
        self.ended_early = done <= limit
        self._before += done if self.ended_early and not (self.held or at_fence) else done - 1
        return error

    def _raise_fence(self) -> tuple[int, bytes] | None:
        """Put a BKPT at the wall, or behind the instruction at the PC where it is to be alone and only that ends a run
        (U13): where, and what was there."""
        if self.wall is not None:
            return self._fence(self.wall)
        if not self.alone:
            return None
        pc, state = self.pc, self.it_state
        opcode = self.halfword(pc)
        if not (state or (opcode & 0xFF00 == 0xBF00 and opcode & 15)):
            return None
        return self._fence(pc + (4 if opcode >> 11 in (0x1D, 0x1E, 0x1F) else 2))

    def _fence(self, place: int) -> tuple[int, bytes] | None:
        try:
            before = bytes(self.uc.mem_read(place, 2))
            self._patch(place, _BKPT)
        except UcError:
            return None
        return place, before

    def _lift_fence(self, place: int, before: bytes) -> bool:
        """Put back what was there; whether the run ended there."""
        self._patch(place, before)
        if self.interrupt != INT_BKPT or self.pc != place:
            return False
        self.interrupt = None
        return True

    def _patch(self, address: int, code: bytes) -> None:
        self.uc.mem_write(address, code)
        self.forget_code(address - 4, 8)  # an instruction of 4 bytes may begin before it

    def end_slice(self) -> None:
        """End the slice after the current instruction (U9).  Harmless between slices."""
        if self.running and self._count[1] > self._count[0]:
            self._count[1] = self._count[0]

    def hold(self) -> None:
        """From a hook, not in an IT block (U8): end the slice in front of the instruction, which is not counted."""
        self.held = True
        self.uc.emu_stop()

    def end_before(self) -> None:
        """From `on_block`: end the slice before the block, unless it begins with it."""
        if self._count[0]:
            self.end_slice()

    def take_back(self) -> None:
        """From a memory hook outside an IT block: end the slice as if the instruction had not been (U8)."""
        self.uc.emu_stop()

    def _on_interrupt(self, uc: Any, number: int, _data: Any) -> None:
        self.interrupt = number
        uc.emu_stop()

    @property
    def at_exception_return(self) -> bool:
        """Whether the slice ended by a branch to EXC_RETURN (U2)."""
        return self.interrupt in (INT_ABORT, INT_EXIT) and self.pc >= _EXC_RETURN_BASE

    # registers

    @property
    def pc(self) -> int:
        return self.get(arm.UC_ARM_REG_PC)

    @pc.setter
    def pc(self, value: int) -> None:
        self.set(arm.UC_ARM_REG_PC, value | 1)

    def general(self) -> bytes:
        """R0 to R12, SP, LR and PC, to be compared."""
        return self._general.image()

    def get(self, register: int) -> int:
        """A 32-bit register by unicorn's number (U12)."""
        self.crossings += 1
        quick.read_one(self._handle, register, self._at_word)
        return self._word.value

    def set(self, register: int, value: int) -> None:
        """Write a 32-bit register by unicorn's number."""
        self.crossings += 1
        self._word.value = value
        quick.write_one(self._handle, register, self._at_word)

    def halfword(self, address: int) -> int:
        """The instruction halfword at *address*, 0 where nothing is mapped."""
        return int.from_bytes(self.fetch(address, 2) or b"", "little")

    def fetch(self, address: int, size: int) -> bytes | None:
        """Up to 128 bytes at *address*; None where nothing is mapped."""
        self.crossings += 1
        if quick.read_memory(self._handle, address & 0xFFFFFFFF, self._at_bytes, size):
            return None
        return ctypes.string_at(self._at_bytes, size)

    def store(self, address: int, data: bytes) -> None:
        """Put *data* into memory that is known to be there."""
        self.crossings += 1
        quick.write_memory(self._handle, address, data, len(data))

    def reset(self) -> None:
        """All registers to their reset values (ARMv7-M B1.5.5); the general ones to zero."""
        self.set(arm.UC_ARM_REG_IPSR, 3)  # U6
        for register in (arm.UC_ARM_REG_PRIMASK, arm.UC_ARM_REG_BASEPRI, arm.UC_ARM_REG_FAULTMASK):
            self.set(register, 0)
        self.set(arm.UC_ARM_REG_CONTROL, 0)
        self.set(arm.UC_ARM_REG_IPSR, 0)
        self.set(arm.UC_ARM_REG_CONTROL, 0)  # SPSEL can only be written in thread mode
        for number in range(13):
            self.set(arm.UC_ARM_REG_R0 + number, 0)
        self.set(arm.UC_ARM_REG_LR, 0xFFFFFFFF)
        self.set(arm.UC_ARM_REG_XPSR_NZCVQG, 0)
        self.clear_it_state()

    def save(self) -> Any:
        """Registers by value: unicorn's own contexts die with the core they came from (U11)."""
        xpsr = self.get(arm.UC_ARM_REG_XPSR)
        return (*self._as_handler(lambda: [self.uc.reg_read(register) for register in _SAVED]), xpsr), self._before

    def masks(self) -> tuple[int, int, int]:
        """PRIMASK, BASEPRI, FAULTMASK, whatever the privilege."""
        exception, control, primask, basepri, faultmask = self._privilege.read()
        if not exception and control & 1:
            primask, basepri, faultmask = self._as_handler(self._privilege.read)[2:]
        return primask, basepri, faultmask

    def _as_handler(self, read: Callable[[], list[int]]) -> list[int]:
        """*read* in handler mode, from where all registers are seen (U6)."""
        if self.get(arm.UC_ARM_REG_IPSR) or not self.get(arm.UC_ARM_REG_CONTROL) & 1:
            return read()
        self.set(arm.UC_ARM_REG_IPSR, 3)
        values = read()
        self.set(arm.UC_ARM_REG_IPSR, 0)
        return values

    def load(self, state: Any) -> None:
        values, self._before = state
        xpsr = values[-1]
        by_number = dict(zip(_SAVED, values[:-1], strict=True))
        control = by_number.pop(arm.UC_ARM_REG_CONTROL)
        self.set(arm.UC_ARM_REG_IPSR, 3)  # U6
        self.set(arm.UC_ARM_REG_CONTROL, control & ~1)
        for register, value in by_number.items():
            self.uc.reg_write(register, value)
        self.set(arm.UC_ARM_REG_XPSR_NZCVQG, xpsr & 0xF80F0000)
        self.set(arm.UC_ARM_REG_EPSR, xpsr & 0x0700FC00)
        for number, value in zip(SET_MODE, mode(xpsr & 0x1FF, control), strict=True):
            self.set(number, value)
        self.pc = by_number[arm.UC_ARM_REG_PC]


def _find_count(uc: Any) -> Any:
    """Where unicorn keeps the number of instructions executed, followed by the limit (U9): an array of two.

    Found by looking, from inside a run, for the limit that was just given.  Raises TwinError when it is not there."""
    address = 0x1000
    uc.mem_map(address, 0x1000)
    uc.mem_write(address, bytes.fromhex("00bf00bf00bf01df"))  # nop; nop; nop; svc 1
    words = (ctypes.c_size_t * _HANDLE_WORDS).from_address(uc._uch.value)
    found: list[int] = []

    def look(_uc: Any, _number: int, _data: Any) -> None:
        found.extend(i for i in range(1, _HANDLE_WORDS) if words[i] == _PROBE_COUNT and words[i - 1] == 4)
        uc.emu_stop()

    hook = uc.hook_add(unicorn.UC_HOOK_INTR, look)
    uc.emu_start(address | 1, _NO_END, count=_PROBE_COUNT)
    uc.hook_del(hook)
    uc.mem_unmap(address, 0x1000)
    if len(found) != 1:
        raise TwinError("this unicorn is not the one we know; install unicorn 2.1.4")
    return (ctypes.c_size_t * 2).from_address(uc._uch.value + (found[0] - 1) * ctypes.sizeof(ctypes.c_size_t))
