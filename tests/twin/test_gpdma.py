"""GPDMA: lists, widths, suspension, errors and misuse.  Sections are those of RM0456 17, as in RM0481 16."""

from __future__ import annotations

import pytest

from tests.families import Facts

from .conftest import done, finish, out
from .dma import UART, dma, held, of_kind, ready, refuses_dma, send, warns

BY_FAMILY = of_kind("GPDMA")
FILL = "for (int i = 0; i < 32; i++) BYTE(BUFFER + i) = 0xa1 + i; "
SPIN = "for (volatile int i = 0; i < 200; i++) {}"
SWREQ = "R(RX, 0x44) = 1u << 9; "
WATCH = "OUT[7] = 1; for (;;) { OUT[0] = LEFT(RX); OUT[1] = R(RX, 0x10); OUT[2] = on(RX); }"


def copy(number: int, tr1: int, source: str = "BUFFER", to: str = "BUFFER + 64") -> str:
    return f"""{FILL} R(RX, 0x40) = {tr1:#x}; {SWREQ} R(RX, 0x48) = {number}; R(RX, 0x4c) = {source};
        R(RX, 0x50) = {to}; R(RX, 0x7c) = 0; CR(RX) = 1;"""


@BY_FAMILY
def test_memory_to_memory(facts: Facts) -> None:
    """17.4.2: SWREQ; addresses and counter move on, and the channel goes off by itself."""
    code = f"""{copy(20, 0x80008)} OUT[0] = LEFT(RX); {SPIN} OUT[1] = LEFT(RX); OUT[2] = R(RX, 0x10); OUT[3] = on(RX);
        OUT[4] = R(RX, 0x4c) - BUFFER; OUT[5] = R(RX, 0x50) - BUFFER;"""
    twin = dma(facts, code)
    finish(twin)
    assert 15 <= out(twin, 0) <= 20
    assert [out(twin, i) for i in (1, 2, 3, 4, 5)] == [0, 0x301, 0, 20, 84]
    assert held(twin, facts, 96)[64:] == bytes(range(0xA1, 0xB5)) + bytes(12)


WIDTHS = {
    "byte-to-word": (0x0, 2, 0, "a1000000a2000000a3000000a4000000"),
    "byte-to-word-signed": (0x0, 2, 1, "a1ffffffa2ffffffa3ffffffa4ffffff"),
    "byte-to-word-packed": (0x0, 2, 2, "a1a2a3a4"),
    "word-to-byte": (0x2, 0, 0, "a1"),
    "word-to-byte-left": (0x2, 0, 1, "a4"),
    "word-to-byte-unpacked": (0x2, 0, 2, "a1a2a3a4"),
    "half-to-half": (0x1, 1, 0, "a1a2a3a4"),
}


@BY_FAMILY
@pytest.mark.parametrize(("wide", "narrow", "how", "result"), WIDTHS.values(), ids=WIDTHS)
def test_widths(facts: Facts, wide: int, narrow: int, how: int, result: str) -> None:
    """GPDMA_CxTR1.PAM: four bytes of the source."""
    twin = dma(facts, f"{copy(4, 0x80008 | wide | narrow << 16 | how << 11)} {SPIN} {SPIN}")
    finish(twin)
    assert held(twin, facts, 96)[64:].hex() == result.ljust(64, "0")


LIST = """uint32_t *item = (uint32_t *)(BUFFER + 0x900);
    uint32_t more = 0xf8010000u | ((uint32_t)(item + 8) & 0xfffc);
    uint32_t first[6] = {{1u << 19, REQUEST_RX | TCEM << 30, 2, RDR, BUFFER, more}};
    uint32_t second[6] = {{1u << 19, REQUEST_RX | TCEM << 30, 3, RDR, BUFFER + 16, 0}};
    for (int i = 0; i < 6; i++) {{ item[i] = first[i]; item[8 + i] = second[i]; }}
    R(RX, 0) = (uint32_t)item & 0xffff0000u; R(RX, 0x48) = 0;
    R(RX, 0x7c) = 0xf8010000u | ((uint32_t)item & 0xfffc); CR(RX) = 1; REG(CR3_AT) |= 0x40; {watch}"""


@BY_FAMILY
@pytest.mark.parametrize(("level", "after_first"), [(0, 0x300), (2, 0x300), (3, 0)])
def test_a_list_of_two(facts: Facts, level: int, after_first: int) -> None:
    """17.4.6 and TCEM (GPDMA_CxTR2): each block is told, or the last one alone."""
    code = LIST.format(watch=WATCH).replace("TCEM", f"{level}u")
    twin = ready(dma(facts, code))
    send(twin, b"ab")
    assert (out(twin, 0), out(twin, 1) & 0x7F00, out(twin, 2)) == (3, after_first, 1)
    send(twin, b"cde")
    assert (out(twin, 0), out(twin, 1) & 0x7F01, out(twin, 2)) == (0, 0x301, 0)
    assert held(twin, facts, 20) == b"ab".ljust(16, b"\0") + b"cde\0"


