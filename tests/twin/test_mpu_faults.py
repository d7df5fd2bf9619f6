"""Faults of the memory protection unit, and what goes on with it: DDI0403 B1.5.14 and B3.2.15, MMFSR and MMFAR."""

from __future__ import annotations

import pytest

from spboot import chips
from spboot.errors import TwinError
from spboot.twin import LockupError
from spboot.twin.block import Block

from .conftest import finish, out, twin_of
from .protection import (
    ALL,
    DACCVIOL,
    FULL,
    HEAD,
    IACCVIOL,
    MMARVALID,
    MSTKERR,
    MUNSTKERR,
    NO_ACCESS,
    OLD,
    PRIVILEGED,
    REPORT,
    V6,
    V7,
    V8,
    run,
    status,
)


@pytest.mark.parametrize("part", ALL)
def test_code_in_a_region_without_execution(part: str) -> None:
    """XN: the jump is made, the fetch denied; MMFAR has no address (DDI0403 B3.2.15)."""
    here = "limits(0, 0x20002400, 0x20002800, 1, 1);" if part in V8 else "region(0, 0x20002400, 10, 0x13);"
    body = f"HALF(0x20002500) = 0x4770; {here} ((void (*)(void))0x20002501)(); OUT[0] = 1; on(4);"
    twin = run(part, body + "((void (*)(void))0x20002501)();")
    assert (out(twin, 0), out(twin, 4)) == (1, 0x20002500)
    assert [fault.address for fault in twin.faults] == [0x20002500]
    if part not in V6:
        assert status(twin)[0] == IACCVIOL


@pytest.mark.parametrize("part", ALL)
def test_code_that_runs_into_such_a_region(part: str) -> None:
    """What stands before the region has run when the fault is taken."""
    here = "limits(0, 0x20002500, 0x20002600, 1, 1);" if part in V8 else "region(0, 0x20002500, 8, 0x13);"
    fill = "for (int i = 0; i < 128; i++) HALF(0x20002480 + 2 * i) = i < 127 ? 0x3001 : 0x4770;"
    call = 'register uint32_t r0 __asm("r0") = 0; __asm volatile("blx %1" : "+r"(r0) : "r"(0x20002481) : "lr", "cc");'
    twin = run(part, f"{fill} {here} on(4); {call}")
    assert (out(twin, 4), out(twin, 6)) == (0x20002500, 64)


@pytest.mark.parametrize("part", V7)
def test_a_wide_instruction_across_the_edge(part: str) -> None:
    """An instruction of which a part is denied is denied; those before it ran."""
    code = "HALF(0x200024fc) = 0x2107; HALF(0x200024fe) = 0xf04f; HALF(0x20002500) = 0x0105; HALF(0x20002502) = 0x4770;"
    body = f"{code} region(0, 0x20002500, 8, 0x13); on(4); ((void (*)(void))0x200024fd)();"
    assert out(run(part, body), 4) == 0x200024FE


@pytest.mark.parametrize("part", (*V7, *V8))
def test_memmanage_has_its_own_handler(part: str) -> None:
    """SHCSR.MEMFAULTENA."""
    denied = "limits(0, 0x20002400, 0x20002420, 2, 1);" if part in V8 else "region(0, 0x20002400, 5, 5);"
    source = f"""{HEAD}
    static void manage(void) {{ OUT[0] = 5; OUT[1] = MMFAR; OUT[2] = SCB_CFSR; SCB_CFSR = 0xff; OUT[3] = SCB_CFSR;
        DONE = 1; for (;;) {{}} }}
    void main_(void) {{ uint32_t *to = (uint32_t *)0x20004000;
        for (int i = 0; i < 98; i++) to[i] = REG(0x08000000 + 4 * i);
        to[4] = (uint32_t)manage; SCB_VTOR = 0x20004000; SCB_SHCSR = 1u << 16;
        {denied} on(4); REG(0x20002404) = 1; }}"""
    twin = twin_of(source, part)
    finish(twin)
    assert [out(twin, i) for i in range(4)] == [5, 0x20002404, DACCVIOL | MMARVALID, 0]


@pytest.mark.parametrize("part", OLD)
def test_fault_handlers_are_free_unless_hfnmiena(part: str) -> None:
    """MPU_CTRL.HFNMIENA clear: at a negative priority the MPU is off; set: the second fault is a lockup."""
    source = HEAD + "void hard(void) { OPEN = 5; OUT[0] = OPEN; DONE = 1; for (;;) {} } void main_(void) {"
    source += "OPEN = 7; region(0, 0x20002400, 10, 0);"
    twin = twin_of(source + "on(4); OPEN = 9; }", part)
    finish(twin)
    assert out(twin) == 5
    twin = twin_of(source + "on(6); OPEN = 9; }", part)
    with pytest.raises(LockupError, match="inside a fault handler"):
        twin.run()


