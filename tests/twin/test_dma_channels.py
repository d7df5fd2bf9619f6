"""DMA with channels, and the multiplexer: copies, widths, flags and misuse.  Sections are those of RM0440."""

from __future__ import annotations

import pytest

from tests.families import ALL, Facts

from .conftest import done, finish, out
from .dma import UART, dma, held, of_kind, ready, refuses_dma, send, warns

BY_FAMILY = of_kind("CHANNEL")
MUXED = pytest.mark.parametrize("name", ["STM32G0", "STM32G4", "STM32L4+", "STM32L5", "STM32WL"])
FILL = "for (int i = 0; i < 32; i++) BYTE(BUFFER + i) = 0xa1 + i; "
COPY = FILL + "R(RX, 8) = BUFFER; R(RX, 12) = BUFFER + 64; "
SPIN = "for (volatile int i = 0; i < 200; i++) {}"


@BY_FAMILY
def test_memory_to_memory(facts: Facts) -> None:
    """12.4.5: MEM2MEM asks for nothing; the peripheral address is the source.  The counter can be watched."""
    code = f"""{COPY} R(RX, 4) = 20; CR(RX) = 0x40c1; OUT[0] = LEFT(RX); {SPIN} OUT[1] = LEFT(RX); OUT[2] = flags(RX);
        OUT[3] = on(RX);"""
    twin = dma(facts, code)
    finish(twin)
    assert 15 <= out(twin, 0) <= 20
    assert [out(twin, i) for i in (1, 2, 3)] == [0, 3, 1]
    assert held(twin, facts, 96)[64:] == bytes(range(0xA1, 0xB5)) + bytes(12)


@BY_FAMILY
def test_the_other_direction(facts: Facts) -> None:
    """12.6.3: with DIR the memory address is the source."""
    twin = dma(facts, f"{FILL} R(RX, 12) = BUFFER; R(RX, 8) = BUFFER + 64; R(RX, 4) = 4; CR(RX) = 0x40d1; {SPIN}")
    finish(twin)
    assert held(twin, facts, 72)[64:] == bytes.fromhex("a1a2a3a400000000")


WIDTHS = {
    (0, 0): "a1a2a3a4",
    (0, 1): "a100a200a300a400",
    (0, 2): "a1000000a2000000a3000000a4000000",
    (1, 0): "a1a3a5a7",
    (1, 1): "a1a2a3a4a5a6a7a8",
    (1, 2): "a1a20000a3a40000a5a60000a7a80000",
    (2, 0): "a1a5a9ad",
    (2, 1): "a1a2a5a6a9aaadae",
    (2, 2): "a1a2a3a4a5a6a7a8a9aaabacadaeafb0",
}
"""PSIZE and MSIZE -> what four items become (12.4.6, table of programmable widths)."""


@BY_FAMILY
@pytest.mark.parametrize("sizes", WIDTHS, ids=str)
def test_widths(facts: Facts, sizes: tuple[int, int]) -> None:
    control = 0x40C1 | sizes[0] << 8 | sizes[1] << 10
    twin = dma(facts, f"{COPY} R(RX, 4) = 4; CR(RX) = {control:#x}; {SPIN}")
    finish(twin)
    assert held(twin, facts, 96)[64:].hex() == WIDTHS[sizes].ljust(64, "0")


@BY_FAMILY
def test_nothing_to_move(facts: Facts) -> None:
    """12.6.4: with 0 items no request is served, whatever the state of the channel."""
    twin = ready(dma(facts, "receive(0, CIRCULAR); OUT[7] = 1; for (;;) { OUT[0] = on(RX); OUT[3] = REG(STATUS); }"))
    send(twin, b"q")
    assert (out(twin, 0), out(twin, 3) & 0x20, held(twin, facts, 1)) == (1, 0x20, b"\0")


