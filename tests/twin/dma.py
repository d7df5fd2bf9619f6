"""Tiny firmware that uses DMA for USART2, on every family: tests/families, table `dma`, and dma.h."""

from __future__ import annotations

import pytest

from spboot.errors import TwinError
from spboot.twin import Twin
from tests import families

from .conftest import done, out, twin_of

ALL = tuple(families.ALL.values())
BY_FAMILY = pytest.mark.parametrize("facts", ALL, ids=lambda facts: facts.name)
UART = "USART2"
_KINDS = ("CHANNEL", "STREAM", "GPDMA")


def of_kind(*kinds: str) -> pytest.MarkDecorator:
    """Families whose DMA is of one of *kinds*."""
    chosen = [facts for facts in ALL if facts.dma["kind"] in kinds]
    return pytest.mark.parametrize("facts", chosen, ids=lambda facts: facts.name)


def buffer_of(facts: families.Facts) -> int:
    """RAM that DMA reaches."""
    return facts.main_ram[0] + 0x2000


def source_of(facts: families.Facts, code: str) -> str:
    """*code* behind what it may use."""
    row = facts.dma
    old = facts.name == "STM32F4"
    places = {
        "RDR": 4 if old else 0x24, "TDR": 4 if old else 0x28, "BRR": 8 if old else 0xC,
        "CR1_AT": 0xC if old else 0, "CR3_AT": 0x14 if old else 8, "STATUS": 0 if old else 0x1C,
    }  # fmt: skip
    values = {
        "KIND": _KINDS.index(row["kind"]) + 1, "DMA": row["base"], "DMAMUX": row["mux"], "AF": row["af"],
        "REQUEST_RX": row["request"][0], "REQUEST_TX": row["request"][1], "RX": row["channel"][0],
        "TX": row["channel"][1], "PORTA": row["porta"], "HERTZ": facts.timer["hertz"], "BUFFER": buffer_of(facts),
        "TRBUFF": 1 << 20, "ENABLE": 0x200C if old else 0xD, "IRQ_RX": row["irq"][0], "IRQ_TX": row["irq"][1],
        **{name: 0x40004400 + offset for name, offset in places.items()},
    }  # fmt: skip
    defines = [f"#define {name} {value:#x}u" for name, value in values.items()]
    start = f"""static void usart(void) {{ {row["uart"]} {row["clock"]} __asm volatile("nop; nop; nop");
        REG(PORTA) = (REG(PORTA) & ~0xf0u) | 0xa0u; REG(PORTA + 0x20) = (REG(PORTA + 0x20) & ~0xff00u) | AF * 0x1100u;
        REG(BRR) = HERTZ / 115200; REG(CR1_AT) = ENABLE; }}"""
    return "\n".join([*defines, '#include "dma.h"', start, code])


def dma(facts: families.Facts, code: str, *, handlers: str = "", strict: bool = True) -> Twin:
    """A twin that runs *code* in main_(), behind `usart()`.  RAM is 0 all over."""
    twin = twin_of(source_of(facts, f"{handlers}\nvoid main_(void) {{ usart(); {code} }}"), facts.part)
    twin.strict = "all" if strict else "none"
    twin.power_on(ram_fill=0)
    return twin


def ready(twin: Twin) -> Twin:
    """Run until the firmware set OUT[7]."""
    assert twin.run(until=lambda: out(twin, 7) == 1, seconds=1), twin.faults
    return twin


def send(twin: Twin, data: bytes, seconds: float = 0.002) -> None:
    """Let *data* arrive, and some time pass."""
    twin.uart(UART).send(data)
    twin.run(seconds=len(data) * 10 / 115_200 + seconds)


def held(twin: Twin, facts: families.Facts, size: int) -> bytes:
    """What the buffer holds."""
    return twin.ram_read(buffer_of(facts), size)


def refuses_dma(facts: families.Facts, code: str, message: str) -> None:
    """The twin stops at *code* with *message*."""
    twin = dma(facts, f"{code} for (volatile int i = 0; i < 999; i++) {{}}")
    with pytest.raises(TwinError, match=message):
        twin.run(until=lambda: done(twin), seconds=1)


def warns(facts: families.Facts, code: str, message: str) -> Twin:
    """Strict code is stopped at *code* with *message*; other code gets a warning and goes on."""
    refuses_dma(facts, code, message)
    twin = dma(facts, code, strict=False)
    assert twin.run(until=lambda: done(twin), seconds=1), twin.faults
    assert any(message in warning for warning in twin.warnings), twin.warnings
    return twin
