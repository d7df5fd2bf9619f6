"""QUADSPI with the flash of five boards, driven by C in the order of ST's HAL (RM0351 17, RM0410 14, RM0399 24)."""

from __future__ import annotations

import pytest

from spboot.twin import Twin

from .conftest import finish, out
from .external import BOARDS, chip, package, quadspi, twin_of

WINDOW = 0x90000000


@pytest.mark.parametrize("name", BOARDS)
def test_a_chip_is_told_erased_programmed_and_read(name: str) -> None:
    """Identification, an erase, a page, the same by indirect reads and by the window; from a window code runs."""
    board = BOARDS[name]
    page = 256 * board.count
    twin = twin_of(
        name,
        quadspi(
            name,
            f"""q_read(0x9f | I1 | D1, 0, B, 3 * CHIPS); for (int i = 0; i < 3 * CHIPS; i++) OUT[i] = B[i];
            wipe(0x2000); for (int i = 0; i < {page}; i++) B[i] = i ^ 0x5a; B[4] = 0x2a; B[5] = 0x20; B[6] = 0x70;
            B[7] = 0x47; page(0x2000, {page}); for (int i = 0; i < {page}; i++) B[i] = 0;
            q_read(READ, 0x2000, B, {page}); OUT[6] = B[0] | B[1] << 8 | B[{page - 1}] << 24; map();
            OUT[7] = REG(0x90002000); OUT[8] = REG(0x90002000 + {page - 4}); OUT[9] = REG(0x90002000 + {page});
            OUT[10] = ((uint32_t (*)(void))0x90002005)(); OUT[11] = Q_SR;""",
        ),
    )
    finish(twin, 3)
    assert [out(twin, i) for i in range(3 * board.count)] == [byte for byte in board.id for _ in range(board.count)]
    last = page - 1 & 0xFF
    assert out(twin, 6) == 0x5A | 0x5B << 8 | (last ^ 0x5A) << 24
    assert out(twin, 7) == 0x59585B5A
    assert out(twin, 8) == int.from_bytes(bytes((byte & 0xFF) ^ 0x5A for byte in range(page - 4, page)), "little")
    assert out(twin, 9) == 0xFFFFFFFF
    assert out(twin, 10) == 42  # movs r0, #42; bx lr
    assert out(twin, 11) & 0x20
    assert [(op.kind, op.address, op.size) for op in twin.log] == [
        ("erase", WINDOW + 0x2000, 0x1000 * board.count),
        ("program", WINDOW + 0x2000, page),
    ]
    assert not twin.faults
    assert all(not each.misread for each in package(twin).chips)


@pytest.mark.parametrize("name", BOARDS)
def test_the_window_is_a_bus_fault_outside_of_memory_mapped_mode(name: str) -> None:
    """RM0351 17.3.6: before it, and after it; the load is the one that faults."""
    twin = twin_of(
        name,
        quadspi(
            name,
            "OUT[2] = 0; map(); OUT[1] = REG(0x90000000); unmap(); mpu(25); (void)REG(0x90000010);",
        )
        + "void hard(void) { OUT[2] = REG(0xe000ed28) >> 8 & 0xff; for (;;) {} }",
    )
    assert twin.run(until=lambda: out(twin, 2) == 0x82, seconds=3)  # PRECISERR, BFARVALID
    assert out(twin, 1) == 0xFFFFFFFF
    assert [fault.address for fault in twin.faults] == [0x90000010]


def test_flags_rise_when_the_bytes_have_passed() -> None:
    """At 4 MHz and a prescaler of 256 a clock of the lines is 64 us: RDID is 8 + 24 of them."""
    source = quadspi(
        "L476",
        """Q_CR = 255u << 24 | 1; q_idle(); OUT[0] = 1; Q_DLR = 2; Q_CCR = READ_MODE | 0x9f | I1 | D1; OUT[0] = 2;
        OUT[1] = Q_SR; while (!(Q_SR & TCF)) {} OUT[0] = 3; OUT[2] = Q_SR; OUT[3] = Q_DR; OUT[4] = Q_SR;
        OUT[5] = Q_DR; OUT[6] = Q_DR; OUT[7] = Q_SR;""",
    )
    twin = twin_of("L476", source)
    assert twin.run(until=lambda: out(twin) == 2)
    begin = twin.time
    assert twin.run(until=lambda: out(twin) == 3)
    assert twin.time - begin == pytest.approx(32 * 64e-6, rel=0.02)
    finish(twin)
    assert out(twin, 1) == 0x20
    assert out(twin, 2) == 3 << 8 | 0x20 | 4 | 2  # three bytes wait, and with them BUSY
    assert [out(twin, i) for i in (3, 5, 6)] == [0x20, 0xBA, 0x18]
    assert out(twin, 4) == 2 << 8 | 0x20 | 4 | 2
    assert out(twin, 7) == 2


