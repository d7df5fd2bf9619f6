"""Virtual time: waits, watchdog, clocks; snapshots and determinism."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from spboot.twin import Cut, PowerCut, Twin

from .conftest import done, finish, out

Make = Callable[[str], Twin]
ECHO = """void main_(void) { clock_80mhz(); console(80000000 / 115200);
    for (;;) { uint8_t c = get(); put((uint8_t)(c + 1)); } }"""


def test_a_wait_costs_no_host_time(make: Make) -> None:
    twin = make("void main_(void) { console(35); get(); }")
    began = time.process_time()
    assert not twin.run(seconds=1000)
    assert time.process_time() - began < 1
    assert twin.time == pytest.approx(1000, rel=0.001)


def test_a_few_reads_of_one_register_are_no_wait(make: Make) -> None:
    twin = make("void main_(void) { for (int i = 0; i < 20; i++) OUT[0] = RCC_CSR; }")
    finish(twin)
    assert twin.time < 0.0011  # one slice


def test_clocks_become_ready_after_a_time(make: Make) -> None:
    """RM0351 6.2.3: HSIRDY follows HSION."""
    twin = make("void main_(void) { RCC_CR |= 1u << 8; OUT[0] = RCC_CR; while (!(RCC_CR & 1u << 10)) {} OUT[1] = 1; }")
    finish(twin)
    assert (out(twin, 0) >> 10 & 1, out(twin, 1)) == (0, 1)


MHZ = {
    "msi-4": ("", 4_000_000),
    "6.4.1-msi-8": ("RCC_CR = 0x79;", 8_000_000),
    "6.4.3-hsi": (
        "RCC_CR |= 256; while (!(RCC_CR & 1024)) {} RCC_CFGR = 1; while ((RCC_CFGR & 12) != 4) {}",
        16_000_000,
    ),
    "6.4.3-hpre-4": ("RCC_CFGR = 9u << 4;", 1_000_000),
    "6.4.4-pll-80": ("clock_80mhz();", 80_000_000),
}


@pytest.mark.parametrize(("code", "hertz"), MHZ.values(), ids=MHZ.keys())
def test_clock_frequencies(make: Make, code: str, hertz: int) -> None:
    twin = make(f"void main_(void) {{ {code} OUT[0] = 1; }}")
    finish(twin)
    assert twin.rcc.hclk == hertz
    start, executed = twin.time, twin.instructions
    twin.run(instructions=10_000)
    assert (twin.instructions - executed) / (twin.time - start) == pytest.approx(hertz)


WATCHDOG = """void main_(void) { OUT[0] = RCC_CSR >> 29 & 1; if (OUT[0]) return;
    IWDG_KR = 0xcccc; IWDG_KR = 0x5555; IWDG_PR = 1; IWDG_RLR = 399; while (IWDG_SR) {} IWDG_KR = 0xaaaa;
    %s for (;;) {} }"""


def test_the_watchdog_bites(make: Make) -> None:
    """RM0351 38.3: 400 x 8 / 32 kHz = 100 ms; the reset sets IWDGRSTF."""
    twin = make(WATCHDOG % "")
    finish(twin)
    assert out(twin) == 1
    assert twin.time == pytest.approx(0.1, rel=0.02)


def test_a_fed_watchdog_does_not_bite(make: Make) -> None:
    twin = make(WATCHDOG % "for (;;) { IWDG_KR = 0xaaaa; for (volatile int i = 0; i < 1000; i++) {} }")
    assert not twin.run(until=lambda: done(twin), seconds=0.5)


def test_the_watchdog_counts_while_flash_is_erased(make: Make) -> None:
    """Five page erases take 110 ms."""
    twin = make(WATCHDOG % "unlock(); for (uint32_t p = 224; p < 240; p++) erase(1, p);")
    finish(twin)
    assert out(twin) == 1
    assert 4 <= twin.log.erases() <= 5


def test_a_hardware_watchdog_runs_from_reset(make: Make) -> None:
    twin = make("void main_(void) { OUT[0] = RCC_CSR >> 29 & 1; if (OUT[0]) return; for (;;) {} }")
    twin.enable_hardware_watchdog(50)
    twin.power_on()
    finish(twin)
    assert twin.time == pytest.approx(0.05, rel=0.05)


def test_two_twins_do_the_same(make: Make) -> None:
    states = []
    for _ in range(2):
        twin = make(ECHO)
        twin.run(seconds=0.001)
        twin.uart("USART2").send(b"abc")
        twin.run(until=b"d")
        states.append((twin.time, twin.instructions, bytes(twin.uart("USART2").output), twin.core.pc))
    assert states[0] == states[1]


def test_a_snapshot_brings_everything_back(make: Make) -> None:
    """Two runs from one snapshot, in the middle of a transfer, end alike; what came after it is gone."""
    twin = make(ECHO)
    twin.run(seconds=0.001)
    twin.uart("USART2").send(b"hello")
    twin.run(until=b"f")
    snapshot = twin.snapshot()
    ends = []
    for _ in range(3):
        assert twin.run(until=b"p")
        ends.append((twin.time, twin.instructions, bytes(twin.uart("USART2").output), twin.ram_read(0x20000000, 4096)))
        twin.restore(snapshot)
        assert bytes(twin.uart("USART2").output) == b"if"
    assert ends[0] == ends[1] == ends[2]
    assert ends[0][2] == b"ifmmp"


def test_a_snapshot_brings_flash_and_cuts_back(make: Make) -> None:
    twin = make("void main_(void) { unlock(); erase(1, 224); program(0x080f0000, 1, 2); program(0x080f0008, 3, 4); }")
    snapshot = twin.snapshot()
    for at in range(3):
        twin.arm(Cut(at=at, when="torn"))
        with pytest.raises(PowerCut):
            twin.run()
        assert len(twin.log) == at + 1
        assert twin.flash.poisoned
        twin.restore(snapshot)
        assert len(twin.log) == 0
        assert not twin.flash.poisoned
    finish(twin)
    assert twin.flash_read(0x080F0000, 16) == bytes.fromhex("01000000020000000300000004000000")


def test_a_snapshot_fits_another_twin(make: Make) -> None:
    """As a forked process or a second twin would use it: same code, other machine."""
    first, second = make(ECHO), make(ECHO)
    first.run(seconds=0.001)
    first.uart("USART2").send(b"x")
    second.restore(first.snapshot())
    assert second.run(until=b"y")
    assert first.run(until=b"y")
    assert (first.time, first.instructions) == (second.time, second.instructions)


def test_a_snapshot_holds_every_register(make: Make) -> None:
    """Thread mode on PSP, unprivileged, FP state live, and handler mode: each goes on as if nothing had been."""
    source = """
    void svc(void) { __asm volatile("mov r2, #0\\n1: add r2, #1\\ncmp r2, #100\\nbne 1b" ::: "r2"); OUT[1] = 1; }
    void main_(void) { OUT[1] = 0; SCB_CPACR |= 0xf << 20; __asm volatile(
        "ldr r0, =0x20006000\\nmsr psp, r0\\nmov r0, #3\\nmsr control, r0\\nisb\\nmov r1, #40\\nvmov s7, r1\\n"
        "mov r2, #0\\n1: add r2, #1\\ncmp r2, #100\\nbne 1b\\nsvc 0\\nvmov r1, s7\\nadd r1, #2\\n"
        "ldr r0, =0x20000100\\nstr r1, [r0]\\nmrs r1, control\\nstr r1, [r0, #8]\\nstr sp, [r0, #12]"
        ::: "r0", "r1", "r2"); }"""
    for steps in (100, 450):
        twin, other = make(source), make("void main_(void) { for (;;) {} }")
        twin.run(instructions=steps)
        snapshot = twin.snapshot()
        assert bool(twin.cpu.active) == (steps == 450)
        other.restore(snapshot)
        for one in (twin, other):
            one.run(seconds=0.01)
            assert [out(one, i) for i in range(4)] == [42, 1, 7, 0x20006000]
