"""Where the core stops for a debugger: exactly there, at no cost of time, on every core."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import pytest
from unicorn import arm_const as arm

from spboot.errors import TwinError
from spboot.formats import elf
from spboot.twin import Halted, Twin
from spboot.twin.host.gdb_debugger import LIMIT, SIGILL, SIGSEGV, SIGTRAP, WATCHED, Debugger

from .conftest import OUT, build, done, finish, out, twin_of

PARTS = ("STM32L476RG", "STM32F769NI", "STM32L562QE")
"""A Cortex-M4, M7 and M33: what has IT blocks."""
STEP = range(0)

BLOCKS = """
__attribute__((naked)) static uint32_t mix(uint32_t equal) {
    __asm volatile(".syntax unified\\n"
        ".global place_first\\n place_first: movs r1, #0\\n movs r2, #0\\n movs r3, #0\\n"
        "cmp r0, #1\\n"
        "ittet eq\\n addeq r1, #1\\n moveq.w r2, #5\\n addne.w r3, r3, #7\\n lsleq r1, r1, #4\\n"
        "cmp r1, #16\\n"
        "ite ne\\n addne r3, #2\\n addeq r3, #9\\n"
        "it eq\\n beq.w 1f\\n"
        "adds r3, #32\\n"
        "1: add.w r0, r1, r2\\n add r0, r0, r3\\n"
        ".global place_last\\n place_last: bx lr\\n");
}
void main_(void) { OUT[0] = mix(1); OUT[1] = mix(0); OUT[2] = mix(1); }
"""
TICKS = """
void tick(void) { OUT[0]++; }
void __attribute__((noinline)) piece(uint32_t n) { for (uint32_t i = 0; i < n; i++) OUT[2] += i; }
void main_(void) { OUT[0] = OUT[2] = 0; REG(0xe000edfc) |= 1u << 24; DWT_CYCCNT = 0; DWT_CTRL |= 1;
    SYST_RVR = 399; SYST_CVR = 0; SYST_CSR = 7;
    for (uint32_t i = 0; i < 60; i++) piece(i);
    OUT[1] = DWT_CYCCNT; SYST_CSR = 0; }
"""
"""Counts work, SysTick exceptions and cycles."""
SLEEP = """
void tick(void) { OUT[0]++; }
void main_(void) { OUT[0] = 0; SYST_RVR = 3999; SYST_CVR = 0; SYST_CSR = 7;
    __asm volatile(".global place_wfi\\n place_wfi: wfi\\n .global place_awake\\n place_awake: nop"); }
"""
SPIN = 'void main_(void) { __asm volatile(".global place_spin\\n place_spin: b place_spin"); }'
JUMP = 'void main_(void) { __asm volatile("b place_behind\\n wfi\\n .global place_behind\\n place_behind: nop"); }'
CALL = """
__attribute__((naked)) void svc(void) { __asm volatile(
    ".global place_svc\\n place_svc: nop\\n .global place_leave\\n place_leave: bx lr"); }
void main_(void) { __asm volatile(
    ".global place_call\\n place_call: svc 0\\n .global place_back\\n place_back: nop"); OUT[0] = 1; }
"""
STORES = """
void main_(void) { OUT[0] = 1; OUT[1] = 2; (void)OUT[2];
    __asm volatile("cmp %0, %0\\n it eq\\n streq %1, [%0]" :: "r"(0x20000110), "r"(9));
    OUT[5] = 3; }