def test_the_clock_stops_while_the_fifo_is_full() -> None:
    """RM0351 17.3.4: 16 bytes on STM32L4; the rest comes when there is room."""
    source = quadspi(
        "L476",
        """q_idle(); Q_CR |= 7u << 8; Q_DLR = 63; Q_CCR = READ_MODE | READ; Q_AR = 0;
        for (volatile int i = 0; i < 9999; i++) {} OUT[0] = Q_SR; for (int i = 0; i < 4; i++) OUT[1 + i] = Q_DR32;
        OUT[5] = Q_SR; while (!(Q_SR & FTF)) {} OUT[6] = Q_SR; for (int i = 0; i < 12; i++) {
            while (!(Q_SR & FTF)) {} OUT[7] = Q_DR32; } OUT[8] = Q_SR;""",
    )
    twin = twin_of("L476", source)
    package(twin).cells.put(WINDOW, bytes(range(64)))
    finish(twin)
    assert out(twin, 0) == 16 << 8 | 0x20 | 4
    assert out(twin, 1) == 0x03020100
    assert out(twin, 5) & 0x24 == 0x20
    assert out(twin, 6) == 8 << 8 | 0x20 | 4
    assert out(twin, 7) == 0x3F3E3D3C
    assert out(twin, 8) == 2


def test_polling_ends_with_the_operation() -> None:
    """17.3.5: SMF when the masked status matches, and APMS ends it; the chip takes its typical time."""
    twin = twin_of("L476", quadspi("L476", "enable(); q_command(ERASE, 0); OUT[0] = 1; ready(); OUT[0] = 2;"))
    assert twin.run(until=lambda: out(twin) == 1)
    begin = twin.time
    assert twin.run(until=lambda: out(twin) == 2)
    assert twin.time - begin == pytest.approx(0.25, abs=0.002)  # N25Q128A, a subsector
    finish(twin)


def test_maximal_times() -> None:
    """The same option as for internal flash."""
    twin = twin_of("L476", quadspi("L476", "enable(); q_command(ERASE, 0); OUT[0] = 1; ready(); OUT[0] = 2;"))
    twin.flash.ask(None)
    assert twin.run(until=lambda: out(twin) == 1)
    begin = twin.time
    assert twin.run(until=lambda: out(twin) == 2)
    assert twin.time - begin == pytest.approx(0.8, abs=0.002)


def test_interrupts() -> None:
    """17.5.1: TCIE; the handler clears the flag."""
    twin = twin_of(
        "L476",
        quadspi(
            "L476",
            """OUT[0] = 0; REG(0xe000e108) = 1u << 7; q_idle(); Q_CR |= 1u << 17; Q_CCR = 0x06 | I1;
            while (!OUT[0]) {} OUT[1] = Q_SR;""",
        )
        + "void irq(void) { OUT[0]++; Q_FCR = 2; }",
    )
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (1, 4)
    assert chip(twin).write_enabled


def test_an_address_beyond_the_flash_is_a_transfer_error() -> None:
    """17.5.3, TEF: the command is not sent."""
    twin = twin_of(
        "L476", quadspi("L476", "q_idle(); Q_DLR = 31; Q_CCR = READ_MODE | READ; Q_AR = 0xfffff0; OUT[0] = Q_SR;")
    )
    finish(twin)
    assert out(twin) == 1


