"""Exceptions as ARMv7-M B1.5 has them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from spboot.errors import TwinError
from spboot.twin import LockupError, Twin

from .conftest import finish, out, twin_of

Make = Callable[[str], Twin]


def test_svc_pendsv_and_systick_nest_by_priority(make: Make) -> None:
    """SysTick (0) interrupts PendSV (0xf0), PendSV does not interrupt SVC."""
    source = """
    static void note(uint32_t what) { OUT[++OUT[0]] = what; }
    void svc(void) { SCB_ICSR = 1u << 28; note(1); }
    void pendsv(void) { note(2); SCB_ICSR = 1u << 26; note(3); }
    void tick(void) { note(9); }
    void main_(void) { OUT[0] = 0; SCB_SHPR3 = 0x00f00000; __asm volatile("svc 0"); note(4); }"""
    twin = make(source)
    finish(twin)
    assert [out(twin, i) for i in range(1, out(twin) + 1)] == [1, 2, 9, 3, 4]


@pytest.mark.parametrize(("mask", "unmask"), [("cpsid i", "cpsie i"), ("cpsid f", "cpsie f")])
def test_masked_interrupts_wait(make: Make, mask: str, unmask: str) -> None:
    source = f"""
    void pendsv(void) {{ OUT[0] = 1; }}
    void main_(void) {{ OUT[0] = 0; __asm volatile("{mask}"); SCB_ICSR = 1u << 28; OUT[1] = OUT[0];
        __asm volatile("{unmask}"); for (int i = 0; i < 500; i++) __asm volatile("nop"); OUT[2] = OUT[0]; }}"""
    twin = make(source)
    finish(twin)
    assert (out(twin, 1), out(twin, 2)) == (0, 1)


def test_basepri_masks_by_priority(make: Make) -> None:
    source = """
    void pendsv(void) { OUT[0] |= 1; }
    void tick(void) { OUT[0] |= 2; }
    void main_(void) { OUT[0] = 0; SCB_SHPR3 = 0x10f00000; __asm volatile("msr basepri, %0" :: "r"(0x80));
        SCB_ICSR = 1u << 28 | 1u << 26; OUT[1] = OUT[0]; __asm volatile("msr basepri, %0" :: "r"(0));
        for (int i = 0; i < 500; i++) __asm volatile("nop"); OUT[2] = OUT[0]; }"""
    twin = make(source)
    finish(twin)
    assert (out(twin, 1), out(twin, 2)) == (2, 3)


def test_registers_survive_an_exception_with_an_fp_frame(make: Make) -> None:
    source = """
    void pendsv(void) { __asm volatile("mov r0, #0\\nmov r1, #0\\nvmov s0, r0\\nvmov s15, r0" ::: "r0", "r1"); }
    void main_(void) {
        SCB_CPACR |= 0xf << 20;
        uint32_t a, b, c;
        __asm volatile("mov r0, #11\\nmov r1, #22\\nvmov s0, r1\\nvmov s15, r0\\nldr r2, =0xe000ed04\\n"
            "mov r3, #0x10000000\\ncmp r0, r0\\nstr r3, [r2]\\nbne 1f\\nadd r0, r0, #1\\n1: mov %0, r0\\n"
            "vmov %1, s0\\nvmov %2, s15" : "=r"(a), "=r"(b), "=r"(c) :: "r0", "r1", "r2", "r3", "cc");
        OUT[0] = a; OUT[1] = b; OUT[2] = c; }"""
    twin = make(source)
    finish(twin)
    assert [out(twin, i) for i in range(3)] == [12, 22, 11]


@pytest.mark.parametrize("part", ["STM32L476RG", "STM32G0B1RE", "STM32F769NI", "STM32L562QE"])
def test_a_handler_goes_on_behind_one_that_interrupted_it(part: str) -> None:
    """B1.5.8: with its number in IPSR and on the main stack, although the thread below has the process stack."""
    source = """
    void tick(void) { OUT[6]++; }
    __attribute__((naked)) void pendsv(void) { __asm volatile(".syntax unified\\n"
        "ldr r0, =0x20000100\\nmov r2, sp\\nldr r3, =0xe000ed04\\nldr r1, =1 << 26\\nstr r1, [r3]\\ndsb\\nisb\\n"
        "nop\\nnop\\nmrs r1, ipsr\\nstr r1, [r0]\\nmov r1, sp\\nsubs r1, r2\\nstr r1, [r0, #4]\\nmrs r1, psp\\n"
        "subs r2, r1\\nstr r2, [r0, #8]\\nbx lr\\n"); }
    void main_(void) { for (int i = 0; i < 8; i++) OUT[i] = 0; REG(0xe000ed20) = 0x00c00000;
        __asm volatile(".syntax unified\\nmov r0, sp\\nldr r1, =0x200\\nsubs r0, r1\\nmsr psp, r0\\nmrs r0, control\\n"
            "movs r1, #2\\norrs r0, r1\\nmsr control, r0\\nisb" ::: "r0", "r1");
        REG(0xe000ed04) = 1u << 28; __asm volatile("dsb; isb");
        __asm volatile("mrs r0, control\\nmovs r1, #0\\nmsr control, r1\\nisb" ::: "r0", "r1"); }"""
    twin = twin_of(source, part)
    finish(twin)
    assert (out(twin, 6), out(twin, 0), out(twin, 1)) == (1, 14, 0)
    assert out(twin, 2) != 0


def test_exceptions_stack_on_psp_and_run_on_msp(make: Make) -> None:
    source = """
    __attribute__((naked)) void svc(void) { __asm volatile(
        "ldr r0, =0x20000100\\nmrs r1, psp\\nstr r1, [r0]\\nmov r1, sp\\nstr r1, [r0, #4]\\n"
        "str lr, [r0, #8]\\nbx lr"); }
    void main_(void) { __asm volatile(
        "ldr r0, =0x20006000\\nmsr psp, r0\\nmrs r0, control\\norr r0, #2\\nmsr control, r0\\nisb\\nsvc 0\\n"
        "mrs r0, control\\nbic r0, #2\\nmsr control, r0\\nisb" ::: "r0"); }"""
    twin = make(source)
    finish(twin)
    assert out(twin, 0) == 0x20006000 - 32
    assert out(twin, 1) > 0x20007F00
    assert out(twin, 2) == 0xFFFFFFFD


_HARD = """
__attribute__((naked)) void hard(void) { __asm volatile("mov r0, sp\\nb report"); }
__attribute__((used)) void report(uint32_t *frame) {
    OUT[0] = SCB_CFSR; OUT[1] = REG(0xe000ed2c); OUT[2] = frame[6]; OUT[3] = SCB_BFAR; DONE = 1; for (;;) {} }
