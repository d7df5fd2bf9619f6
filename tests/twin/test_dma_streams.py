"""DMA with streams: FIFO, two buffers, bursts, memories and misuse.  Sections are those of RM0090."""

from __future__ import annotations

import pytest

from tests.families import ALL, Facts

from .conftest import done, finish, out
from .dma import dma, held, of_kind, ready, refuses_dma, send, warns

BY_FAMILY = of_kind("STREAM")
FILL = "for (int i = 0; i < 64; i++) BYTE(BUFFER + i) = 0xa1 + i; "
SPIN = "for (volatile int i = 0; i < 200; i++) {}"
LOOP = "OUT[7] = 1; for (;;) { OUT[0] = LEFT(RX); OUT[1] = flags(RX); OUT[2] = R(RX, 20); OUT[3] = CR(RX); }"
SELECT = "listen_to(RX, REQUEST_RX); "
CONTROL = "(DMAMUX ? TRBUFF : REQUEST_RX << 25)"
TWO = "#define SECOND (DMA + (DMAMUX ? 0 : 0x400))\n#define S(offset) REG(SECOND + 0x10 + (offset))\n"
"""Stream 0 of the controller that can copy: DMA2, on STM32H7 any."""
DMA2 = "REG(0x40023830) |= 1u << 22; (void)REG(0x40023830); "


def fifo(threshold: int, msize: int, number: int, extra: str = "0") -> str:
    """Receive bytes through the FIFO."""
    return f"""{SELECT} R(RX, 4) = {number}; R(RX, 8) = RDR; R(RX, 12) = BUFFER; R(RX, 20) = 4 | {threshold};
        CR(RX) = {CONTROL} | 0x400 | {msize}u << 13 | {extra}; CR(RX) |= 1; REG(CR3_AT) |= 0x40;"""


@BY_FAMILY
@pytest.mark.parametrize("threshold", range(4))
def test_the_fifo_is_emptied_at_its_threshold(facts: Facts, threshold: int) -> None:
    """10.3.12: the counter has counted, memory has nothing before; the level can be read (10.5.10)."""
    level = 4 * (threshold + 1)
    twin = ready(dma(facts, f"{fifo(threshold, 0, 64)} {LOOP}"))
    send(twin, bytes(range(1, level)))
    assert out(twin, 0) == 64 - level + 1
    assert held(twin, facts, 16) == bytes(16)
    assert out(twin, 2) >> 3 & 7 == (level - 1) // 4
    send(twin, bytes([level]))
    assert held(twin, facts, 17) == bytes(range(1, level + 1)) + bytes(17 - level)
    assert out(twin, 2) >> 3 & 7 == 4


@BY_FAMILY
def test_bytes_are_packed(facts: Facts) -> None:
    """10.3.10: words in memory."""
    twin = ready(dma(facts, f"{fifo(3, 2, 16)} {LOOP}"))
    send(twin, bytes(range(16)))
    assert held(twin, facts, 17) == bytes(range(16)) + b"\0"
    assert out(twin, 1) == 3


@BY_FAMILY
def test_a_stream_that_is_disabled_writes_what_it_has(facts: Facts) -> None:
    """10.3.12, 10.3.14: and says that it is complete."""
    code = f"{fifo(3, 0, 64)} OUT[7] = 1; while (LEFT(RX) > 61) {{}} end(RX); OUT[1] = flags(RX); OUT[0] = LEFT(RX);"
    twin = ready(dma(facts, code))
    send(twin, b"abc")
    assert done(twin)
    assert held(twin, facts, 4) == b"abc\0"
    assert (out(twin, 0), out(twin, 1)) == (61, 1)


@BY_FAMILY
def test_a_stream_that_sends_and_is_disabled_tells_it(facts: Facts) -> None:
    """10.3.14: TCIF tells the end, the counter what is left."""
    twin = dma(facts, "begin(TX, REQUEST_TX, TDR, BUFFER, 8, 0); end(TX); OUT[0] = LEFT(TX); OUT[1] = flags(TX);")
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (8, 1)


@BY_FAMILY
def test_two_buffers(facts: Facts) -> None:
    """10.3.9: CT says which one is in use; the other one may get another address."""
    code = f"""{SELECT} R(RX, 4) = 4; R(RX, 8) = RDR; R(RX, 12) = BUFFER; R(RX, 16) = BUFFER + 16;
        CR(RX) = {CONTROL} | 0x400 | 1u << 18; CR(RX) |= 1; REG(CR3_AT) |= 0x40; OUT[7] = 1;
        while (!(CR(RX) >> 19 & 1)) {{}} R(RX, 12) = BUFFER + 32; for (;;) {{ OUT[0] = LEFT(RX); OUT[3] = CR(RX); }}"""
    twin = ready(dma(facts, code))
    send(twin, b"abcd")
    assert out(twin, 3) >> 19 & 1 == 1
    send(twin, b"efgh")
    assert out(twin, 3) >> 19 & 1 == 0
    send(twin, b"ij")
    assert held(twin, facts, 36) == b"abcd".ljust(16, b"\0") + b"efgh".ljust(16, b"\0") + b"ij\0\0"
    assert out(twin, 0) == 2


