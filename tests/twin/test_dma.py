"""USART2 by DMA on every family: what is moved, counted and told, and what nobody answers."""

from __future__ import annotations

import pytest

from spboot.twin import Twin
from tests.families import ALL, Facts

from .conftest import done, finish, out
from .dma import BY_FAMILY, UART, dma, held, ready, refuses_dma, send, warns

GO = "OUT[7] = 1; "
WAIT = f"{GO} for (;;) {{ OUT[0] = LEFT(RX); OUT[1] = flags(RX); OUT[2] = on(RX); OUT[3] = REG(STATUS); }}"
BYTES = bytes(range(0x41, 0x61))


def state(twin: Twin) -> tuple[int, int]:
    """How many items are left, and the flags: 1 complete, 2 half, 4 error."""
    return out(twin, 0), out(twin, 1)


@BY_FAMILY
def test_bytes_arrive_in_memory(facts: Facts) -> None:
    """RM0440 12.4.3, RM0090 10.3.2, RM0456 17.4.2: the counter counts down, half and complete are told, and a transfer
    that is done serves nobody: the next byte stays in RDR, and the one behind it is an overrun."""
    twin = ready(dma(facts, f"receive(8, 0); {WAIT}"))
    send(twin, BYTES[:3])
    assert (held(twin, facts, 4), state(twin)) == (BYTES[:3] + b"\0", (5, 0))
    send(twin, BYTES[3:4])
    assert state(twin) == (4, 2)
    send(twin, BYTES[4:8])
    assert (held(twin, facts, 9), state(twin)) == (BYTES[:8] + b"\0", (0, 3))
    assert out(twin, 2) == (1 if facts.dma["kind"] == "CHANNEL" else 0), "EN stays with channels alone"
    assert not out(twin, 3) & 0x20
    send(twin, BYTES[8:10])
    assert held(twin, facts, 9) == BYTES[:8] + b"\0"
    assert out(twin, 3) & 0x28 == 0x28
    assert twin.uart(UART).overruns == 1


@BY_FAMILY
def test_a_circular_buffer_begins_again(facts: Facts) -> None:
    """RM0440 12.4.5, RM0090 10.3.8, RM0456 17.4.13: the counter and the address are loaded again."""
    twin = ready(dma(facts, f"receive(8, CIRCULAR); {WAIT}"))
    send(twin, BYTES[:8])
    assert (held(twin, facts, 8), state(twin)[1]) == (BYTES[:8], 3)
    send(twin, BYTES[8:11])
    assert held(twin, facts, 9) == BYTES[8:11] + BYTES[3:8] + b"\0"
    assert out(twin, 0) == 5
    send(twin, BYTES[11:27])
    assert held(twin, facts, 8) == BYTES[24:27] + BYTES[19:24]
    assert not twin.uart(UART).lost


@BY_FAMILY
def test_half_and_complete_interrupt(facts: Facts) -> None:
    """Each of both, once for each round; clearing the flag lets the line go."""
    handler = """void irq(void) { uint32_t now = flags(RX); clear(RX); OUT[1] += now & TC; OUT[2] += now >> 1 & 1;
        OUT[3] |= flags(RX); OUT[0]++; }"""
    enable = "REG(0xe000e100 + 4 * (IRQ_RX / 32)) = 1u << IRQ_RX % 32;"
    twin = ready(dma(facts, f"{enable} receive(4, CIRCULAR | INTERRUPTS); {GO} for (;;) {{}}", handlers=handler))
    send(twin, BYTES[:12])
    assert [out(twin, i) for i in range(4)] == [6, 3, 3, 0]


@BY_FAMILY
def test_bytes_leave_memory(facts: Facts) -> None:
    """RM0440 12.4.3, RM0090 10.3.6: TXE asks; one behind the other, and TC of the UART comes behind the last."""
    code = """for (int i = 0; i < 8; i++) BYTE(BUFFER + i) = 'a' + i;
        transmit(BUFFER, 8, 0); while (!(flags(TX) & TC)) {} OUT[0] = LEFT(TX); OUT[1] = flags(TX);
        OUT[2] = REG(STATUS); while (!(REG(STATUS) & 0x40)) {}"""
    twin = dma(facts, code)
    finish(twin)
    assert twin.uart(UART).output == b"abcdefgh"
    assert (out(twin, 0), out(twin, 1)) == (0, 3)
    assert not out(twin, 2) & 0x40, "the last byte is still on its way"
    assert not twin.uart(UART).lost


@BY_FAMILY
def test_bytes_leave_flash(facts: Facts) -> None:
    """A constant may be sent from where it is."""
    code = """static const char text[] = "from flash"; transmit((uint32_t)text, 10, 0); while (!(flags(TX) & TC)) {}
        while (!(REG(STATUS) & 0x40)) {}"""
    twin = dma(facts, code)
    finish(twin)
    assert twin.uart(UART).output == b"from flash"


