"""An exception that waits comes in as soon as nothing masks it (ARMv7-M B1.5.4, ARMv6-M B1.5.4), on every core."""

from __future__ import annotations

import pytest

from .conftest import finish, out, twin_of

CORES = {"cm0p": "STM32L073RZ", "cm4": "STM32L476RG", "cm7": "STM32F769NI", "cm33": "STM32L562QE"}
MAIN = tuple(part for core, part in CORES.items() if core != "cm0p")
every_core = pytest.mark.parametrize("part", CORES.values(), ids=CORES.keys())
with_basepri = pytest.mark.parametrize("part", MAIN)
PEND = "SCB_ICSR = 1u << 28;"
COUNT = "void pendsv(void) { OUT[0]++; }"


def masking(body: str) -> str:
    """A program that masks, and 100 times does *body*: OUT[0] counts what PendSV saw."""
    return f"""{COUNT}
    void main_(void) {{ OUT[0] = 0; __asm volatile("cpsid i");
        for (int i = 0; i < 100; i++) {{ {PEND} {body} }} }}"""


@every_core
@pytest.mark.parametrize(
    "window",
    ["cpsie i; isb; cpsid i", "cpsie i; cpsid i", "msr primask, %0; isb; cpsid i"],
    ids=["isb", "bare", "msr"],
)
def test_a_short_window_is_enough(part: str, window: str) -> None:
    """As the idle task of a tickless system has it around its sleep."""
    twin = twin_of(masking(f'__asm volatile("{window}" :: "r"(0) : "memory");'), part)
    finish(twin)
    assert out(twin) == 100


@every_core
def test_what_is_unmasked_comes_before_the_next_instruction(part: str) -> None:
    twin = twin_of(
        masking('uint32_t seen; __asm volatile("cpsie i; ldr %0, [%1]; cpsid i" : "=l"(seen) : "l"(OUT) : "memory");'
                " OUT[1] += seen;").replace("OUT[0] = 0;", "OUT[0] = OUT[1] = 0;"),
        part,
    )  # fmt: skip
    finish(twin)
    assert out(twin, 1) == 5050


@every_core
def test_a_mask_keeps_everything_out(part: str) -> None:
    """Also a window that closes nothing: PRIMASK is written, but stays set."""
    twin = twin_of(masking('__asm volatile("msr primask, %0; isb" :: "r"(1)); if (OUT[0]) OUT[1] = 1;'), part)
    finish(twin)
    assert out(twin) == 0


@with_basepri
@pytest.mark.parametrize("lower", ["msr basepri, %0; isb; msr basepri, %1", "msr basepri, %0; msr basepri, %1"])
def test_basepri_opens_a_window(part: str, lower: str) -> None:
    source = f"""{COUNT}
    void main_(void) {{ OUT[0] = 0; SCB_SHPR3 = 0x00f00000; __asm volatile("msr basepri, %0" :: "r"(0x40));
        for (int i = 0; i < 100; i++) {{ {PEND} __asm volatile("{lower}" :: "r"(0), "r"(0x40) : "memory"); }} }}"""
    twin = twin_of(source, part)
    finish(twin)
    assert out(twin) == 100


@with_basepri
def test_basepri_opens_for_what_is_urgent_enough(part: str) -> None:
    """0xe0 lets priority 0xc0 in, not 0xe0; neither is let in by 0x40."""
    source = """void pendsv(void) { OUT[0]++; } void tick(void) { OUT[1]++; }
    void main_(void) { OUT[0] = OUT[1] = 0; SCB_SHPR3 = 0xc0e00000; __asm volatile("msr basepri, %0" :: "r"(0x40));
        SCB_ICSR = 1u << 28 | 1u << 26; OUT[2] = OUT[0] + OUT[1];
        __asm volatile("msr basepri, %0; isb; msr basepri, %1" :: "r"(0xe0), "r"(0x40) : "memory"); }"""
    twin = twin_of(source, part)
    finish(twin)
    assert [out(twin, index) for index in range(3)] == [0, 1, 0]


@every_core
def test_the_return_of_a_handler_opens_a_window(part: str) -> None:
    """SysTick pends PendSV, which is less urgent: it comes in before the thread goes on, and masks."""
    source = """void pendsv(void) { OUT[0]++; } void tick(void) { SCB_ICSR = 1u << 28; }
    void main_(void) { OUT[0] = 0; SCB_SHPR3 = 0x00c00000;
        for (int i = 0; i < 100; i++) __asm volatile("str %0, [%1]; cpsid i; nop; nop; cpsie i"
            :: "l"(1u << 26), "l"(0xe000ed04) : "memory"); }"""
    twin = twin_of(source, part)
    finish(twin)
    assert out(twin) == 100


