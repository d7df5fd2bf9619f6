"""Tiny firmware that sets up the memory protection unit, and what it then ran into."""

from __future__ import annotations

from spboot.twin import Twin

from .conftest import finish, twin_of

V6, V7, V8 = (
    ("STM32L073RZ", "STM32G0B1RE"),
    ("STM32L476RG", "STM32H745XI", "STM32F769NI"),
    ("STM32L562QE", "STM32U575ZI"),
)
OLD, ALL = (*V6, *V7), (*V6, *V7, *V8)
NO_ACCESS, PRIVILEGED, READ_BY_ALL, FULL, READ_PRIVILEGED, READ_ONLY = 0, 1, 2, 3, 5, 6
XN = 1 << 28
IACCVIOL, DACCVIOL, MUNSTKERR, MSTKERR, MMARVALID = 1, 2, 8, 0x10, 0x80

HEAD = """
#define MPU_TYPE REG(0xe000ed90)
#define MPU_CTRL REG(0xe000ed94)
#define MPU_RNR REG(0xe000ed98)
#define MPU_RBAR REG(0xe000ed9c)
#define MPU_RASR REG(0xe000eda0)
#define MPU_RLAR MPU_RASR
#define MMFAR REG(0xe000ed34)
#define SYNC() __asm volatile("dsb\\n\\tisb" ::: "memory")
#define OPEN REG(0x20002400)
__attribute__((unused)) static void region(uint32_t n, uint32_t base, uint32_t log2, uint32_t ap)
{ MPU_RNR = n; MPU_RBAR = base; MPU_RASR = ap << 24 | (log2 - 1) << 1 | 1; }
__attribute__((unused)) static void limits(uint32_t n, uint32_t first, uint32_t end, uint32_t ap, uint32_t xn)
{ MPU_RNR = n; MPU_RBAR = first | ap << 1 | xn; MPU_RLAR = (end - 1 & ~31u) | 1; }
__attribute__((unused)) static void on(uint32_t how) { MPU_CTRL = how | 1; SYNC(); }
__attribute__((unused)) static void unprivileged(void) { __asm volatile("msr control, %0\\n\\tisb" :: "r"(1)); }
"""
REPORT = """
__attribute__((naked)) void hard(void)
{ __asm volatile("mov r0, sp\\nmov r1, lr\\nldr r2, =report\\nbx r2\\n.ltorg"); }
__attribute__((used)) void report(uint32_t *frame, uint32_t link) {
    OUT[4] = frame[6]; OUT[5] = link; OUT[6] = frame[0]; DONE = 1; for (;;) {} }
"""


def run(part: str, body: str, *, more: str = "") -> Twin:
    """The twin of *part* after main_() with *body*, which returned or met a HardFault."""
    twin = twin_of(HEAD + REPORT + more + f"void main_(void) {{ {body} }}", part)
    finish(twin)
    return twin


def status(twin: Twin) -> tuple[int, int]:
    """CFSR and MMFAR."""
    return twin.nvic.registers["CFSR"], twin.nvic.registers["MMFAR"]