@BY_FAMILY
def test_sending_in_circles(facts: Facts) -> None:
    twin = ready(
        dma(facts, f"for (int i = 0; i < 3; i++) BYTE(BUFFER + i) = 'x' + i; transmit(BUFFER, 3, CIRCULAR); {GO}")
    )
    twin.run(until=lambda: len(twin.uart(UART).output) >= 8, seconds=0.1)
    assert twin.uart(UART).output == b"xyzxyzxy"


@BY_FAMILY
def test_who_asks_before_the_channel_is_enabled_is_served_then(facts: Facts) -> None:
    """A request is a level: a byte that waits in RDR is taken when the channel starts."""
    code = f"""REG(CR3_AT) |= 0x40; {GO} while (!(REG(STATUS) & 0x20)) {{}} begin(RX, REQUEST_RX, RDR, BUFFER, 4, 0);
        OUT[0] = LEFT(RX); OUT[1] = REG(STATUS) & 0x20;"""
    twin = ready(dma(facts, code))
    send(twin, b"q")
    assert done(twin)
    assert (out(twin, 0), out(twin, 1), held(twin, facts, 1)) == (3, 0, b"q")


@BY_FAMILY
def test_without_dmar_nobody_asks(facts: Facts) -> None:
    """USART_CR3.DMAR; DMAT is for the other way."""
    twin = ready(dma(facts, f"begin(RX, REQUEST_RX, RDR, BUFFER, 4, 0); REG(CR3_AT) = 0x80; {WAIT}"))
    send(twin, b"q")
    assert (out(twin, 0), out(twin, 3) & 0x20, held(twin, facts, 1)) == (4, 0x20, b"\0")


@BY_FAMILY
def test_a_channel_listens_to_the_request_that_it_was_given(facts: Facts) -> None:
    """Its number is of another block, or of the other signal: nothing comes."""
    for number in (1, facts.dma["request"][0] + 9) if facts.dma["kind"] == "GPDMA" or facts.dma["mux"] else (1, 7):
        code = f"begin(RX, {number}, RDR, BUFFER, 4, 0); REG(CR3_AT) |= 0x40; {WAIT}"
        twin = ready(dma(facts, code))
        send(twin, b"q")
        assert (out(twin, 0), out(twin, 3) & 0x20, held(twin, facts, 1)) == (4, 0x20, b"\0")


@BY_FAMILY
def test_no_clock_no_service(facts: Facts) -> None:
    """The clock of DMA is off: its registers are not there, and it moves nothing."""
    off = facts.dma["clock"].replace("|=", "&= ~(").replace(";", ");")
    refuses_dma(facts, f"{off} OUT[0] = LEFT(RX);", f"(CH|ST).*accessed while the clock of {name_of(facts)} is off")
    twin = ready(dma(facts, f"receive(4, 0); {off} {GO} for (;;) OUT[3] = REG(STATUS);"))
    send(twin, b"q")
    assert (out(twin, 3) & 0x20, held(twin, facts, 1)) == (0x20, b"\0")


def name_of(facts: Facts) -> str:
    return "GPDMA1" if facts.dma["kind"] == "GPDMA" else "DMA1"


@BY_FAMILY
def test_memory_that_is_not_there_is_a_transfer_error(facts: Facts) -> None:
    """RM0440 12.4.7, RM0090 10.3.18, RM0456 17.4.16: the flag, and the channel is off; strict code is told."""
    code = f"begin(RX, REQUEST_RX, RDR, 0x2fff0000, 4, INTERRUPTS); REG(CR3_AT) |= 0x40; {WAIT}"
    enable = "REG(0xe000e100 + 4 * (IRQ_RX / 32)) = 1u << IRQ_RX % 32;"
    handler = "void irq(void) { OUT[4]++; OUT[5] = flags(RX); clear(RX); }"
    twin = ready(dma(facts, enable + code, handlers=handler, strict=False))
    send(twin, b"q")
    assert (out(twin, 4), out(twin, 5), out(twin, 2)) == (1, 4, 0)
    assert any("0x2fff0000" in warning for warning in twin.warnings), twin.warnings


@BY_FAMILY
def test_a_reset_stops_it(facts: Facts) -> None:
    twin = ready(dma(facts, f"receive(8, CIRCULAR); {WAIT}"))
    send(twin, b"ab")
    twin.reset()
    twin.run(instructions=1)
    assert all(not block.registers.get(name) for block in twin.blocks.values() for name in ("CH0_CR", "ST5_CR"))
    send(twin, b"c", seconds=0)
    assert held(twin, facts, 3) != b"abc"


@BY_FAMILY
def test_a_snapshot_in_the_middle(facts: Facts) -> None:
    """Counter, address and flags come back."""
    twin = ready(dma(facts, f"receive(8, CIRCULAR); {WAIT}"))
    send(twin, BYTES[:3])
    taken = twin.snapshot()
    send(twin, BYTES[3:10])
    after = held(twin, facts, 8)
    twin.restore(taken)
    assert held(twin, facts, 8) == BYTES[:3] + bytes(5)
    send(twin, BYTES[3:10])
    assert held(twin, facts, 8) == after