"""


class Place(NamedTuple):
    """The core in front of an instruction."""

    pc: int
    executed: int
    registers: tuple[int, ...]


def places(source: str, part: str = PARTS[0]) -> dict[str, int]:
    """Functions and labels of *source* -> addresses."""
    found = elf.symbols("f.elf", build(source, part))
    return {each.name.removeprefix("place_"): each.value & ~1 for each in found}


def here(twin: Twin) -> Place:
    core = twin.core
    registers = (*(core.get(arm.UC_ARM_REG_R0 + n) for n in range(13)), core.get(arm.UC_ARM_REG_XPSR))
    return Place(core.pc, core.executed, registers)


def go(twin: Twin, debugger: Debugger, within: range | None = None) -> Halted | None:
    """Go on until the core stops, or for 10 ms."""
    debugger.resume(within)
    try:
        twin.run(until=lambda: done(twin), seconds=0.01)
    except Halted as halt:
        return halt
    return None


def at(twin: Twin, debugger: Debugger, address: int) -> None:
    """Go on to *address*."""
    debugger.stop_at(address)
    assert go(twin, debugger)
    assert twin.core.pc == address
    debugger.pass_by(address)


@pytest.mark.parametrize("part", PARTS)
def test_a_step_is_one_instruction_and_a_breakpoint_any_of_them(part: str) -> None:
    """In IT blocks, too: registers, flags and the instruction count at a stop are those of an undisturbed run."""
    known = places(BLOCKS, part)
    twin = twin_of(BLOCKS, part)
    debugger = Debugger(twin)
    at(twin, debugger, known["first"])
    start, walk = twin.snapshot(), [here(twin)]
    while twin.core.pc != known["last"]:
        assert go(twin, debugger, STEP)
        walk.append(here(twin))
    counts = [after.executed - before.executed for before, after in pairwise(walk)]
    assert counts.count(0) == 2 and set(counts) == {0, 1}, "unicorn counts none whose condition fails (U14)"
    assert len(walk) == 18, "every instruction, those whose condition fails included; the branch passes over one"
    for place in walk[1:]:
        twin.restore(start)
        debugger.stop_at(place.pc)
        assert go(twin, debugger)
        assert here(twin) == place
        debugger.pass_by(place.pc)
    assert go(twin, debugger) is None
    other = twin_of(BLOCKS, part)
    finish(other)
    expected = [16 + 5 + 9, 7 + 2 + 32, 16 + 5 + 9]
    assert [out(twin, n) for n in range(3)] == [out(other, n) for n in range(3)] == expected


@pytest.mark.parametrize("part", (*PARTS, "STM32G0B1RE"))
def test_breakpoints_cost_no_time(part: str) -> None:
    """Hundreds of stops, in a function and in an interrupt handler: cycles and exceptions are as if there were none."""
    source = TICKS
    if part == "STM32G0B1RE":  # it has no cycle counter
        source = source.replace("REG(0xe000edfc) |= 1u << 24; DWT_CYCCNT = 0; DWT_CTRL |= 1;", "")
        source = source.replace("DWT_CYCCNT", "SYST_CVR")
    known = places(source, part)
    plain = twin_of(source, part)
    finish(plain)
    twin = twin_of(source, part)
    debugger = Debugger(twin)
    stops = {known["tick"]: 0, known["piece"]: 0}
    for address in stops:
        debugger.stop_at(address)
    while go(twin, debugger):
        stops[twin.core.pc] += 1
    assert stops[known["piece"]] == 60
    assert stops[known["tick"]] == out(plain) > 10
    assert [out(twin, n) for n in range(3)] == [out(plain, n) for n in range(3)]


def test_a_loop_to_itself_stops_each_time() -> None:
    twin = twin_of(SPIN)
    spin = places(SPIN)["spin"]
    debugger = Debugger(twin)
    debugger.stop_at(spin)
    assert go(twin, debugger)
    for _ in range(3):
        before = twin.core.executed
        assert go(twin, debugger)
        assert (twin.core.pc, twin.core.executed) == (spin, before + 1)


def test_a_step_over_wfi_ends_when_the_core_wakes() -> None:
    """And the handler that woke it has run."""
    known = places(SLEEP)
    twin = twin_of(SLEEP)
    debugger = Debugger(twin)
    at(twin, debugger, known["wfi"])
    before = twin.time
    assert go(twin, debugger, STEP)
    assert twin.core.pc == known["awake"]
    assert out(twin) == 1
    assert twin.time - before > 0.0005, "most of a period of 4,000 cycles at 4 MHz was slept"


def test_a_step_of_a_core_that_sleeps_wakes_it_first() -> None:
    known = places(SLEEP)
    twin = twin_of(SLEEP)
    debugger = Debugger(twin)
    at(twin, debugger, known["wfi"])
    debugger.resume()
    twin.run(seconds=0.0001)
    assert twin.cpu.sleeping
    assert go(twin, debugger, STEP)
    assert (twin.core.pc, out(twin)) == (known["awake"] + 2, 1)


def test_an_interrupt_that_waits_is_served_before_the_step() -> None:
    known = places(TICKS)
    twin = twin_of(TICKS)
    debugger = Debugger(twin)
    at(twin, debugger, known["piece"])
    ticks = out(twin)
    twin.nvic.pend(15)
    assert go(twin, debugger, STEP)
    assert out(twin) == ticks + 1
    assert known["piece"] < twin.core.pc <= known["piece"] + 4


def test_a_breakpoint_behind_wfi_leaves_the_core_asleep_until_then() -> None:
    known = places(SLEEP)
    twin = twin_of(SLEEP)
    debugger = Debugger(twin)
    debugger.stop_at(known["awake"])
    assert go(twin, debugger)
    assert (twin.core.pc, out(twin)) == (known["awake"], 1)
    assert go(twin, debugger) is None
    assert done(twin)


def test_a_wfi_that_was_jumped_over_is_none() -> None:
    """The instruction behind it is stopped at, with WFI in front of the PC."""
    twin = twin_of(JUMP)
    debugger = Debugger(twin)
    debugger.stop_at(places(JUMP)["behind"])
    assert go(twin, debugger)
    assert not twin.cpu.sleeping
    assert go(twin, debugger) is None
    assert done(twin)


def test_steps_go_into_a_call_of_the_supervisor_and_back() -> None:
    known = places(CALL)
    twin = twin_of(CALL)
    debugger = Debugger(twin)
    at(twin, debugger, known["call"])
    walk = []
    for _ in range(3):
        assert go(twin, debugger, STEP)
        walk.append(twin.core.pc)
    assert walk == [known["svc"], known["leave"], known["back"]]
    assert twin.cpu.active == []


def test_steps_pass_over_interrupts_unless_their_handler_has_a_breakpoint() -> None:
    known = places(TICKS)
    twin = twin_of(TICKS)
    debugger = Debugger(twin)
    at(twin, debugger, known["piece"])
    for _ in range(1500):
        assert go(twin, debugger, STEP)
        assert twin.cpu.active == []
    assert out(twin) == 3, "the handler ran beside the steps, every 400 cycles"
    debugger.stop_at(known["tick"])
    stops = 0
    while twin.core.pc != known["tick"]:
        assert go(twin, debugger, STEP)
        stops += 1
    assert 0 < stops < 410
    assert twin.cpu.active == [15]


def test_a_range_is_left_in_one_go() -> None:
    known = places(TICKS)
    twin = twin_of(TICKS)
    debugger = Debugger(twin)
    for _ in range(20):
        debugger.stop_at(known["piece"])
        assert go(twin, debugger)
    debugger.pass_by(known["piece"])
    before = twin.core.executed
    assert go(twin, debugger, range(known["piece"], known["piece"] + 12))
    assert twin.core.executed - before > 3
    assert twin.core.pc not in range(known["piece"], known["piece"] + 12)


@pytest.mark.parametrize("part", (*PARTS, "STM32G0B1RE"))
def test_watchpoints(part: str) -> None:
    """The instruction with the access is yet to end, but its store is done; within an IT block it has ended."""
    source = STORES if part != "STM32G0B1RE" else STORES.replace("it eq\\n streq", "str")
    for kind, word, before in (("watch", 1, 2), ("rwatch", 2, 0), ("awatch", 2, 0), ("awatch", 1, 2), ("watch", 4, 9)):
        twin = twin_of(source, part)
        twin.core.uc.mem_write(OUT, bytes(64))
        debugger = Debugger(twin)
        debugger.watch(kind, OUT + 4 * word, 4)
        halt = go(twin, debugger)
        assert halt and halt.watched == (kind, OUT + 4 * word)
        assert out(twin, 0) == 1
        assert out(twin, word) == before
        assert out(twin, 5) == 0
        assert go(twin, debugger, STEP)
        assert go(twin, debugger) is None
        assert [out(twin, n) for n in (0, 1, 4, 5)] == [1, 2, 9, 3]


def test_a_watchpoint_is_gone_when_it_was_taken_away() -> None:
    twin = twin_of(STORES)
    debugger = Debugger(twin)
    debugger.watch("awatch", OUT, 64)
    debugger.unwatch("awatch", OUT, 64)
    assert go(twin, debugger) is None
    assert done(twin)


def test_faults_and_bkpt_stop_with_words() -> None:
    for code, signal, words in (
        ("(void)REG(0x60000000);", SIGSEGV, "BusFault: PC 0x0800.* accessed 0x60000000"),
        ('__asm volatile("udf #0");', SIGILL, "UsageFault: PC 0x0800"),
        ('__asm volatile("bkpt #1");', SIGTRAP, "BKPT at PC 0x0800"),
    ):
        twin = twin_of(f"void main_(void) {{ {code} }}")
        debugger = Debugger(twin)
        debugger.resume()
        with pytest.raises(Halted, match=words) as caught:
            twin.run(seconds=0.01)
        assert caught.value.signal == signal
        assert twin.cpu.active == ([] if "bkpt" in code else [3])
    debugger.detach()
    assert not twin.run(seconds=0.001)
    assert [fault.kind for fault in twin.faults] == ["HardFault"], "without a debugger BKPT is one (ARMv7-M C1.6.1)"


def test_what_is_set_is_bounded() -> None:
    debugger = Debugger(twin_of(TICKS))
    for number in range(LIMIT):
        debugger.stop_at(0x08001000 + 2 * number)
    with pytest.raises(TwinError, match="256 breakpoints already"):
        debugger.stop_at(0x08000000)
    debugger.stop_at(0x08001000)  # it is there already
    for address, size in ((OUT, 0), (OUT, WATCHED + 1), (0x40000000, 4), (0x20017FFE, 4), (0xFFFFFFFF, 4)):
        with pytest.raises(TwinError, match="expected up to 4096 bytes of RAM"):
            debugger.watch("watch", address, size)


def test_a_debugger_that_left_stops_nothing() -> None:
    known = places(TICKS)
    twin = twin_of(TICKS)
    debugger = Debugger(twin)
    debugger.stop_at(known["piece"])
    debugger.watch("watch", OUT, 4)
    debugger.detach()
    finish(twin)
    assert twin.debugger is None