@BY_FAMILY
def test_each_flag_is_cleared_by_itself(facts: Facts) -> None:
    """12.6.1, 12.6.2: the global flag goes with the last of them, and clears all."""
    at = facts.dma["channel"][0]
    code = f"""{COPY} R(RX, 4) = 8; CR(RX) = 0x40c1; {SPIN} uint32_t by = 4 * ({at} - 1); OUT[0] = REG(DMA) >> by & 15;
        REG(DMA + 4) = 2u << by; OUT[1] = REG(DMA) >> by & 15; REG(DMA + 4) = 4u << by; OUT[2] = REG(DMA) >> by & 15;
        CR(RX) = 0x40c0; R(RX, 4) = 8; CR(RX) = 0x40c1; {SPIN} REG(DMA + 4) = 1u << by; OUT[3] = REG(DMA) >> by & 15;"""
    twin = dma(facts, code)
    finish(twin)
    assert [out(twin, i) for i in range(4)] == [7, 5, 0, 0]


@BY_FAMILY
def test_after_an_error_it_stays_off_until_the_flag_is_cleared(facts: Facts) -> None:
    """12.4.5, 12.6.3."""
    code = f"""{COPY} R(RX, 8) = 0x2fff0000; R(RX, 4) = 4; CR(RX) = 0x40c1; {SPIN} OUT[0] = flags(RX); OUT[1] = on(RX);
        R(RX, 8) = BUFFER; R(RX, 4) = 4; CR(RX) |= 1; OUT[2] = on(RX); clear(RX);
        CR(RX) |= 1; OUT[3] = on(RX); {SPIN}"""
    twin = dma(facts, code, strict=False)
    finish(twin)
    assert [out(twin, i) for i in range(4)] == [4, 0, 0, 1]
    assert held(twin, facts, 68)[64:] == bytes.fromhex("a1a2a3a4")


WRONG = {
    "circle-of-memory": (f"{COPY} R(RX, 4) = 4; CR(RX) = 0x40e1;", "with MEM2MEM and CIRC"),
    "size-3": (f"{COPY} R(RX, 4) = 4; CR(RX) = 0x43c1;", "with a reserved size"),
    "address": ("receive(8, 0); R(RX, 12) = BUFFER + 8;", "MAR written while DMA1 channel . is enabled"),
    "double-buffer": ("CR(RX) = 1u << 15;", "double buffers"),
    "read-only": ("REG(DMA) = 1;", "ISR is read-only"),
    "flash": (f"{COPY} R(RX, 12) = 0x08010000; R(RX, 4) = 1; CR(RX) = 0x40c1; {SPIN}", "does not model DMA into flash"),
    "system-memory": (f"{COPY} R(RX, 8) = 0x1fff7590; R(RX, 4) = 1; CR(RX) = 0x40c1; {SPIN}", "accesses 0x1fff7590"),
    "a-block-without-clock": (
        f"{COPY} R(RX, 8) = {{off}}; R(RX, 4) = 1; CR(RX) = 0x4081; {SPIN}",
        "accessed while the clock of USART1 is off",
    ),
    "another-register": ("begin(TX, REQUEST_TX, RDR, BUFFER, 4, 0); REG(CR3_AT) |= 0x80;", "RDR is read-only|another"),
}


@BY_FAMILY
@pytest.mark.parametrize(("code", "message"), WRONG.values(), ids=WRONG)
def test_refused(facts: Facts, code: str, message: str) -> None:
    refuses_dma(facts, code.replace("{off}", "0x40013800"), message)


WARNED = {
    "changed": ("receive(8, 0); CR(RX) |= 0x20; OUT[0] = CR(RX);", "was changed while DMA1 channel", 0x81),
    "resumed": ("receive(8, 0); end(RX); CR(RX) |= 1; OUT[0] = CR(RX);", "enabled again with 8 items left", 0x81),
    "unaligned": (
        f"{COPY} R(RX, 12) |= 1; R(RX, 4) = 2; CR(RX) = 0x45c1; {SPIN} OUT[0] = REG(BUFFER + 64);",
        "an address that is not aligned",
        0xA4A3A2A1,
    ),
}


