"""The memory protection unit: DDI0419 B3.5 (v6-M), DDI0403 B3.5 (v7-M), DDI0553 (v8-M); PM0223, PM0214 4.2, PM0253,
PM0264.  MemManage faults: DDI0403 B1.5.14 and B3.2.15 (CFSR), their addresses in MMFAR."""

from __future__ import annotations

import pytest

from tests import families

from .conftest import out
from .protection import (
    ALL,
    DACCVIOL,
    FULL,
    MMARVALID,
    NO_ACCESS,
    OLD,
    PRIVILEGED,
    READ_BY_ALL,
    READ_ONLY,
    READ_PRIVILEGED,
    V6,
    V7,
    V8,
    run,
    status,
)


@pytest.mark.parametrize("name", sorted(families.ALL))
def test_number_of_regions(name: str) -> None:
    """8 for all but the Cortex-M7 of STM32H7, which has 16 (AN4838); without security those of MPU_NS."""
    part = families.ALL[name].part
    assert out(run(part, "OUT[0] = MPU_TYPE;")) == (0x1000 if name == "STM32H7" else 0x800)


@pytest.mark.parametrize("part", OLD)
def test_valid_chooses_the_region(part: str) -> None:
    """MPU_RBAR: with VALID set REGION becomes the number; it reads back, VALID does not."""
    source = """MPU_RNR = 5; MPU_RBAR = 0x20000000 | 0x10 | 3; MPU_RASR = 0x0300000f;
        OUT[0] = MPU_RNR; OUT[1] = MPU_RBAR;
        MPU_RNR = 5; OUT[2] = MPU_RBAR; OUT[3] = MPU_RASR;"""
    twin = run(part, source)
    assert [out(twin, i) for i in range(4)] == [3, 0x20000003, 5, 0]


def test_aliases_of_v7_take_the_region_from_valid() -> None:
    source = """REG(0xe000ed9c) = 0x20000010; REG(0xe000eda4) = 0x08000011; REG(0xe000eda8) = 0x06000027;
        REG(0xe000edac) = 0x40000012; REG(0xe000edb4) = 0x60000013; OUT[0] = MPU_RNR;
        MPU_RNR = 1; OUT[1] = MPU_RBAR; OUT[2] = MPU_RASR; MPU_RNR = 2; OUT[3] = REG(0xe000edb4);"""
    assert [out(run("STM32L476RG", source), i) for i in range(4)] == [3, 0x08000001, 0x06000027, 0x40000002]


@pytest.mark.parametrize("part", V8)
def test_aliases_of_v8_are_the_other_regions_of_four(part: str) -> None:
    """MPU_RBAR_A<n>: region (RNR with its low bits n)."""
    source = """MPU_RNR = 4; MPU_RBAR = 0x20000000; REG(0xe000eda4) = 0x20000105; REG(0xe000eda8) = 0x200001f7;
        REG(0xe000edc0) = 0x44ff; REG(0xe000edc4) = 0x12; OUT[0] = MPU_RBAR;
        MPU_RNR = 5; OUT[1] = MPU_RBAR; OUT[2] = MPU_RLAR; OUT[3] = REG(0xe000edc0) << 8 | REG(0xe000edc4);"""
    twin = run(part, source)
    assert [out(twin, i) for i in range(4)] == [0x20000000, 0x20000105, 0x200001E7, 0x44FF12]


@pytest.mark.parametrize("part", OLD)
@pytest.mark.parametrize(
    ("permission", "read", "write", "user_read", "user_write"),
    [
        (NO_ACCESS, 0, 0, 0, 0),
        (PRIVILEGED, 1, 1, 0, 0),
        (READ_BY_ALL, 1, 1, 1, 0),
        (FULL, 1, 1, 1, 1),
        (READ_PRIVILEGED, 1, 0, 0, 0),
        (READ_ONLY, 1, 0, 1, 0),
        (7, 1, 0, 1, 0),
    ],
)
@pytest.mark.parametrize("size", [8, 10], ids=["part-of-a-page", "page"])
def test_permissions(
    part: str, permission: int, read: int, write: int, user_read: int, user_write: int, size: int
) -> None:
    """MPU_RASR, AP.  The Cortex-M0+ of the twin has no unprivileged mode."""
    set_up = f"OPEN = 7; region(0, 0, 32, 3); region(1, 0x20002400, {size}, {permission}); on(0);"
    cases = [("OUT[0] = OPEN;", read), ("OPEN = 9;", write)]
    if part not in V6:
        cases += [("unprivileged(); OUT[0] = OPEN;", user_read), ("unprivileged(); OPEN = 9;", user_write)]
    for body, allowed in cases:
        twin = run(part, f"{set_up} {body}")
        assert len(twin.faults) == 1 - allowed, (body, twin.faults)
        if part not in V6:
            assert status(twin) == ((0, 0) if allowed else (DACCVIOL | MMARVALID, 0x20002400))
        assert int.from_bytes(twin.ram_read(0x20002400, 4), "little") == (9 if "OPEN = 9" in body and allowed else 7)


@pytest.mark.parametrize("part", (*V7, *V8))
@pytest.mark.parametrize("access", ["ldrbeq r5, [%1]", "strbeq r5, [%1]", "ldrdeq r5, r6, [%1]"])
def test_the_first_access_to_a_page_in_an_it_block(part: str, access: str) -> None:
    """What follows the block runs without its condition (DDI0403 A7.3.3), here the next turn of the loop."""
    open_all = (
        "limits(0, 0x08000000, 0x08010000, 3, 0); limits(1, 0x20000000, 0x20030000, 1, 1);"
        if part in V8
        else "region(0, 0, 32, 3);"
    )
    body = f"""{open_all} on(4); uint32_t turns = 0, place = 0x20001000;
        __asm volatile("movs r4, #4\\n1: adds %0, #1\\nadds %0, #16\\nadds %0, #64\\ncmp r0, r0\\nit eq\\n{access}\\n"
            "add %1, #1024\\nsubs r4, #1\\nbne 1b" : "+r"(turns), "+r"(place) :: "r4", "r5", "r6", "cc", "memory");
        OUT[0] = turns; OUT[1] = place;"""
    twin = run(part, body)
    assert (out(twin), out(twin, 1), twin.faults) == (4 * 81, 0x20002000, [])