@with_basepri
@pytest.mark.parametrize(
    ("before", "opens", "comes"),
    [
        ("SCB_SHPR3 = 0x80400000;", "MASK(0);", 1),
        ("SCB_SHPR3 = 0x80c00000;", "MASK(0);", 0),
        ("SCB_SHPR3 = 0x80c00000;", "MASK(0); SCB_SHPR3 = 0x80400000;", 1),
        ("SCB_SHPR3 = 0x80400000; SCB_AIRCR = 0x05fa0700;", "MASK(0); SCB_AIRCR = 0x05fa0000;", 1),
    ],
    ids=["mask", "mask, not urgent", "priority", "group"],
)
def test_what_comes_in_within_a_handler(part: str, before: str, opens: str, comes: int) -> None:
    """SysTick pends PendSV, which waits; it comes once it is the more urgent one and nothing masks it, else behind the
    handler."""
    source = f"""{COUNT}
    #define MASK(level) __asm volatile("msr basepri, %0" :: "r"(level) : "memory")
    void tick(void) {{ MASK(0x20); {PEND} OUT[1] = OUT[0]; {opens} __asm volatile("dsb; isb"); OUT[2] = OUT[0]; }}
    void main_(void) {{ OUT[0] = OUT[1] = OUT[2] = 0; {before} SCB_ICSR = 1u << 26; __asm volatile("dsb; isb"); }}"""
    twin = twin_of(source, part)
    finish(twin)
    assert [out(twin, index) for index in range(3)] == [1, 0, comes]


@every_core
def test_code_in_ram_opens_a_window(part: str) -> None:
    source = masking("((void (*)(void))0x20001001)();").replace(
        "OUT[0] = 0;", "OUT[0] = 0; REG(0x20001000) = 0xb672b662; REG(0x20001004) = 0x00004770;"
    )
    twin = twin_of(source, part)
    finish(twin)
    assert out(twin) == 100


def test_code_that_came_later_opens_a_window() -> None:
    """Programmed by the firmware itself; then erased and programmed as something else, which opens none."""
    source = masking("for (int j = 0; j < 1; j++) ((void (*)(void))0x080f0001)();").replace(
        "OUT[0] = 0;", "OUT[0] = 0; unlock(); program(0x080f0000, 0xb672b662, 0x00004770);"
    )
    twin = twin_of(source.replace("i < 100", "i < 10"))
    finish(twin)
    assert out(twin) == 10
    twin.flash_load(0x080F0000, bytes.fromhex("00bf72b67047"))
    twin.reset()
    twin.run(until=lambda: False, seconds=0.001)
    assert out(twin) == 0


SLEEP = """
static void sleep(void) {
    __asm volatile("dsb; wfi; isb; cpsie i; dsb; isb; cpsid i; dsb; isb" ::: "memory");
    SYST_CSR = 7;
}
"""
"""Masked, a system without ticks sleeps; what woke it comes in through a window of a few instructions."""


@every_core
def test_what_ends_a_masked_sleep_comes_in(part: str) -> None:
    source = """void tick(void) { OUT[0]++; }
    void main_(void) { OUT[0] = OUT[1] = 0; __asm volatile("cpsid i"); SYST_RVR = 1999; SYST_CVR = 0; SYST_CSR = 7;
        for (int i = 0; i < 50; i++) { sleep(); if (OUT[0] != i + 1) OUT[1]++; } }"""
    twin = twin_of(SLEEP + source, part)
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (50, 0)


def test_a_tickless_system_loses_no_byte() -> None:
    """64 bytes at line rate; each wakes it."""
    source = """void tick(void) {} void irq(void) { OUT[2 + (OUT[1]++ & 7)] = (uint8_t)USART2_RDR; }
    void main_(void) { OUT[0] = OUT[1] = 0; clock_80mhz(); console(80000000 / 115200); __asm volatile("cpsid i");
        USART2_CR1 |= 32; NVIC_ISER1 = 1u << 6; SYST_RVR = 79999; SYST_CVR = 0; SYST_CSR = 7; OUT[0] = 1;
        while (OUT[1] < 64) sleep(); }"""
    twin = twin_of(SLEEP + source)
    assert twin.run(until=lambda: out(twin) == 1)
    twin.uart("USART2").send(bytes(range(64)))
    finish(twin)
    assert not twin.uart("USART2").lost
    assert [out(twin, 2 + index) for index in range(8)] == list(range(56, 64))
