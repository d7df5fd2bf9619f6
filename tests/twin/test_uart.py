"""The serial line, its time and its losses, and the pseudo-terminal."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from spboot.cli.twin import command
from spboot.errors import TwinError
from spboot.twin import PtyBridge, Twin
from spboot.twin.host import state
from spboot.twin.host.port import TwinPort

from .conftest import build, finish, firmware, out, twin_of

Make = Callable[[str], Twin]
ECHO = """void main_(void) { clock_80mhz(); console(80000000 / 115200);
    for (;;) { uint8_t c = get(); put((uint8_t)(c + 1)); } }"""
HANGS_S = 600
"""For a machine that hangs; one that is slow takes as long as it takes."""
posix = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")


def test_bytes_take_line_time(make: Make) -> None:
    """1000 bytes in, 1000 out, at 10 bits each and 115200 baud; both ways overlap."""
    twin = make(ECHO)
    twin.run(seconds=0.001)
    start = twin.time
    twin.uart("USART2").send(b"a" * 999 + b"y")
    assert twin.run(until=b"z")
    assert twin.time - start == pytest.approx(1001 * 10 / 115200, rel=0.01)
    assert twin.uart("USART2").output == b"b" * 999 + b"z"
    assert not twin.uart("USART2").lost


FRAMES = {"8N1": 0, "8N2": 0, "8E1": 1 << 12 | 1 << 10, "8O1": 1 << 12 | 3 << 9, "7E1": 1 << 10, "7N1": 1 << 28}
"""M1, M0, PCE and PS in CR1 (RM0351 40.8.1)."""


def framed(part: str, frame: str) -> Twin:
    """A twin whose console has *frame*, echoes eight bytes one higher, and keeps what it read in OUT."""
    other = ("USART3_CR1", "USART3_DR", "USART3_DR", "USART3_SR", 1 << 13, 16_000_000 // 115200)
    l4 = ("USART2_CR1", "USART2_RDR", "USART2_TDR", "USART2_ISR", 1, 35)
    control, data, out_, flag, ue, divider = other if part == "STM32F429ZI" else l4
    stop = "REG((uint32_t)&" + control + " + 4) = 2u << 12;" if frame[2] == "2" else ""
    source = f"""void main_(void) {{ console(DIVIDER); {control} &= ~{ue}u; {stop} {control} |= {FRAMES[frame]:#x};
        {control} |= {ue}u;
        for (int i = 0; i < 8; i++) {{ OUT[i] = read();
            while (!({flag} & 128)) {{}} {out_} = OUT[i] + 1 & 0xff; }} }}"""
    reader = f"static uint32_t read(void) {{ while (!({flag} & 32)) {{}} return {data}; }}\n"
    return twin_of(f"#define DIVIDER {divider}\n{reader}{source}", part)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("part", ["STM32L476RG", "STM32F429ZI"])
def test_other_frames(part: str, frame: str) -> None:
    """RM0351 40.5.9, 40.8.10, RM0090 30.6.2: the parity stands above the data as they are read, and in place of what is
    written there; a frame takes the time of its bits.  STM32F4 has no words of 7 bits (RM0090 30.6.4)."""
    if (part, frame) == ("STM32F429ZI", "7N1"):
        pytest.skip("no such words")
    twin = framed(part, frame)
    twin.run(seconds=0.001)
    uart = twin.uart("USART3" if part == "STM32F429ZI" else "USART2")
    uart.frame, start = frame, twin.time
    uart.send(b"01234567")
    assert twin.run(until=b"8")
    assert uart.output == b"12345678" and not uart.lost
    parity = [{"E": n.bit_count() & 1, "O": ~n.bit_count() & 1}.get(frame[1], 0) for n in b"01234567"]
    assert [out(twin, i) for i in range(8)] == [
        n | p << int(frame[0]) for n, p in zip(b"01234567", parity, strict=True)
    ]
    bits = 1 + int(frame[0]) + (frame[1] != "N") + int(frame[2])
    assert twin.time - start == pytest.approx(9 * bits / 115200, rel=0.02)


@pytest.mark.parametrize("frame", ["8N1", "8O1", "7E1"])
def test_a_frame_that_the_line_does_not_have_garbles(frame: str) -> None:
    twin = framed("STM32L476RG", "8E1")
    twin.run(seconds=0.001)
    twin.uart("USART2").frame = frame
    twin.uart("USART2").send(b"01234567")
    finish(twin)
    assert [out(twin, i) for i in range(8)] != list(b"01234567")
    assert f"8E, the line has 115200 {frame[:2]}" in twin.uart("USART2").lost[0]


def test_on_byte_sees_every_byte(make: Make) -> None:
    twin = make(ECHO)
    seen: list[int] = []
    twin.uart("USART2").on_byte.append(seen.append)
    twin.run(seconds=0.001)
    twin.uart("USART2").send(b"abc")
    twin.run(until=b"d")
    assert bytes(seen) == b"bcd"


def test_slow_firmware_overruns(make: Make) -> None:
    """RM0351 40.5.3: with RXNE set the next byte is lost and ORE set; ORE is cleared by ICR."""
    source = """void main_(void) { console(35); for (volatile int i = 0; i < 500; i++) {}
        OUT[0] = USART2_ISR; OUT[1] = USART2_RDR; OUT[2] = USART2_ISR; USART2_ICR = 8; OUT[3] = USART2_ISR; }"""
    twin = make(source)
    twin.uart("USART2").send(b"ABC")
    twin.run(instructions=1)
    finish(twin)
    assert [out(twin, i) & 0x28 for i in (0, 2, 3)] == [0x28, 8, 0]
    assert out(twin, 1) == ord("A")
    assert twin.uart("USART2").overruns == 2


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("for (;;) {}", "not enabled"),
        ("console(35); USART2_CR1 = 9; for (;;) {}", "not enabled"),
        ("console(35); GPIOA_MODER &= ~0xc0u; for (;;) {}", r"no RX pin; it may be .*PA3 \(AF7\)"),
    ],
)
def test_bytes_nobody_hears_are_lost_and_recorded(make: Make, code: str, why: str) -> None:
    twin = make(f"void main_(void) {{ {code} }}")
    twin.run(seconds=0.001)
    twin.uart("USART2").send(b"A")
    twin.run(seconds=0.01)
    assert len(twin.uart("USART2").lost) == 1
    assert re.search(why, twin.uart("USART2").lost[0])


@pytest.mark.parametrize(("divider", "garbled"), [(35, False), (36, True), (33, True), (70, True)])
def test_a_wrong_baud_rate_garbles(make: Make, divider: int, garbled: bool) -> None:
    """4 MHz / 35 is 0.8 % off, the others more than 2.5 %."""
    twin = make(f"void main_(void) {{ console({divider}); put('x'); put('y'); }}")
    twin.run(seconds=0.01)
    assert (twin.uart("USART2").output != b"xy") == garbled
    assert len(twin.uart("USART2").lost) == (2 if garbled else 0)


def test_busy_while_a_byte_comes(make: Make) -> None:
    """BUSY from the start bit to the stop bit, and only where the receiver is on (RM0351 40.8.8)."""
    busy = "for (;;) { OUT[0] = USART2_ISR; put(0x55); }"
    for off, flag in (("", 1 << 16), ("USART2_CR1 &= ~4u;", 0)):
        twin = make(f"void main_(void) {{ clock_80mhz(); console(80000000 / 115200); {off} {busy} }}")
        twin.run(seconds=0.001)
        assert not out(twin) & 1 << 16
        twin.uart("USART2").send(b"a" * 100)
        twin.run(seconds=0.004)
        assert out(twin) & 1 << 16 == flag
        twin.run(seconds=0.02)
        assert not out(twin) & 1 << 16


def test_receive_interrupt(make: Make) -> None:
    source = """
    void irq(void) { OUT[1] = USART2_RDR; OUT[0]++; }
    void main_(void) { OUT[0] = 0; console(35); USART2_CR1 |= 32; NVIC_ISER1 = 1u << 6;
        while (OUT[0] < 3) __asm volatile("wfi"); }"""
    twin = make(source)
    twin.run(seconds=0.001)
    twin.uart("USART2").send(b"xyz")
    finish(twin)
    assert out(twin, 1) == ord("z")


@pytest.mark.parametrize(
    ("part", "line", "control", "status", "irq", "alone"),
    [
        ("STM32F429ZI", "USART3", 0x40004814, "USART3_SR", 39, 0),
        ("STM32L476RG", "USART2", 0x40004408, "USART2_ISR", 38, 1),
    ],
)
def test_an_error_interrupts(part: str, line: str, control: int, status: str, irq: int, alone: int) -> None:
    """EIE: on STM32F4 with DMAR alone (RM0090 30.6.6), elsewhere by itself (RM0351 40.8.3)."""
    pending = f"REG(0xe000e204) >> {irq - 32} & 1"
    source = f"""void main_(void) {{ console(100); REG({control:#x}) = 1; while (!({status} & 8)) {{}}
        OUT[0] = {pending}; REG({control:#x}) = 65; OUT[1] = {pending}; }}"""
    twin = twin_of(source, part)
    twin.uart(line).send(b"ab")
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (alone, 1)


def test_unknown_names_are_told(make: Make) -> None:
    twin = Twin("STM32L476RG")
    with pytest.raises(TwinError, match=r"no UART 'USART9'; it has .*USART2"):
        twin.uart("USART9")
    with pytest.raises(TwinError, match="no pin"):
        twin.pins.set("PZ1", 1)
    with pytest.raises(TwinError, match="outside of flash"):
        twin.flash_load(0x20000000, b"x")


def test_pins_in_and_out(make: Make) -> None:
    source = """void main_(void) { RCC_AHB2ENR |= 5; (void)RCC_AHB2ENR; GPIOA_MODER = (GPIOA_MODER & ~0xc00u) | 0x400;
        REG(0x48000800) &= ~(3u << 26); for (;;) { GPIOA_BSRR = REG(0x48000810) & 1u << 13 ? 1u << 5 : 1u << 21; } }"""
    twin = make(source)
    for level in (1, 0, 1):
        twin.pins.set("PC13", level)
        twin.run(seconds=0.001)
        assert twin.pins.get("PA5") == level


@posix
def test_a_client_on_the_pseudo_terminal(make: Make) -> None:
    twin = make(ECHO)
    with PtyBridge(twin, "USART2", speed=100) as bridge:
        answer = bytearray()

        def client() -> None:
            descriptor = os.open(bridge.path, os.O_RDWR | os.O_NOCTTY)
            os.write(descriptor, bytes(range(256)))
            while len(answer) < 256:
                answer.extend(os.read(descriptor, 256))
            os.close(descriptor)

        thread = threading.Thread(target=client)
        thread.start()
        assert bridge.pump(until=lambda: not thread.is_alive(), seconds=HANGS_S)
    assert answer == bytes((n + 1) & 0xFF for n in range(256))


def test_a_read_of_no_time_passes_time(make: Make) -> None:
    """Whoever reads until a moment has come gets there, however short the rest of the wait is."""
    twin = make(ECHO)
    port = TwinPort(twin, "USART2")
    until = port.now() + 1e-4
    for _ in range(1000):
        if port.now() >= until:
            return
        assert port.read(1, 0.0) == b""
    raise AssertionError(f"{port.now()} after 1000 reads")


@posix
def test_the_twin_does_not_run_away_from_its_client(make: Make) -> None:
    twin = make(ECHO)
    with PtyBridge(twin, "USART2") as bridge:
        bridge.pump(seconds=0.3)
    assert twin.time < 0.6


YMODEM = r"""
static volatile uint8_t *const block = (uint8_t *)0x20001000;
static uint32_t frame(void) {
    uint8_t head = get(); if (head == 4) return 0;
    uint32_t size = head == 2 ? 1024 : 128, crc = 0; get(); get();
    for (uint32_t i = 0; i < size; i++) { block[i] = get(); crc ^= (uint32_t)block[i] << 8;
        for (int b = 0; b < 8; b++) crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1; }
    uint32_t sent = (uint32_t)get() << 8; sent |= get(); if ((crc & 0xffff) != sent) DONE = 2;
    return size; }
void main_(void) { clock_80mhz(); console(80000000 / 115200); uint32_t sum = 0, n = 0;
    put('C'); frame(); put(6); put('C');
    for (uint32_t size; (size = frame()) != 0; n += size, put(6))
        for (uint32_t i = 0; i < size; i++) sum += block[i];
    put(6); put('C'); frame(); put(6); OUT[0] = sum; OUT[1] = n; }
"""


@posix
@pytest.mark.skipif(shutil.which("sb") is None, reason="lrzsz is not installed")
def test_lrzsz_delivers_a_file(make: Make, tmp_path: Path) -> None:
    """The real `sb` at the pseudo-terminal, 1K blocks; the firmware checks every CRC."""
    file = tmp_path / "file.bin"
    file.write_bytes(bytes(range(1, 251)) * 82)
    twin = make(YMODEM)
    with (
        PtyBridge(twin, "USART2", speed=20) as bridge,
        open(bridge.path, "r+b", buffering=0) as line,  # noqa: PTH123
        subprocess.Popen(["sb", "-k", str(file)], stdin=line, stdout=line, stderr=subprocess.PIPE) as client,
    ):
        assert bridge.pump(until=lambda: client.poll() is not None, seconds=HANGS_S)
    twin.run(seconds=0.05)
    assert out(twin, 1) >= 20500
    assert out(twin, 0) - sum(file.read_bytes()) == 0x1A * (out(twin, 1) - 20500)
    assert not twin.uart("USART2").lost


def test_state_file_keeps_flash(make: Make, tmp_path: Path) -> None:
    twin = make(ECHO)
    twin.flash.poisoned.add(0x080F0000)
    path = tmp_path / "flash.twin"
    state.save(twin, path)
    again = Twin("STM32L476RG")
    state.load(again, path)
    assert again.flash_read(0x08000000, 1 << 20) == twin.flash_read(0x08000000, 1 << 20)
    assert again.flash.poisoned == {0x080F0000}


def test_a_damaged_state_file_is_refused(make: Make, tmp_path: Path) -> None:
    """Nonsense, one cut short, and one that unpacks to more than the part has."""
    twin, path = make(ECHO), tmp_path / "flash.twin"
    state.save(twin, path)
    whole, size = path.read_bytes(), twin.flash.size
    packed = len(zlib.compress(twin.flash_read(twin.flash.address, size), 1))
    damaged = {
        b"nonsense": "not a state file",
        whole[:-9]: r"not a state file \(\d+ bytes of flash",
        whole[:-packed] + zlib.compress(bytes(50 * size)): rf"not a state file \({size + 1} bytes of flash",
    }
    for data, words in damaged.items():
        path.write_bytes(data)
        with pytest.raises(TwinError, match=words):
            state.load(twin, path)


@posix
def test_the_command_runs_an_elf_on_a_pipe(tmp_path: Path) -> None:
    """A byte to the console comes back; Ctrl-] leaves and the state is kept."""
    elf, kept = tmp_path / "f.elf", tmp_path / "kept"
    elf.write_bytes(build(ECHO))
    arguments = ["twin", "NUCLEO-L476RG", "--image", str(elf), "--state", str(kept)]
    script = "from spboot.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        while not select.select([process.stdout], [], [], 0.2)[0]:  # until it is up: what comes before is lost
            process.stdin.write(b"A")
            process.stdin.flush()
        assert process.stdout.read(1) == b"B"
        process.stdin.write(b"\x1d")
        process.stdin.flush()
        assert process.wait(HANGS_S) == 0
    again = Twin("STM32L476RG")
    state.load(again, kept)
    assert again.flash_read(0x08000000, 64) == firmware(ECHO)[:64]


def test_the_command_wants_something_to_run() -> None:
    result = CliRunner().invoke(command, ["NUCLEO-L476RG"])
    assert result.exit_code == 2
    assert "nothing to run" in result.output