@BY_FAMILY
def test_it_goes_on_in_sleep_and_waits_in_stop(facts: Facts) -> None:
    """PWR, effect of low-power modes: in Sleep DMA has its clock, in Stop nothing is taken and the UART is deaf."""
    twin = ready(dma(facts, f'receive(8, CIRCULAR); {GO} __asm volatile("wfi");'))
    send(twin, b"ab")
    assert held(twin, facts, 3) == b"ab\0"
    deep = dma(facts, f'receive(8, CIRCULAR); REG(0xe000ed10) = 4; {GO} __asm volatile("wfi");')
    assert deep.run(until=lambda: deep.in_stop, seconds=1)
    send(deep, b"ab")
    assert held(deep, facts, 3) == bytes(3)
    assert deep.uart(UART).lost == [f"received byte {byte:#04x} lost: the chip is in Stop" for byte in b"ab"]


@BY_FAMILY
def test_code_that_dma_wrote_runs(facts: Facts) -> None:
    """Instructions that the core ran before and that DMA replaced since."""
    code = """for (int i = 0; i < 4; i++) BYTE(BUFFER + i) = i < 1 ? 5 : i < 2 ? 0x20 : i < 3 ? 0x70 : 0x47;
        __asm volatile("dsb\\n\\tisb"); OUT[0] = ((uint32_t (*)(void))(BUFFER | 1))();
        receive(4, 0); OUT[7] = 1; while (!(flags(RX) & TC)) {} OUT[1] = ((uint32_t (*)(void))(BUFFER | 1))();"""
    twin = ready(dma(facts, code))
    send(twin, bytes([9, 0x20, 0x70, 0x47]))
    assert (out(twin, 0), out(twin, 1)) == (5, 9)


@BY_FAMILY
def test_registers_of_a_channel_that_is_enabled(facts: Facts) -> None:
    """RM0440 12.6.4, RM0090 10.5.6, RM0456 GPDMA_CxBR1: the number is not taken."""
    number = "R(RX, 0x48) = 2;" if facts.dma["kind"] == "GPDMA" else "LEFT(RX) = 2;"
    twin = warns(facts, f"receive(8, 0); {number} OUT[0] = LEFT(RX);", "is enabled")
    assert out(twin, 0) == 8


@BY_FAMILY
def test_two_channels_for_one_request(facts: Facts) -> None:
    """RM0451 10.3.2, RM0440 13.4.4, a caution: unpredictable.  Streams of STM32F4 and F7 have one choice."""
    if facts.dma["kind"] != "GPDMA" and not facts.dma["mux"]:
        pytest.skip("USART2_RX is wired to one channel")
    code = f"receive(4, 0); begin(RX + 3, REQUEST_RX, RDR, BUFFER + 64, 4, 0); {GO} for (volatile int i = 0;; i++) {{}}"
    twin = ready(dma(facts, code))
    with pytest.raises(Exception, match="both listen to USART2 RX"):
        send(twin, b"q")


@BY_FAMILY
def test_the_wrong_way(facts: Facts) -> None:
    """A channel that sends was given the request to receive, which would stay up for ever."""
    twin = ready(dma(facts, f"begin(TX, REQUEST_RX, TDR, BUFFER, 4, 0); REG(CR3_AT) |= 0x40; {WAIT}"))
    if facts.dma["kind"] != "GPDMA" and not facts.dma["mux"]:
        send(twin, b"q")
        assert out(twin, 3) & 0x20
        return
    with pytest.raises(Exception, match="moves data the wrong way for USART2 RX"):
        send(twin, b"q")


@BY_FAMILY
def test_firmware_that_looks_at_the_buffer_alone(facts: Facts) -> None:
    """No interrupt and no register: it waits for what DMA writes, and the twin skips the time until then."""
    code = f"receive(4, 0); {GO} while (BYTE(BUFFER) != 'q') {{}} OUT[0] = 7;"
    twin = ready(dma(facts, code))
    twin.run(seconds=0.5)
    before = twin.instructions
    twin.run(seconds=2)
    assert twin.instructions - before < 2 * facts.timer["hertz"] / 10
    send(twin, b"q")
    assert done(twin)
    assert out(twin) == 7


@pytest.mark.parametrize(("name", "alias"), [("STM32F7", 0x00200000), ("STM32L4", 0x00000000)])
def test_flash_where_the_core_alone_sees_it(name: str, alias: int) -> None:
    """RM0410 2.1: the side of the ITCM is the core's.  What is mapped to address 0 is seen there by the core alone; no
    section says so, users of STM32L4 have met the error."""
    facts = ALL[name]
    twin = dma(
        facts, f"begin(TX, REQUEST_TX, TDR, {alias:#x}, 4, 0); REG(CR3_AT) |= 0x80; OUT[0] = flags(TX);", strict=False
    )
    twin.run(seconds=0.01)
    assert out(twin) & 4
    assert not twin.uart(UART).output