def test_faultmask_frees_as_well() -> None:
    body = 'OPEN = 7; region(0, 0x20002400, 10, 0); on(4); __asm volatile("cpsid f"); OUT[0] = OPEN; OUT[1] = OPEN;'
    twin = run("STM32L476RG", body + '__asm volatile("cpsie f"); for (int i = 0; i < 9000; i++) SYNC(); OPEN = 1;')
    assert (out(twin, 0), out(twin, 1), status(twin)[0]) == (7, 7, DACCVIOL | MMARVALID)


@pytest.mark.parametrize("part", V7)
def test_ldrt_is_unprivileged(part: str) -> None:
    """DDI0403 A7.7.66: LDRT makes an unprivileged access."""
    body = f"OPEN = 7; region(0, 0x20002400, 10, {PRIVILEGED}); on(4); OUT[0] = OPEN;"
    twin = run(part, body + 'uint32_t v; __asm volatile("ldrt %0, [%1]" : "=r"(v) : "r"(&OPEN)); OUT[1] = v;')
    assert (out(twin), status(twin)) == (7, (DACCVIOL | MMARVALID, 0x20002400))


@pytest.mark.parametrize("part", V7)
def test_a_store_multiple_into_a_guard(part: str) -> None:
    """Nothing of the stack below the guard is written, and SP stays (DDI0403 B1.5.10)."""
    body = """REG(0x200023f8) = 7; region(0, 0x20002400, 5, 5); on(4); uint32_t sp = 0x20002428;
        __asm volatile("stmdb %0!, {r4-r7}" :: "r"(sp));"""
    twin = run(part, body)
    assert status(twin) == (DACCVIOL | MMARVALID, 0x20002418)


@pytest.mark.parametrize("part", V7)
def test_an_it_block_goes_on_where_it_was(part: str) -> None:
    """The fault comes in the middle of an IT block; after the handler opened the region all of it has run, once."""
    source = (
        HEAD
        + """
    void hard(void) { MPU_CTRL = 0; SYNC(); OUT[3]++; }
    void main_(void) { OPEN = 7; OUT[3] = 0; region(0, 0x20002400, 8, 0); on(4); uint32_t a = 0, b = 0, c = 0;
        __asm volatile("cmp r0, r0\\nittt eq\\naddeq %0, #1\\nldreq %1, [%3]\\naddeq %2, #1"
            : "+r"(a), "+r"(b), "+r"(c) : "r"(&OPEN) : "cc"); OUT[0] = a; OUT[1] = b; OUT[2] = c; }"""
    )
    twin = twin_of(source, part)
    finish(twin)
    assert [out(twin, i) for i in range(4)] == [1, 7, 1, 1]


@pytest.mark.parametrize("part", (*V7, *V8))
@pytest.mark.parametrize("size", [8, 10])
def test_peripherals(part: str, size: int) -> None:
    """Unprivileged code may not reach one, nor a part of one; MMFAR has the register, and nothing happened to it."""
    chip = chips.load(part)
    gpio = chip.blocks["GPIOB"]
    assert gpio.enable is not None
    rcc = chip.blocks["RCC"].address
    register = chips.registers(chip.blocks["RCC"].ip)[gpio.enable[0]]
    bit = register.fields[gpio.enable[1]][0]
    enable = f"REG({rcc + register.offset:#x}) |= 1u << {bit}; (void)REG({rcc + register.offset:#x});"
    odr = gpio.address + 0x14
    if part in V8:
        regions = f"""limits(0, 0x08000000, 0x08010000, 3, 0); limits(1, 0x20000000, 0x20030000, 1, 1);
            limits(2, {gpio.address:#x}, {gpio.address + (1 << size):#x}, 0, 1);"""
    else:
        regions = f"region(0, 0, 32, 3); region(1, {gpio.address:#x}, {size}, 1);"
    body = f"{enable} {regions} on(4); REG({odr:#x}) = 0x30; OUT[0] = REG({odr:#x}); unprivileged(); REG({odr:#x}) = 9;"
    twin = twin_of(HEAD + REPORT + f"void main_(void) {{ {body} }}", part)
    block = twin.block("GPIOB", Block)
    written: list[int] = []
    write = block.write
    block.write = lambda offset, size, value: (written.append(value), write(offset, size, value))[1]  # type: ignore
    finish(twin)
    assert (out(twin), written) == (0x30, [0x30])
    assert status(twin) == (DACCVIOL | MMARVALID, odr)


