"""Caches of the flash interface: what firmware may do in which order, and what a cache cannot hold."""

from __future__ import annotations

import pytest

from spboot.errors import TwinError
from spboot.twin import Twin

from .conftest import finish, out, twin_of

ERASES = {
    "STM32F429ZI": "erase(24);",
    "STM32L476RG": "erase(1, 224);",
    "STM32G474RE": "erase(1, 100);",
    "STM32WL55JC": "erase(0, 100);",
}


@pytest.mark.parametrize("part", ERASES)
def test_one_cache_after_the_other(part: str) -> None:
    """Off, reset, on: first the instruction cache, while the data cache is still on; then the data cache (RM0090 3.5.2,
    RM0351 3.3.3: each has its enable and reset bits).  Locked afterwards."""
    flush = " ".join(
        f"FLASH_ACR &= ~{on}u; FLASH_ACR |= {reset}u; FLASH_ACR &= ~{reset}u; FLASH_ACR |= {on}u;"
        for on, reset in ((1 << 9, 1 << 11), (1 << 10, 1 << 12))
    )
    lock = "FLASH_CR = 1u << 31;"
    twin = twin_of(
        f"void main_(void) {{ FLASH_ACR |= 0x600; unlock(); {ERASES[part]} {flush} {lock} OUT[0] = 7; }}", part
    )
    finish(twin, 5)
    assert out(twin) == 7


@pytest.mark.parametrize("part", ERASES)
def test_a_data_cache_that_nobody_emptied(part: str) -> None:
    """The same without its reset: turned on again, it may hold what stood there."""
    body = "FLASH_ACR &= ~0x600u; FLASH_ACR |= 0x800u; FLASH_ACR &= ~0x800u; FLASH_ACR |= 0x600u;"
    twin = twin_of(f"void main_(void) {{ FLASH_ACR |= 0x600; unlock(); {ERASES[part]} {body} }}", part)
    with pytest.raises(TwinError, match="may hold what was erased"):
        twin.run(seconds=5)


KEYS = "FLASH_KEYR = 0x45670123; FLASH_KEYR = 0xcdef89ab;"


def _from_ram(part: str, body: str, before: str = "") -> Twin:
    return twin_of(
        f"__attribute__((noinline)) static void work(void) {{ {body} }}\n"
        f"void main_(void) {{ {before} in_ram(work); OUT[0] = 7; }}",
        part,
    )


F7 = f"{KEYS} FLASH_CR = 2 | 9 << 3 | X32; FLASH_CR |= 1u << 16; while (FLASH_SR & 1u << 16) {{}} FLASH_CR = 1u << 31;"


@pytest.mark.parametrize("ram", [True, False])
def test_the_accelerator_holds_nothing_of_what_its_side_never_served(ram: bool) -> None:
    """RM0410, FLASH_ACR: it is between the ITCM bus and flash; code at 0x08000000 or in RAM passes it by."""
    if ram:
        twin = _from_ram("STM32F769NI", F7, "FLASH_ACR = 0x300;")
    else:
        twin = twin_of(f"void main_(void) {{ FLASH_ACR = 0x300; {F7} OUT[0] = 7; }}", "STM32F769NI")
    finish(twin, 5)
    assert out(twin) == 7


@pytest.mark.parametrize(
    "use", ["(void)REG(0x00340000);", "((void (*)(void))(((uint32_t)here & 0xfffff) + 0x00200000))();"]
)
def test_the_accelerator_holds_what_its_side_served(use: str) -> None:
    """By a load or a fetch at the addresses of the ITCM side."""
    source = f"""__attribute__((noinline)) static void here(void) {{ OUT[1] = 5; }}
        void main_(void) {{ FLASH_ACR = 0x300; for (volatile int i = 0; i < 9; i++) {{}} {use} {F7} }}"""
    with pytest.raises(TwinError, match="finished with a cache on"):
        twin_of(source, "STM32F769NI").run(seconds=5)


F4 = (
    "FLASH_ACR &= ~0x600u; FLASH_ACR |= 0x1800u; FLASH_ACR &= ~0x1800u; FLASH_ACR |= 0x600u; {use}"
    f" {KEYS} FLASH_CR = 2 | 24 << 3 | X32; FLASH_CR |= 1u << 16; while (FLASH_SR & 1u << 16) {{{{}}}}"
    " FLASH_CR = 1u << 31;"
)


def test_caches_turned_on_by_code_in_ram_are_empty_until_flash_is_used() -> None:
    """RM0090 3.5.2: they are filled by fetches and loads from flash; there was none."""
    twin = _from_ram("STM32F429ZI", F4.format(use=""))
    finish(twin, 5)
    assert out(twin) == 7


@pytest.mark.parametrize(
    "use", ["OUT[3] = REG(0x08180000);", "OUT[3] = REG(0x00180000);", "((void (*)(void))(REG(0x20000104)))();"]
)
def test_they_are_filled_by_a_load_or_a_fetch(use: str) -> None:
    source = f"""__attribute__((noinline)) static void there(void) {{ OUT[4] = 1; }}
        __attribute__((noinline)) static void work(void) {{ {F4.format(use=use)} }}
        void main_(void) {{ OUT[1] = (uint32_t)there; in_ram(work); }}"""
    with pytest.raises(TwinError, match="finished with a cache on"):
        twin_of(source, "STM32F429ZI").run(seconds=5)


def test_what_a_cache_may_hold_is_part_of_a_snapshot() -> None:
    twin = _from_ram("STM32F429ZI", F4.format(use=""))
    assert not twin.run(until=lambda: len(twin.log) > 0, seconds=0)
    twin.run(until=lambda: bool(twin.flash_controller.registers["CR"] & 1 << 16 or len(twin.log)), seconds=1)
    snapshot = twin.snapshot()
    finish(twin, 5)
    twin.restore(snapshot)
    finish(twin, 5)
    assert out(twin) == 7


@pytest.mark.parametrize("part", ["STM32L562QE", "STM32U575ZI", "STM32H563ZI"])
def test_icache_turned_on_again_at_once(part: str) -> None:
    """RM0438, ICACHE: turning it off empties it; turned on meanwhile it is passed by until BUSYF is 0."""
    cache = "#define CACHE REG(0x40030400)\n#define STATUS REG(0x40030404)\n"
    twin = twin_of(
        f"{cache}void main_(void) {{ while (STATUS & 1) {{}} CACHE |= 1; CACHE &= ~1u; CACHE |= 1; OUT[0] = STATUS & 1;"
        " while (STATUS & 1) {} OUT[1] = CACHE & 1; }",
        part,
    )
    finish(twin)
    assert (out(twin), out(twin, 1)) == (1, 1)