def test_four_lines_where_no_bit_has_to_be_set() -> None:
    """Micron: 6B by four lines, EB with ten dummy clocks, in the window as well."""
    twin = twin_of(
        "F469",
        quadspi(
            "F469",
            """q_read(0x6b | I1 | A1 | D4 | DUMMY(8), 0x100, B, 4); OUT[0] = *(volatile uint32_t *)B;
            q_read(0xeb | I1 | A4 | D4 | DUMMY(10), 0x100, B, 4); OUT[1] = *(volatile uint32_t *)B;
            q_read(STATUS, 0, B, 1); q_idle(); Q_AR = 0; Q_CCR = MAPPED_MODE | 0xeb | I1 | A4 | D4 | DUMMY(10);
            OUT[2] = REG(0x90000100);""",
        ),
    )
    package(twin).cells.put(WINDOW + 0x100, bytes((1, 2, 3, 4)))
    finish(twin)
    assert [out(twin, i) for i in range(3)] == [0x04030201] * 3


def test_the_timeout_releases_the_chip() -> None:
    """17.3.6, TCEN and LPTR: BUSY falls and TOF rises some time after a read of the window, which works on."""
    twin = twin_of(
        "L476",
        quadspi(
            "L476",
            """Q_LPTR = 100; Q_CR |= 8; map(); OUT[0] = Q_SR & 0x30; (void)REG(0x90000000); OUT[1] = Q_SR & 0x30;
            while (Q_SR & Q_BUSY) {} OUT[2] = Q_SR & 0x30; OUT[3] = REG(0x90000004); OUT[4] = Q_SR & 0x30;""",
        ),
    )
    finish(twin)
    assert [out(twin, i) for i in range(5)] == [0, 0x20, 0x10, 0xFFFFFFFF, 0x30]


def test_a_reset_in_a_page_programs_the_bytes_that_were_sent() -> None:
    """The pins let go of the select line: the chip takes what it has for the whole page."""
    twin = twin_of(
        "L476",
        quadspi(
            "L476",
            """if (OUT[0] == 7) { OUT[0] = 8; for (;;) {} } OUT[0] = 7; on(); Q_CR = 255u << 24 | 1; enable(); q_idle();
            Q_DLR = 255; Q_CCR = PROGRAM; Q_AR = 0; for (int i = 0; i < 8; i++) Q_DR = 0x10 + i;
            while ((Q_SR >> 8 & 31) > 4) {} SCB_AIRCR = 0x05fa0004; for (;;) {}""",
            ready=False,
        ),
    )
    assert twin.run(until=lambda: out(twin) == 8)
    assert package(twin).cells.get(WINDOW, 9) == bytes((0x10, 0x11, 0x12, 0x13, *[0xFF] * 5))
    assert [(op.kind, op.size) for op in twin.log] == [("program", 4)]


def test_dma_reads_the_window() -> None:
    """From the window to RAM by DMA1 of STM32L4, channel 1, memory to memory."""
    twin = twin_of(
        "L476",
        quadspi(
            "L476",
            """RCC_AHB1ENR |= 1; (void)RCC_AHB1ENR; map(); REG(0x4002000c) = 4; REG(0x40020010) = 0x90000040;
            REG(0x40020014) = 0x20003000; REG(0x40020008) = 1 | 1u << 6 | 1u << 7 | 2u << 8 | 2u << 10 | 1u << 14;
            while (!(REG(0x40020000) & 2)) {} OUT[0] = REG(0x20003000); OUT[1] = REG(0x2000300c);""",
        ),
    )
    package(twin).cells.put(WINDOW + 0x40, bytes(range(16)))
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (0x03020100, 0x0F0E0D0C)


def _snapshots(twin: Twin) -> None:
    snapshot, ends = twin.snapshot(), []
    for _ in range(2):
        twin.restore(snapshot)
        finish(twin, 3)
        ends.append(([out(twin, i) for i in range(4)], twin.time, package(twin).cells.contents()))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("moment", [0.0001, 0.001, 0.3])
def test_a_snapshot_holds_it(moment: float) -> None:
    """In the middle of a command, of an erase, and of the window."""
    twin = twin_of(
        "L476",
        quadspi(
            "L476",
            """wipe(0); for (int i = 0; i < 256; i++) B[i] = i; page(0, 256); map(); OUT[0] = REG(0x90000004);
            for (volatile int i = 0; i < 999999; i++) {} OUT[1] = REG(0x90000008);""",
        ),
    )
    twin.run(seconds=moment)
    _snapshots(twin)
    assert (out(twin, 0), out(twin, 1)) == (0x07060504, 0x0B0A0908)