@BY_FAMILY
def test_the_buffer_in_use_keeps_its_address(facts: Facts) -> None:
    """10.3.9: TEIF, and the stream is off."""
    code = f"""{SELECT} R(RX, 4) = 4; R(RX, 8) = RDR; R(RX, 12) = BUFFER; R(RX, 16) = BUFFER + 16;
        CR(RX) = {CONTROL} | 0x400 | 1u << 18; CR(RX) |= 1; R(RX, 12) = BUFFER + 32;
        OUT[0] = flags(RX); OUT[1] = on(RX);"""
    twin = warns(facts, code, "was written while that buffer is in use")
    assert (out(twin, 0), out(twin, 1)) == (4, 0)


@BY_FAMILY
def test_memory_to_memory(facts: Facts) -> None:
    """10.3.6: by the FIFO alone; DMA1 of STM32F4 and F7 cannot, as its port to peripherals ends at APB1."""
    code = f"""{DMA2 if facts.name != "STM32H7" else ""} {FILL} S(4) = 20; S(8) = BUFFER; S(12) = BUFFER + 128;
        S(0) = 0x680; S(0) |= 1; OUT[0] = S(4); {SPIN} OUT[1] = S(4); OUT[2] = REG(SECOND) & 0x3f; OUT[3] = S(0) & 1;
        OUT[4] = S(20) & 4;"""
    twin = dma(facts, code, handlers=TWO)
    finish(twin)
    assert 15 <= out(twin, 0) <= 20
    assert [out(twin, i) for i in (1, 2, 3, 4)] == [0, 0x30, 0, 4]
    assert held(twin, facts, 160)[128:] == bytes(range(0xA1, 0xB5)) + bytes(12)
    if facts.name != "STM32H7":
        refuses_dma(
            facts, "R(0, 4) = 4; R(0, 8) = R(0, 12) = BUFFER; CR(0) = 0x680; CR(0) |= 1;", "copies memory to memory"
        )


@BY_FAMILY
@pytest.mark.parametrize(
    ("burst", "msize", "fits"),
    [
        *((1, 0, (0, 1, 2, 3)), (2, 0, (1, 3)), (3, 0, (3,)), (1, 1, (1, 3)), (2, 1, (3,)), (1, 2, (3,))),
        *((3, 1, ()), (2, 2, ())),
    ],
)
def test_bursts_and_thresholds(facts: Facts, burst: int, msize: int, fits: tuple[int, ...]) -> None:
    """10.3.12, threshold configurations: whole bursts make up the threshold, or FEIF is set and it stays off."""
    at = facts.dma["channel"][0]
    place = f"REG(DMA + 4 * ({at} >> 2)) >> place(RX)"
    for threshold in range(4):
        code = f"{fifo(threshold, msize, 64, f'{burst}u << 23')} OUT[0] = on(RX); OUT[1] = {place} & 1;"
        twin = dma(facts, code)
        finish(twin)
        assert (out(twin, 0), out(twin, 1)) == ((1, 0) if threshold in fits else (0, 1)), threshold


@BY_FAMILY
def test_an_item_is_fetched_before_it_is_asked_for(facts: Facts) -> None:
    """10.3.12, direct mode: one; what memory holds later does not count."""
    code = "BYTE(BUFFER) = 'a'; begin(TX, REQUEST_TX, TDR, BUFFER, 2, 0); BYTE(BUFFER) = 'x'; BYTE(BUFFER + 1) = 'b';"
    twin = dma(facts, f"{code} REG(CR3_AT) |= 0x80; while (!(REG(STATUS) & 0x40)) {{}}")
    finish(twin)
    assert twin.uart("USART2").output == b"ab"


@BY_FAMILY
def test_enabled_again_it_has_its_number_again(facts: Facts) -> None:
    """10.5.6: the number is loaded again; flags are cleared before (10.3.17)."""
    twin = ready(dma(facts, f"receive(2, 0); OUT[7] = 1; while (on(RX)) {{}} clear(RX); CR(RX) |= 1; {LOOP}"))
    send(twin, b"ab")
    send(twin, b"c")
    assert (out(twin, 0), held(twin, facts, 2)) == (1, b"cb")