@pytest.mark.parametrize("part", (*V7, *V8))
def test_nothing_there_is_denied_first(part: str) -> None:
    """An address that no memory answers at: MemManage where it is denied, BusFault where it is not."""
    for permission, cfsr in ((NO_ACCESS, DACCVIOL | MMARVALID), (FULL, 0x8200)):
        code = "limits(0, 0x1c000000, 0x1c001000, 2, 1);" if part in V8 else f"region(0, 0x1c000000, 12, {permission});"
        code = code.replace(", 2, 1)", ", 1, 1)") if permission else code
        twin = run(part, code + "on(4); REG(0x1c000010) = 1;")
        assert twin.nvic.registers["CFSR"] == cfsr


@pytest.mark.parametrize("part", (*V7, *V8))
def test_a_stack_in_a_denied_place(part: str) -> None:
    """The frame of an exception does not fit: MSTKERR, and HardFault in its place (DDI0403 B1.5.14)."""
    guard = "limits(0, 0x20002400, 0x20002420, 2, 1);" if part in V8 else "region(0, 0x20002400, 5, 5);"
    source = (
        HEAD
        + """
    void hard(void) { OUT[0] = SCB_CFSR; OUT[1] = 9; DONE = 1; for (;;) {} }
    void svc(void) { OUT[1] = 1; }
    void main_(void) { """
        + guard
        + """ OUT[1] = 0; on(4); __asm volatile("msr psp, %0\\nmovs r0, #2\\nmsr control, r0\\nisb\\nsvc 0"
        :: "r"(0x20002430) : "r0"); }"""
    )
    twin = twin_of(source, part)
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (MSTKERR, 9)


@pytest.mark.parametrize("part", V7)
def test_a_frame_that_may_not_be_read_back(part: str) -> None:
    """MUNSTKERR at the return."""
    source = (
        HEAD
        + """
    void hard(void) { OUT[0] = SCB_CFSR; OUT[1] = 9; DONE = 1; for (;;) {} }
    void svc(void) { region(0, 0x20002400, 10, 0); on(6); }
    void main_(void) {
        __asm volatile("msr psp, %0\\nmovs r0, #2\\nmsr control, r0\\nisb\\nsvc 0" :: "r"(0x20002800) : "r0"); }"""
    )
    twin = twin_of(source, part)
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (MUNSTKERR, 9)


@pytest.mark.parametrize("part", OLD)
def test_a_store_to_flash_that_is_denied_programs_nothing(part: str) -> None:
    before = len(run(part, "").log)
    twin = run(part, "region(0, 0x08000000, 20, 6); on(4); REG(0x08004000) = 1;")
    assert [fault.address for fault in twin.faults] == [0x08004000]
    assert len(twin.log) == before


@pytest.mark.parametrize("part", ALL)
def test_code_that_is_stored_beside_a_guard_runs_as_stored(part: str) -> None:
    """A page that is judged access by access holds code and changes."""
    guard = "limits(0, 0x20002400, 0x20002420, 2, 1);" if part in V8 else "region(0, 0x20002400, 8, 5);"
    body = f"""{guard} on(4); uint32_t (*const f)(void) = (uint32_t (*)(void))0x20002601;
        HALF(0x20002600) = 0x2001; HALF(0x20002602) = 0x4770; SYNC(); OUT[0] = f();
        HALF(0x20002600) = 0x2002; SYNC(); OUT[1] = f(); REG(0x20002700) = 0x1234; OUT[2] = REG(0x20002700);"""
    twin = run(part, body)
    assert [out(twin, i) for i in range(3)] == [1, 2, 0x1234]


@pytest.mark.parametrize("part", ALL)
def test_a_reset_turns_it_off(part: str) -> None:
    deny = "limits(0, 0x20002400, 0x20002800, 2, 1);" if part in V8 else "region(0, 0x20002400, 10, 5);"
    source = (
        HEAD
        + f"""void main_(void) {{ if (REG(0x20003000) == 5) {{ OUT[0] = MPU_CTRL; OPEN = 3; OUT[1] = OPEN; return; }}
        REG(0x20003000) = 5; OPEN = 7; {deny} on(4); SCB_AIRCR = 0x05fa0004; SYNC(); for (;;) {{}} }}"""
    )
    twin = twin_of(source, part)
    finish(twin)
    assert (out(twin, 0), out(twin, 1), len(twin.faults)) == (0, 3, 0)