@BY_FAMILY
@pytest.mark.parametrize(("code", "message", "result"), WARNED.values(), ids=WARNED)
def test_borne(facts: Facts, code: str, message: str, result: int) -> None:
    """What silicon goes on with: 12.6.3, 12.4.5, 12.6.5."""
    assert out(warns(facts, code, message)) == result


@BY_FAMILY
def test_interrupts_are_switched_while_it_runs(facts: Facts) -> None:
    """As the vendor's drivers do."""
    twin = dma(facts, "receive(8, INTERRUPTS); CR(RX) &= ~4u; OUT[0] = CR(RX);")
    finish(twin)
    assert out(twin) == 0x8B


# the multiplexer


@MUXED
def test_a_multiplexer_without_clock(name: str) -> None:
    """Its registers are not there, and nothing gets through; on STM32G0 it has that of DMA (RM0444, RCC_AHBENR)."""
    facts = ALL[name]
    if name == "STM32G0":
        off = facts.dma["clock"].replace("|= 1", "&= ~1")
        refuses_dma(facts, f"{off} REG(DMAMUX) = 1;", "CCR0 accessed while the clock of DMAMUX1 is off")
        return
    off = facts.dma["clock"].replace("|= 5", "&= ~4")
    refuses_dma(facts, f"{off} REG(DMAMUX) = 1;", "CCR0 accessed while the clock of DMAMUX1 is off")
    twin = ready(dma(facts, f"receive(4, 0); {off} CR(RX) &= ~1; LEFT(RX) = 4; CR(RX) |= 1; OUT[7] = 1;"))
    send(twin, b"q")
    assert held(twin, facts, 1) == b"\0"


@MUXED
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("REG(DMAMUX) = 1u << 16;", "CCR0.SE was set"),
        ("REG(DMAMUX) = 1u << 9;", "CCR0.EGE was set"),
        ("REG(DMAMUX + 0x100) = 1u << 16;", "RGCR0.GE was set"),
        ("REG(DMAMUX + 0x80) = 1;", "CSR is read-only"),
    ],
)
def test_what_the_multiplexer_refuses(name: str, code: str, message: str) -> None:
    refuses_dma(ALL[name], code, message)


@MUXED
def test_reserved_bits_of_the_multiplexer(name: str) -> None:
    """13.6.1, 13.6.4: what is beside the fields is kept at 0."""
    assert out(warns(ALL[name], "REG(DMAMUX) = 1u << 10 | 5; OUT[0] = REG(DMAMUX);", "CCR0: reserved bits 0x400")) == 5
    twin = warns(ALL[name], "REG(DMAMUX + 0x100) = 1u << 9 | 3; OUT[0] = REG(DMAMUX + 0x100);", "RGCR0: reserved bits")
    assert out(twin) == 3


@MUXED
def test_flags_of_the_multiplexer_are_cleared_not_kept(name: str) -> None:
    """13.6.3, 13.6.6: CFR and RGCFR are written only."""
    clear = "REG(DMAMUX + 0x84) = 1; REG(DMAMUX + 0x144) = 1; OUT[0] = REG(DMAMUX + 0x84) | REG(DMAMUX + 0x144);"
    twin = dma(ALL[name], clear)
    finish(twin)
    assert out(twin) == 0


@pytest.mark.parametrize("name", ["STM32G0", "STM32G4", "STM32L4+", "STM32WL"])
def test_four_generators(name: str) -> None:
    """RM0444 11.2, RM0432 12.3.1, RM0453 14.3.1, the header of G4; STM32H7 has eight (RM0399 18.3.1)."""
    finish(dma(ALL[name], "REG(DMAMUX + 0x10c) = 1;"))
    refuses_dma(ALL[name], "REG(DMAMUX + 0x110) = 1;", "DMAMUX1 has no register at offset 0x110")
    finish(dma(ALL["STM32H7"], "REG(DMAMUX + 0x11c) = 1;"))