@BY_FAMILY
def test_a_link_to_nowhere(facts: Facts) -> None:
    """17.4.16: ULEF."""
    code = (
        f"R(RX, 0) = 0x2fff0000; R(RX, 0x7c) = 0xf8010000u; CR(RX) = 1; OUT[0] = R(RX, 0x10); OUT[1] = on(RX); {SPIN}"
    )
    twin = warns(facts, code, "stops with ULEF")
    assert (out(twin, 0), out(twin, 1)) == (0x801, 0)


WRONG = {
    "nothing": copy(0, 0x80008),
    "a-part": copy(6, 0xA000A),
    "source": copy(8, 0x90009, source="BUFFER + 1"),
    "target": copy(8, 0x90009, to="BUFFER + 65"),
    "width": copy(8, 0xB000B),
    "packed": copy(6, 0x80008 | 2 << 16 | 2 << 11),
}


@BY_FAMILY
@pytest.mark.parametrize("code", WRONG.values(), ids=WRONG)
def test_user_setting_errors(facts: Facts, code: str) -> None:
    """17.4.16: USEF, and the channel is off."""
    twin = warns(facts, f"{code} OUT[0] = R(RX, 0x10); OUT[1] = on(RX);", "stops with USEF")
    assert (out(twin, 0), out(twin, 1)) == (0x1001, 0)


@BY_FAMILY
def test_enabled_it_stays_so(facts: Facts) -> None:
    """GPDMA_CxCR: EN is cleared by hardware; what runs is suspended, goes on, and is reset in suspension."""
    code = """receive(8, 0); CR(RX) = 0; OUT[0] = on(RX); CR(RX) = 4; OUT[1] = R(RX, 0x10); OUT[7] = 1;
        while (!(REG(STATUS) & 0x20)) {} OUT[2] = LEFT(RX); CR(RX) = 0; OUT[3] = LEFT(RX); CR(RX) = 4; CR(RX) = 6;
        OUT[4] = on(RX); OUT[5] = R(RX, 0x10);"""
    twin = ready(dma(facts, code))
    send(twin, b"q")
    assert done(twin)
    assert [out(twin, i) for i in range(6)] == [1, 0x2001, 8, 7, 0, 0x2001]
    assert held(twin, facts, 2) == b"q\0"


@BY_FAMILY
def test_masked_status(facts: Facts) -> None:
    """GPDMA_MISR: a bit for each channel that interrupts."""
    twin = dma(
        facts, f"CR(RX) = 0x100; {copy(4, 0x80008).replace('CR(RX) = 1', 'CR(RX) |= 1')} {SPIN} OUT[0] = REG(DMA + 12);"
    )
    finish(twin)
    assert out(twin) == 1 << facts.dma["channel"][0]


REFUSED = {
    "trigger": ("R(RX, 0x44) = 1u << 24 | REQUEST_RX; R(RX, 0x48) = 1; CR(RX) = 1;", "TRIGPOL"),
    "repeated": ("R(RX, 0x44) = REQUEST_RX; R(RX, 0x48) = 1 | 1u << 16; CR(RX) = 1;", "BRC|BNDT"),
    "two-dimensions": ("R(RX, 0x44) = REQUEST_RX; R(RX, 0x48) = 1; R(RX, 0x54) = 1; CR(RX) = 1;", "2D addressing"),
    "secure": ("REG(DMA) = 1;", "secure"),
    "burst": ("R(RX, 0x40) = 1u << 4; R(RX, 0x44) = REQUEST_RX; R(RX, 0x48) = 4; CR(RX) = 1;", "bursts"),
    "step": ("R(RX, 0x44) = REQUEST_RX; R(RX, 0x48) = 4; R(RX, 0x7c) = 0xf8010000u; CR(RX) = 1u << 16 | 1;", "LSM"),
    "no-link": ("R(RX, 0) = BUFFER & 0xffff0000u; R(RX, 0x7c) = 0x20000000u; CR(RX) = 1;", "set ULL"),
}


@BY_FAMILY
@pytest.mark.parametrize(("code", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(facts: Facts, code: str, message: str) -> None:
    refuses_dma(facts, code, message)


WARNED = {
    "reset-while-active": ("receive(8, 0); CR(RX) = 2; OUT[0] = on(RX);", "was reset while it is active", 0),
    "priority": ("receive(8, 0); CR(RX) = 3u << 22; OUT[0] = CR(RX);", "was changed while the channel is enabled", 1),
    "address": ("receive(8, 0); R(RX, 0x50) = 8; OUT[0] = R(RX, 0x50) - BUFFER;", "DAR written while GPDMA1", 0),
    "status": ("R(RX, 0x10) = 1; OUT[0] = R(RX, 0x10);", "SR is read-only", 1),
}


@BY_FAMILY
@pytest.mark.parametrize(("code", "message", "result"), WARNED.values(), ids=WARNED)
def test_borne(facts: Facts, code: str, message: str, result: int) -> None:
    assert out(warns(facts, code, message)) == result


@BY_FAMILY
def test_a_circle_without_loss(facts: Facts) -> None:
    """17.4.13: a list of one item that leads to itself; its registers are loaded each time."""
    twin = ready(dma(facts, f"receive(5, CIRCULAR); {WATCH}"))
    send(twin, bytes(range(98)))
    assert held(twin, facts, 5) == bytes([95, 96, 97, 93, 94])
    assert out(twin, 0) == 2
    assert not twin.uart(UART).lost
