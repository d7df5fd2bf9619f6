"""Cortex-M0+ (ARMv6-M, DDI0419; PM0223) and Cortex-M33 (ARMv8-M, DDI0553): where they are no M4."""

from __future__ import annotations

import pytest

from spboot.errors import TwinError
from spboot.twin import LockupError

from .conftest import finish, out, twin_of

M0 = ("STM32G0B1RE", "STM32L073RZ")
M33 = "STM32L562QE"
ALL = (*M0, M33, "STM32WL55JC")


@pytest.mark.parametrize("part", ALL)
def test_exceptions_nest_and_return(part: str) -> None:
    """SVC, then PendSV (lower) at its end, SysTick (higher) inside PendSV; all registers come back."""
    source = """
    static void note(uint32_t what) { OUT[++OUT[0]] = what; }
    void svc(void) { SCB_ICSR = 1u << 28; note(1); }
    void pendsv(void) { note(2); SCB_ICSR = 1u << 26; note(3); }
    void tick(void) { note(9); }
    void main_(void) { OUT[0] = 0; SCB_SHPR3 = 0x00c00000; uint32_t after;
        __asm volatile("movs r0, #11\\nmovs r1, #22\\nmovs r2, #33\\nmovs r3, #44\\nsvc 0\\nadds r0, r0, r1\\n"
            "adds r0, r0, r2\\n"
            "adds r0, r0, r3\\nmov %0, r0" : "=r"(after) :: "r0", "r1", "r2", "r3", "cc");
        note(after); }"""
    twin = twin_of(source, part)
    finish(twin)
    assert [out(twin, i) for i in range(1, out(twin) + 1)] == [1, 2, 9, 3, 110]


@pytest.mark.parametrize(
    ("part", "msp", "psp"), [(M0[0], 0xFFFFFFF9, 0xFFFFFFFD), (M33, 0xFFFFFFB8, 0xFFFFFFBC)], ids=["cm0p", "cm33"]
)
def test_exc_return(part: str, msp: int, psp: int) -> None:
    """DDI0419 B1.5.8; DDI0553 B3.20: without security the S and ES bits are 0."""
    source = """
    __attribute__((naked)) void svc(void) { __asm volatile("ldr r1, [r0]\\nmov r2, lr\\nstr r2, [r0]\\nbx lr"); }
    void main_(void) { OUT[0] = 0; OUT[1] = 0;
        __asm volatile("mov r0, %0\\nsvc 0" :: "r"(&OUT[0]) : "r0", "r1", "r2");
        __asm volatile("msr psp, %0\\nmovs r0, #2\\nmsr control, r0\\nisb\\nmov r0, %1\\nsvc 0\\nmovs r0, #0\\n"
            "msr control, r0\\nisb" :: "r"(0x20001800), "r"(&OUT[1]) : "r0", "r1", "r2"); }"""
    twin = twin_of(source, part)
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (msp, psp)


@pytest.mark.parametrize("part", ALL)
def test_primask_holds_interrupts_back(part: str) -> None:
    source = """void pendsv(void) { OUT[0] = 1; }
    void main_(void) { OUT[0] = 0; __asm volatile("cpsid i"); SCB_ICSR = 1u << 28; OUT[1] = OUT[0];
        __asm volatile("cpsie i"); for (volatile int i = 0; i < 99; i++) {} OUT[2] = OUT[0]; }"""
    twin = twin_of(source, part)
    finish(twin)
    assert (out(twin, 1), out(twin, 2)) == (0, 1)


@pytest.mark.parametrize("part", M0)
@pytest.mark.parametrize(
    "trouble",
    [
        "(void)*(volatile uint32_t *)0x20000202;",
        "*(volatile unsigned short *)0x20000203 = 1;",
        "(void)REG(0x30000000);",
        '__asm volatile(".short 0xfbb0, 0xf0f1");',
        '__asm volatile(".short 0xde00");',
    ],
    ids=["unaligned-word", "unaligned-halfword", "no-memory", "udiv", "undefined"],
)
def test_cm0p_every_fault_is_a_hardfault(part: str, trouble: str) -> None:
    """DDI0419 B1.5.1, A3.2.1: ARMv6-M has no other fault, no unaligned access and no division."""
    twin = twin_of(
        f"void hard(void) {{ OUT[0] = 7; for (;;) {{}} }} void main_(void) {{ OUT[0] = 0; {trouble} }}", part
    )
    twin.run(seconds=0.01)
    assert out(twin) == 7
    assert len(twin.faults) == 1


def test_cm0p_a_fault_in_the_handler_locks_up() -> None:
    twin = twin_of("void hard(void) { (void)REG(0x30000000); } void main_(void) { (void)REG(0x30000000); }", M0[0])
    with pytest.raises(LockupError):
        twin.run(seconds=0.01)


@pytest.mark.parametrize(
    "register", ["SCB_CFSR", "SCB_BFAR", "SCB_CPACR", "REG(0xe000ed18)", "DWT_CTRL"],
    ids=["CFSR", "BFAR", "CPACR", "SHPR1", "DWT"],
)  # fmt: skip
def test_cm0p_lacks_registers(register: str) -> None:
    """DDI0419 B3.2, table B3-4."""
    with pytest.raises(TwinError, match=r"no register|no peripheral"):
        twin_of(f"void main_(void) {{ OUT[0] = {register}; }}", M0[0]).run(seconds=0.01)


@pytest.mark.parametrize(
    ("part", "cpuid", "priorities", "vectors"),
    [(M0[0], 0x410CC601, 0xC0, 0x100), (M33, 0x410FD214, 0xE0, 0x200), ("STM32WL55JC", 0x410FC241, 0xF0, 0x200)],
    ids=["cm0p", "cm33", "cm4"],
)
def test_identity(part: str, cpuid: int, priorities: int, vectors: int) -> None:
    """PM0223 4.3.2, RM0438 chapter 17: CPUID, implemented bits of a priority, alignment of the vector table."""
    twin = twin_of(
        "void main_(void) { OUT[0] = REG(0xe000ed00); SCB_SHPR3 = 0xff000000; OUT[1] = SCB_SHPR3 >> 24;"
        f" SCB_VTOR = 0x08000000 + {vectors:#x}; OUT[2] = SCB_VTOR; }}",
        part,
    )
    finish(twin)
    assert [out(twin, i) for i in range(3)] == [cpuid, priorities, 0x08000000 + vectors]
    with pytest.raises(TwinError, match=f"not on a {vectors}-byte boundary"):
        twin_of(f"void main_(void) {{ SCB_VTOR = 0x08000000 + {vectors // 2:#x}; }}", part).run(seconds=0.01)


def test_m33_has_blocks_where_the_m4_has_bit_bands() -> None:
    """RM0438 table 5: GPIOA at 0x42020000."""
    with pytest.raises(TwinError, match="GPIOA_MODER accessed while the clock"):
        twin_of("void main_(void) { REG(0x42020000) = 0; }", M33).run(seconds=0.01)