@pytest.mark.parametrize("part", ALL)
def test_a_snapshot_has_it(part: str) -> None:
    deny = "limits(0, 0x20002400, 0x20002420, 2, 1);" if part in V8 else "region(0, 0x20002400, 8, 5);"
    source = (
        HEAD
        + REPORT
        + f"""void main_(void) {{ OUT[0] = 0; {deny} on(4); while (!OUT[0]) {{}}
        if (OUT[0] == 2) MPU_CTRL = 0; OPEN = 3; }}"""
    )
    twin = twin_of(source, part)
    twin.run(seconds=0.001)
    state = twin.snapshot()
    for go, faults in ((2, 0), (1, 1), (2, 0)):
        twin.restore(state)
        twin.cpu.faults.clear()
        twin.core.uc.mem_write(0x20000100, bytes([go]))
        finish(twin)
        assert len(twin.faults) == faults
    twin.power_on()
    assert not twin.run(seconds=0.001)


@pytest.mark.parametrize("part", OLD)
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("MPU_RNR = 16;", "region 16 was chosen"),
        ("region(0, 0x20000000, 8, 4);", "AP of 4"),
        ("MPU_RNR = 0; MPU_RBAR = 0x20000000; MPU_RASR = 3 << 1 | 1;", "SIZE"),
        ("MPU_RNR = 0; MPU_RBAR = 0x20000000; MPU_RASR = 1 << 8 | 6 << 1 | 1;", "RASR"),
    ],
)
def test_what_is_unpredictable_is_refused(part: str, code: str, message: str) -> None:
    twin = twin_of(HEAD + f"void main_(void) {{ {code} for (volatile int i = 0; i < 9; i++) {{}} }}", part)
    with pytest.raises(TwinError, match=message):
        twin.run(seconds=0.01)


def test_v6_has_no_aliases_and_no_types() -> None:
    """DDI0419 B3.5: regions of 256 bytes and more, no TEX, no MPU_RBAR_A1."""
    twin = run(
        "STM32L073RZ",
        "MPU_RNR = 0; MPU_RBAR = 0x200010ef; MPU_RASR = 0xfffffffe; OUT[0] = MPU_RBAR; OUT[1] = MPU_RASR;",
    )
    assert (out(twin, 0), out(twin, 1)) == (0x20001000, 0x1707FF3E)


def test_the_start_of_a_cubemx_project_for_h7() -> None:
    """Region 0: 4 GB, no access, subregions 0x87 left out, not executable; PRIVDEFENA.  All that the part has stays."""
    body = """MPU_CTRL = 0; MPU_RNR = 0; MPU_RBAR = 0;
        MPU_RASR = 1u << 28 | 1u << 19 | 1u << 18 | 0x87 << 8 | 31 << 1 | 1; on(4);
        OUT[0] = REG(0x24000000) | 1; REG(0x30000000) = 2; OUT[1] = REG(0x30000000); OUT[2] = REG(0x5c001000) != 0;
        OUT[3] = 1; REG(0x60000000) = 1;"""
    twin = run("STM32H745XI", body)
    assert (out(twin, 1), out(twin, 3)) == (2, 1)
    assert status(twin) == (DACCVIOL | MMARVALID, 0x60000000)


@pytest.mark.parametrize(
    ("tex", "c", "b", "shared", "stops"),
    [
        (0, 1, 0, 0, "may still hold"),  # write-through, as without a region
        (1, 0, 0, 0, ""),  # normal, not cacheable
        (0, 1, 0, 1, ""),  # shared: the M7 does not cache it
        (0, 0, 1, 0, ""),  # device
        (0, 1, 1, 0, "makes it write-back"),
        (1, 1, 1, 0, "makes it write-back"),
        (4, 0, 0, 0, ""),  # by outer and inner policy: inner not cacheable
        (6, 1, 0, 0, "may still hold"),
        (5, 0, 1, 0, "makes it write-back"),
    ],
)
def test_attributes_decide_what_the_data_cache_holds(tex: int, c: int, b: int, shared: int, stops: str) -> None:
    """DDI0403, MPU_RASR: TEX, C, B and S; PM0253: what is shared is not cached.  The rules of the caches follow."""
    rasr = 3 << 24 | tex << 19 | shared << 18 | c << 17 | b << 16 | 20 << 1 | 1
    code = f"""unlock(); data_cache_on(); MPU_RNR = 0; MPU_RBAR = 0x08000000; MPU_RASR = {rasr:#x}; on(4);
        program(0x08180000, 1); erase(9); program(0x08140000, 1);"""
    twin = twin_of(HEAD + f"void main_(void) {{ {code} }}", "STM32F769NI")
    if stops:
        with pytest.raises(TwinError, match=stops):
            finish(twin, 9)
    else:
        finish(twin, 9)