WARNED = {
    "protected": ("receive(8, 0); CR(RX) |= 0x100; OUT[0] = CR(RX) & 0x101;", "CR written while DMA1 stream", 1),
    "fifo": ("receive(8, 0); R(RX, 20) = 7; OUT[0] = R(RX, 20) & 7;", "FCR written while DMA1 stream", 1),
    "address": ("receive(8, 0); R(RX, 12) = 8; OUT[0] = R(RX, 12) - BUFFER;", "M0AR written while DMA1 stream", 0),
    "flags": (
        "transmit(BUFFER, 1, 0); while (on(TX)) {} OUT[0] = 7; CR(TX) |= 1; while (on(TX)) {}",
        "enabled while flags of its last transfer are set",
        7,
    ),
}


@BY_FAMILY
@pytest.mark.parametrize(("code", "message", "result"), WARNED.values(), ids=WARNED)
def test_borne(facts: Facts, code: str, message: str, result: int) -> None:
    assert out(warns(facts, code, message)) == result


WRONG = {
    "size-3": (f"{SELECT} R(RX, 4) = 4; CR(RX) = {CONTROL} | 0x1801;", "a reserved size"),
    "flow-control": (f"{SELECT} R(RX, 4) = 4; CR(RX) = {CONTROL} | 0x21;", "PFCTRL"),
    "unaligned": (f"{fifo(3, 2, 16).replace('BUFFER', 'BUFFER + 2')}", "M0AR is not aligned to 4 bytes"),
    "a-part-of-a-word": (fifo(3, 2, 15), "15 items of 1 bytes for memory of 4"),
    "circle-of-memory": ("R(1, 4) = 4; CR(1) = 0x781;", "copies memory in circles"),
}


@BY_FAMILY
@pytest.mark.parametrize(("code", "message"), WRONG.values(), ids=WRONG)
def test_refused(facts: Facts, code: str, message: str) -> None:
    refuses_dma(facts, code, message)


TARGETS = {
    "STM32F4-ccm": ("STM32F4", 0x10000000, False),
    "STM32F7-dtcm": ("STM32F7", 0x20004000, True),
    "STM32F7-sram": ("STM32F7", 0x20030000, True),
    "STM32H7-dtcm": ("STM32H7", 0x20004000, False),
    "STM32H7-axi": ("STM32H7", 0x24004000, True),
    "STM32H7-sram1": ("STM32H7", 0x30000100, True),
    "STM32H7-sram4": ("STM32H7", 0x38000100, True),
}


@pytest.mark.parametrize(("name", "address", "reached"), TARGETS.values(), ids=TARGETS)
def test_memories(name: str, address: int, reached: bool) -> None:
    """RM0090 2.1: the CCM is not on the bus matrix; RM0410 2.1: the DTCM is, by the slave port of the core; RM0399
    2.1.7: there it is for MDMA alone."""
    clocks = "REG(0x580244dc) |= 7u << 29; " if name == "STM32H7" else ""
    code = f"{clocks} begin(RX, REQUEST_RX, RDR, {address:#x}, 4, 0); REG(CR3_AT) |= 0x40; {LOOP}"
    twin = ready(dma(ALL[name], code, strict=False))
    send(twin, b"q")
    assert twin.ram_read(address, 1) == (b"q" if reached else b"\0")
    assert (out(twin, 0), out(twin, 1) & 4) == ((3, 0) if reached else (4, 4))
    assert any("does not reach" in warning for warning in twin.warnings) != reached


def test_bufferable_transfers_of_stm32h7() -> None:
    """RM0399, DMA_SxCR.TRBUFF: to be set for a UART."""
    code = """listen_to(RX, REQUEST_RX); R(RX, 4) = 4; R(RX, 8) = RDR; R(RX, 12) = BUFFER; CR(RX) = 0x400; CR(RX) |= 1;
        OUT[0] = on(RX);"""
    assert out(warns(ALL["STM32H7"], code, "serves USART2 without TRBUFF")) == 1


CACHE = """for (uint32_t s = 0; s < 128; s++) for (uint32_t w = 0; w < 4; w++) REG(0xe000ef60) = w << 30 | s << 5;
    __asm volatile("dsb"); REG(0xe000ed14) |= 1u << 16; """


CACHED = {"STM32F7": 0x20030000, "STM32H7": 0x24004000}


@pytest.mark.parametrize("name", CACHED)
def test_a_buffer_that_may_be_in_the_data_cache(name: str) -> None:
    """PM0253 4.8: contents are not modelled; the firmware is told, and goes on.  Tightly coupled memory is in front."""
    code = f"{CACHE} begin(RX, REQUEST_RX, RDR, {CACHED[name]:#x}, 4, 0); OUT[0] = on(RX);"
    assert out(warns(ALL[name], code, "while the data cache is on")) == 1
    if name == "STM32F7":
        finish(dma(ALL[name], f"{CACHE} begin(RX, REQUEST_RX, RDR, 0x20004000, 4, 0);"))