@MUXED
def test_a_request_that_is_not_routed_reaches_no_channel(name: str) -> None:
    """13.4.4: as a reset leaves it, DMAREQ_ID is 0 and no request is chosen; then the one that waits is served."""
    facts = ALL[name]
    code = """begin(RX, 0, RDR, BUFFER, 4, 0); REG(CR3_AT) |= 0x40; OUT[7] = 1; while (!(REG(STATUS) & 0x20)) {}
        OUT[0] = LEFT(RX); REG(DMAMUX + 4 * (RX - 1)) = REQUEST_RX; OUT[1] = LEFT(RX);"""
    twin = ready(dma(facts, code))
    send(twin, b"q")
    assert done(twin)
    assert (out(twin, 0), out(twin, 1), held(twin, facts, 2)) == (4, 3, b"q\0")


@MUXED
def test_dma_that_has_a_multiplexer_has_no_selection_register(name: str) -> None:
    """CSELR is that of STM32L0 and L4 (RM0351 11.6.7)."""
    refuses_dma(ALL[name], "REG(DMA + 0xa8) = 0;", "DMA1 has no register at offset 0xa8")


@pytest.mark.parametrize(
    ("name", "place"), [("STM32G0", 7), ("STM32G4", 8), ("STM32L4+", 7), ("STM32L5", 8), ("STM32WL", 7)]
)
def test_the_channels_of_dma2_follow_those_of_dma1(name: str, place: int) -> None:
    """13.3.2, RM0444 11.3.2, RM0432, RM0438, RM0453 14.3.2: DMAMUX channel -> DMA2 channel 1."""
    facts = ALL[name]
    clock = facts.dma["clock"].replace("|= 1", "|= 3").replace("|= 5", "|= 7")
    code = f"""{clock} REG(DMAMUX + 4 * {place}) = REQUEST_RX; REG(DMA + 0x40c) = 4; REG(DMA + 0x410) = RDR;
        REG(DMA + 0x414) = BUFFER; REG(DMA + 0x408) = 0x81; REG(CR3_AT) |= 0x40; OUT[7] = 1; for (;;) {{}}"""
    twin = ready(dma(facts, code))
    send(twin, b"qr")
    assert held(twin, facts, 3) == b"qr\0"


def test_all_of_lpuart_by_basic_dma_of_stm32h7() -> None:
    """RM0399 2.1.7, DMAMUX2: LPUART1_RX is request 9; BDMA reaches SRAM4 of domain 3, and nothing of domain 1."""
    facts = ALL["STM32H7"]
    lpuart = """REG(0x580244f4) |= 1u << 3; REG(0x580244e0) |= 1u << 21 | 3; (void)REG(0x580244e0);
        REG(0x58020000) = REG(0x58020000) & ~(15u << 18) | 10u << 18; REG(0x58020024) = 0x330;
        REG(0x58000c0c) = 256ull * 64000000 / 115200; REG(0x58000c00) = 0xd; REG(0x58025800) = 9;
        REG(0x5802540c) = 4; REG(0x58025410) = 0x58000c24; REG(0x58025414) = TARGET; REG(0x58025408) = 0x81;
        REG(0x58000c08) = 0x40; OUT[7] = 1; for (;;) OUT[0] = REG(0x58025400);"""
    for target, flags, bytes_ in (("0x38000100", 5, b"ab"), ("0x24000100", 9, b"\0\0")):
        twin = ready(dma(facts, lpuart.replace("TARGET", target), strict=False))
        twin.uart("LPUART1").send(b"ab")
        twin.run(seconds=0.001)
        assert twin.ram_read(int(target, 16), 2) == bytes_
        assert out(twin) == flags


def test_done_is_done() -> None:
    """12.4.5: without circular mode nothing comes behind the last item."""
    facts = ALL["STM32L4"]
    twin = ready(dma(facts, "receive(2, 0); OUT[7] = 1; while (!(flags(RX) & TC)) {} OUT[0] = LEFT(RX);"))
    send(twin, b"ab")
    assert done(twin)
    assert twin.uart(UART).overruns == 0