@pytest.mark.parametrize("part", V8)
@pytest.mark.parametrize(
    ("permission", "read", "write", "user_read", "user_write"),
    [(0, 1, 1, 0, 0), (1, 1, 1, 1, 1), (2, 1, 0, 0, 0), (3, 1, 0, 1, 0)],
)
def test_permissions_of_v8(part: str, permission: int, read: int, write: int, user_read: int, user_write: int) -> None:
    """MPU_RBAR, AP: writable or not, for all or for privileged code."""
    set_up = f"""OPEN = 7; limits(0, 0x08000000, 0x08010000, 3, 0); limits(1, 0x20000000, 0x20002400, 1, 1);
        limits(2, 0x20002400, 0x20002420, {permission}, 1); limits(3, 0x20002420, 0x20030000, 1, 1); on(0);"""
    for body, allowed in (
        ("OUT[0] = OPEN;", read),
        ("OPEN = 9;", write),
        ("unprivileged(); OUT[0] = OPEN;", user_read),
        ("unprivileged(); OPEN = 9;", user_write),
    ):
        twin = run(part, f"{set_up} {body}")
        assert status(twin) == ((0, 0) if allowed else (DACCVIOL | MMARVALID, 0x20002400)), body


@pytest.mark.parametrize("part", V8)
def test_regions_of_v8_that_overlap_deny_everything(part: str) -> None:
    body = (
        "limits(0, 0x20002000, 0x20002800, 1, 0); limits(1, 0x20002400, 0x20002420, 1, 0); on(4); OUT[0] = 1; OPEN = 9;"
    )
    twin = run(part, body)
    assert (out(twin), *status(twin)) == (1, DACCVIOL | MMARVALID, 0x20002400)


@pytest.mark.parametrize("part", V8)
def test_a_region_of_v8_ends_with_the_granule_of_its_limit(part: str) -> None:
    """MPU_RLAR: LIMIT is the last address with its low five bits 1."""
    body = (
        "limits(0, 0x20002400, 0x20002440, 3, 0); on(4); REG(0x200023fc) = 1; REG(0x20002440) = 1; REG(0x2000243c) = 1;"
    )
    assert status(run(part, body)) == (DACCVIOL | MMARVALID, 0x2000243C)


@pytest.mark.parametrize("part", OLD)
def test_the_highest_region_decides(part: str) -> None:
    body = """region(2, 0x20002000, 12, 3); region(1, 0x20000000, 32 - 19, 0); region(3, 0x20002800, 8, 0); on(4);
        OPEN = 3; OUT[0] = OPEN; REG(0x20002800) = 1;"""
    twin = run(part, body.replace("0x20000000, 32 - 19, 0", "0x20002000, 13, 0"))
    assert out(twin) == 3
    assert [fault.address for fault in twin.faults] == [0x20002800]


@pytest.mark.parametrize("part", OLD)
def test_subregions_fall_to_the_background(part: str) -> None:
    """MPU_RASR, SRD: an eighth that is left out is none of the region, and a lower region or the background decides."""
    body = """MPU_RNR = 0; MPU_RBAR = 0x20002400; MPU_RASR = 0x05 << 8 | 9 << 1 | 1; on(4);
        REG(0x20002400) = 1; REG(0x2000247c) = 2; REG(0x20002500) = 3; REG(0x20002480) = 4;"""
    assert [fault.address for fault in run(part, body).faults] == [0x20002480]


@pytest.mark.parametrize("part", ALL)
@pytest.mark.parametrize("access", ["(void)REG(0x20002504);", "REG(0x20002504) = 1;"])
def test_a_region_within_a_page(part: str, access: str) -> None:
    """What lies around it stays as it was, however often it was used before."""
    guard = "limits(1, 0x20002500, 0x20002600, 0, 1);" if part in V8 else "region(1, 0x20002500, 8, 0);"
    if part in V8:  # v8 has no region without access: two that overlap have none
        guard += "limits(0, 0x20002500, 0x20002600, 0, 1);"
    body = f"""OPEN = 5; {guard} on(4); OPEN = OPEN + 1; REG(0x20002600) = OPEN; OUT[0] = REG(0x20002600) + OPEN;
        OUT[1] = REG(0x200024fc) == REG(0x200024fc); {access}"""
    twin = run(part, body)
    assert (out(twin), out(twin, 1)) == (12, 1)
    assert [fault.address for fault in twin.faults] == [0x20002504]


@pytest.mark.parametrize("part", ALL)
@pytest.mark.parametrize("how", [0, 4])
def test_the_background_is_for_privileged_code(part: str, how: int) -> None:
    """MPU_CTRL.PRIVDEFENA: without it, and for unprivileged code, what no region has is denied."""
    flash = "limits(0, 0x08000000, 0x08010000, 3, 0);" if part in V8 else "region(0, 0x08000000, 16, 6);"
    twin = run(part, f"{flash} REG(0x20000104) = 3; on({how}); OUT[0] = 1;")
    assert bool(twin.faults) == (how == 0)
    if part not in V6 and how:
        twin = run(part, f"{flash} on({how}); unprivileged(); OUT[0] = 1;")
        assert twin.faults[0].address in range(0x20000000, 0x20040000)