"""


@pytest.mark.parametrize(
    ("code", "cfsr"),
    [
        pytest.param("(void)REG(0x60000000);", 0x8200, id="load-from-nowhere"),
        pytest.param("REG(0x60000000) = 1;", 0x8200, id="store-to-nowhere"),
        pytest.param('__asm volatile("udf 1");', 0x10000, id="undefined"),
        pytest.param("((void (*)(void))0x08000010)();", 0x20000, id="even-address"),
        pytest.param("((void (*)(void))0x60000001)();", 0x100, id="fetch-from-nowhere"),
        pytest.param('__asm volatile("bkpt 1");', 0, id="breakpoint"),
        pytest.param('__asm volatile("cpsid i\\nsvc 1");', 0, id="svc-masked"),
        pytest.param('__asm volatile("ldr lr, =0xfffffff9\\nbx lr");', 0x40000, id="exc-return-in-thread"),
    ],
)
def test_faults_escalate_to_hardfault(make: Make, code: str, cfsr: int) -> None:
    """ARMv7-M B1.5.14: with SHCSR clear every fault is a HardFault, with its cause in CFSR."""
    twin = make(_HARD + f"void main_(void) {{ {code} }}")
    finish(twin)
    assert out(twin, 0) == cfsr
    assert len(twin.faults) == 1


def test_an_enabled_bus_fault_has_its_own_handler(make: Make) -> None:
    source = "void bus(void) { OUT[0] = 5; OUT[1] = SCB_BFAR; DONE = 1; for (;;) {} }"
    twin = make(source + "void main_(void) { SCB_SHCSR = 1u << 17; (void)REG(0x60000010); }")
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (5, 0x60000010)


def test_a_fault_in_the_fault_handler_is_a_lockup(make: Make) -> None:
    twin = make('void hard(void) { __asm volatile("udf 2"); } void main_(void) { __asm volatile("udf 1"); }')
    with pytest.raises(LockupError, match="inside a fault handler"):
        twin.run()


def test_no_stack_is_a_lockup(make: Make) -> None:
    twin = make('void main_(void) { __asm volatile("mov sp, %0\\nsvc 0" :: "r"(0x10)); }')
    with pytest.raises(LockupError, match="stack"):
        twin.run()


def test_vtor_moves_the_table(make: Make) -> None:
    source = """
    static void other(void) { OUT[0] = 77; }
    void main_(void) { uint32_t *table = (uint32_t *)0x20001000; for (int i = 0; i < 98; i++) table[i] = REG(4 * i);
        table[14] = (uint32_t)other; SCB_VTOR = 0x20001000; SCB_ICSR = 1u << 28; __asm volatile("dsb"); }"""
    twin = make(source)
    finish(twin)
    assert out(twin) == 77


@pytest.mark.parametrize(
    ("code", "message"),
    [
        pytest.param("SCB_AIRCR = 4;", "key", id="PM0214-4.4.5-AIRCR-key"),
        pytest.param("SCB_VTOR = 0x20000100;", "512-byte", id="PM0214-4.4.4-VTOR-alignment"),
        pytest.param("REG(0xe000ef44) = 1;", "no register", id="unknown-SCS-register"),
        pytest.param('__asm volatile("vmov s0, %0" :: "r"(1)); ', "FPU", id="PM0214-4.6.1-CPACR"),
    ],
)
def test_misuse_of_the_core_is_refused(make: Make, code: str, message: str) -> None:
    twin = make(f"void main_(void) {{ {code} for (volatile int i = 0; i < 9; i++) {{}} }}")
    with pytest.raises(TwinError, match=message):
        twin.run(seconds=0.01)


def test_unprivileged_code_gets_a_bus_fault_from_the_system_control_space(make: Make) -> None:
    twin = make(_HARD + 'void main_(void) { __asm volatile("msr control, %0\\nisb" :: "r"(1)); (void)SCB_CFSR; }')
    finish(twin)
    assert [fault.kind for fault in twin.faults] == ["BusFault"]


def test_systick_and_cyccnt_follow_the_clock(make: Make) -> None:
    """10 periods of 8000 cycles at 80 MHz are 1 ms."""
    source = """void main_(void) { clock_80mhz(); REG(0xe000edfc) = 1u << 24; DWT_CTRL = 1;
        SYST_RVR = 7999; SYST_CVR = 0; SYST_CSR = 5; uint32_t start = DWT_CYCCNT;
        for (int i = 0; i < 10; i++) while (!(SYST_CSR & 0x10000)) {} OUT[0] = DWT_CYCCNT - start; }"""
    twin = make(source)
    begin = twin.time
    finish(twin)
    assert out(twin) == pytest.approx(80_000, abs=100)
    assert twin.time - begin == pytest.approx(0.00105, rel=0.1)


def test_systick_counts_down_through_zero(make: Make) -> None:
    """PM0214 4.5: the period is RVR + 1, the counter never exceeds RVR."""
    source = """void main_(void) { SYST_RVR = 99; SYST_CVR = 0; SYST_CSR = 5; uint32_t high = 0, low = 99;
        for (int i = 0; i < 300; i++) { uint32_t v = SYST_CVR; if (v > high) high = v; if (v < low) low = v; }
        OUT[0] = high; OUT[1] = low; }"""
    twin = make(source)
    finish(twin)
    assert 90 <= out(twin, 0) <= 99
    assert out(twin, 1) < 10
