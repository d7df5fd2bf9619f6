"""LTDC on the twin: what a program sets up is shown to the bit, what it forgot is told (RM0090 16)."""

from __future__ import annotations

import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

from spboot.errors import TwinError
from spboot.twin import Twin

from .conftest import build, finish, out, refuses, twin_of

PART = "STM32F469NI"
PROLOGUE = """
#define L(n, at) REG(0x40016800 + 0x80 * (n - 1) + at)
#define G(at) REG(0x40016800 + at)
#define PIXELS 0x20010000
static void clocks(void)
{
    REG(0x40023844) |= 1u << 26; /* LTDCEN of APB2ENR */
    (void)REG(0x40023844);
    REG(0x40023804) = 16 | 192 << 6 | 4 << 24; /* PLLM 16 of HSI: 1 MHz */
    REG(0x40023888) = 192 << 6 | 4 << 28 | 4 << 24; /* PLLSAI: 192 / 4 = 48 MHz */
    REG(0x4002388c) = 1 << 16; /* / 4 = 12 MHz */
    REG(0x40023800) |= 1u << 28;
    while (!(REG(0x40023800) & 1u << 29)) {
    }
}
static void timing(void) /* 6 x 4 pixels; total 10 x 8 */
{
    G(0x08) = 0 << 16 | 0;
    G(0x0c) = 1 << 16 | 2;
    G(0x10) = 7 << 16 | 6;
    G(0x14) = 9 << 16 | 7;
    G(0x2c) = 0x102030;
}
static void layer(int n, uint32_t format, uint32_t bytes, uint32_t at, int x, int y, int w, int h)
{
    L(n, 0x88) = (2 + x + w - 1) << 16 | (2 + x);
    L(n, 0x8c) = (3 + y + h - 1) << 16 | (3 + y);
    L(n, 0x94) = format;
    L(n, 0xac) = at;
    L(n, 0xb0) = w * bytes << 16 | (w * bytes + 3);
    L(n, 0xb4) = h;
    L(n, 0x84) = 1;
}
"""
BACK = 0x102030


def shown(code: str, part: str = PART) -> Twin:
    """A twin that has run *code* between set-up of clocks and timing, and the start of the pixels."""
    twin = twin_of(f"{PROLOGUE} void main_(void) {{ clocks(); timing(); {code} G(0x24) = 1; G(0x18) = 0x2221; }}", part)
    finish(twin)
    return twin


def rows(twin: Twin) -> list[list[int]]:
    frame = twin.frame()
    assert (frame.width, frame.height) == (6, 4)
    return [[frame.at(x, y) for x in range(6)] for y in range(4)]


def store(*words: int) -> str:
    return " ".join(f"REG(PIXELS + {4 * i}) = {word:#x}u;" for i, word in enumerate(words))


@pytest.mark.parametrize("part", [PART, "STM32F429ZI"])
def test_the_background_alone(part: str) -> None:
    assert rows(shown("", part)) == [[BACK] * 6] * 4


def test_a_window_of_rgb565() -> None:
    """Two by two at (1, 1): components get eight bits by repeating their highest ones."""
    twin = shown(store(0x07E0F800, 0x8410001F) + "layer(1, 2, 2, PIXELS, 1, 1, 2, 2);")
    found = rows(twin)
    assert found[0] == found[3] == [BACK] * 6
    assert found[1] == [BACK, 0xFF0000, 0x00FF00, BACK, BACK, BACK]
    assert found[2] == [BACK, 0x0000FF, 0x848284, BACK, BACK, BACK]


FORMATS = {  # PF, bytes, the words of two pixels, what is shown
    "ARGB8888": (0, 4, (0xFF123456, 0x80C0A080), (0x123456, (0xC0 * 128 + 0x10 * 127) // 255 << 16
                 | (0xA0 * 128 + 0x20 * 127) // 255 << 8 | (0x80 * 128 + 0x30 * 127) // 255)),
    "RGB888": (1, 3, (0xAA123456, 0x0000CCBB), (0x123456, 0xCCBBAA)),
    "RGB565": (2, 2, (0x8000_1234,), (0x1045A5, 0x840000)),
    "ARGB1555": (3, 2, (0x7FFF_801F,), (0x0000FF, BACK)),
    "ARGB4444": (4, 2, (0x0FFF_F8A3,), (0x88AA33, BACK)),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_formats(name: str) -> None:
    number, size, words, expected = FORMATS[name]
    twin = shown(store(*words) + f"layer(1, {number}, {size}, PIXELS, 0, 0, 2, 1);")
    assert rows(twin)[0][:2] == list(expected)


INDEXED = {  # PF, bytes, two pixels, what is shown: entries 3 and 0x33 are loaded, alpha of AL44 and AL88 counts
    "L8": (5, 1, 0x3303, (0xABCDEF, 0x00FF00)),
    "AL44": (6, 1, 0x03F3, (0x00FF00, BACK)),
    "AL88": (7, 2, 0x0033_FF03, (0xABCDEF, BACK)),
}


@pytest.mark.parametrize("name", INDEXED)
def test_formats_with_a_clut(name: str) -> None:
    number, size, word, expected = INDEXED[name]
    clut = "L(1, 0xc4) = 0x03abcdef; L(1, 0xc4) = 0x3300ff00;"
    twin = shown(f"{store(word)} layer(1, {number}, {size}, PIXELS, 0, 0, 2, 1); {clut} L(1, 0x84) = 0x11;")
    assert rows(twin)[0][:2] == list(expected)


def test_an_entry_that_was_never_loaded_is_told() -> None:
    twin = shown(f"{store(0x07)} layer(1, 5, 1, PIXELS, 0, 0, 1, 1); L(1, 0x84) = 0x11;")
    with pytest.raises(TwinError, match="layer 1 shows entry 0x7 of its CLUT, which was never loaded"):
        twin.frame()


def test_constant_alpha_and_the_example_of_the_manual() -> None:
    """240 of 128 over 48 is 123; outside of the window is the default colour, which has alpha of its own only with
    the factors of a reset."""
    set_up = "G(0x2c) = 0x303030; layer(1, 0, 4, PIXELS, 0, 0, 1, 1); L(1, 0x98) = 240; L(1, 0xa0) = 0x405;"
    twin = shown(store(0x00808080) + set_up)
    black = 48 * 15 // 255
    assert rows(twin)[0] == [0x7B7B7B, *[black << 16 | black << 8 | black] * 5]
    twin = shown(store(0x00808080) + set_up + "L(1, 0xa0) = 0x607; L(1, 0x9c) = 0xff0000ff;")
    assert rows(twin)[0] == [0x303030, *[0x020200 | 0x00000F0 | 0x2] * 5]


def test_the_second_layer_lies_over_the_first() -> None:
    twin = shown(
        store(0xF800F800, 0x80FFFFFF) + "layer(1, 2, 2, PIXELS, 0, 0, 2, 1); layer(2, 0, 4, PIXELS + 4, 1, 0, 1, 1);"
    )
    assert rows(twin)[0] == [0xFF0000, 0xFF8080, BACK, BACK, BACK, BACK]


def test_a_colour_that_is_transparent() -> None:
    twin = shown(store(0x07E0F800) + "layer(1, 2, 2, PIXELS, 0, 0, 2, 1); L(1, 0x90) = 0xff0000; L(1, 0x84) = 3;")
    assert rows(twin)[0][:2] == [BACK, 0x00FF00]


def test_registers_of_layers_read_as_they_are_shown() -> None:
    twin = twin_of(
        PROLOGUE
        + """void main_(void) { clocks(); timing(); OUT[0] = G(0x18); OUT[1] = L(2, 0xa0); L(1, 0x98) = 7;
        OUT[2] = L(1, 0x98); G(0x24) = 1; OUT[3] = L(1, 0x98); OUT[4] = G(0x24); }""",
        PART,
    )
    finish(twin)
    assert [out(twin, i) for i in range(5)] == [0x2220, 0x607, 0xFF, 7, 0]


def test_a_reload_at_the_vertical_blanking() -> None:
    """VBR waits for it: 80 pixels of 12 MHz are a frame, and the blanking follows line 6."""
    twin = twin_of(
        PROLOGUE
        + """void main_(void) { clocks(); timing(); G(0x34) = 8; G(0x18) = 0x2221;
        REG(PIXELS) = 0xffabcdef; layer(1, 0, 4, PIXELS, 0, 0, 1, 1); G(0x24) = 2; OUT[0] = L(1, 0x84);
        while (G(0x24)) { } OUT[1] = L(1, 0x84); OUT[2] = G(0x38); OUT[3] = REG(0xe000e208); OUT[4] = G(0x44);
        G(0x3c) = 8; REG(0xe000e288) = 1u << 24; OUT[5] = REG(0xe000e208); }""",
        PART,
    )
    finish(twin)
    assert (out(twin, 0), out(twin, 1), out(twin, 2) & 8, out(twin, 3), out(twin, 5)) == (0, 1, 8, 1 << 24, 0)
    assert out(twin, 4) & 0xFFFF == 7
    assert rows(twin)[0][0] == 0xABCDEF


def test_the_line_interrupt_comes_once_a_frame() -> None:
    """Polled; ten frames of 80 pixels at 12 MHz are 66.7 us, 1067 cycles of 16 MHz (DWT)."""
    twin = twin_of(
        PROLOGUE
        + """void main_(void) { clocks(); timing(); G(0x40) = 5; REG(0xe000edfc) |= 1u << 24; REG(0xe0001000) |= 1;
        G(0x18) = 0x2221; while (!(G(0x38) & 1)) { } uint32_t from = REG(0xe0001004);
        for (int i = 0; i < 10; i++) { G(0x3c) = 1; while (!(G(0x38) & 1)) { } }
        OUT[0] = REG(0xe0001004) - from; }""",
        PART,
    )
    finish(twin)
    assert abs(out(twin, 0) - 1067) < 40


def test_the_picture_follows_memory_and_a_snapshot() -> None:
    twin = shown(store(0xFF0000FF) + "layer(1, 0, 4, PIXELS, 0, 0, 1, 1);")
    before = twin.snapshot()
    twin.rams.put(0x20010000, bytes.fromhex("00ff00ff"))
    assert rows(twin)[0][0] == 0x00FF00
    twin.restore(before)
    assert rows(twin)[0][0] == 0x0000FF
    twin.reset()
    with pytest.raises(TwinError, match="LTDC shows nothing: LTDCEN is clear"):
        twin.frame()


def test_a_png_has_the_pixels() -> None:
    """Taken apart by hand: signature, sizes, checksums, lines."""
    twin = shown(store(0x07E0F800) + "layer(1, 2, 2, PIXELS, 0, 0, 2, 1);")
    data, parts, at = twin.frame().png(), {}, 8
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        parts[kind] = data[at + 8 : at + 8 + size]
        assert int.from_bytes(data[at + 8 + size : at + 12 + size], "big") == zlib.crc32(kind + parts[kind])
        at += 12 + size
    assert list(parts) == [b"IHDR", b"IDAT", b"IEND"]
    assert parts[b"IHDR"] == bytes.fromhex("00000006 00000004 08 02 00 00 00")
    lines = zlib.decompress(parts[b"IDAT"])
    assert len(lines) == 4 * 19 and lines[:7] == b"\0\xff\0\0\0\xff\0" and not any(lines[::19])


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_the_command_writes_it_at_a_key_and_at_the_end(tmp_path: Path) -> None:
    """`spboot twin --frame`; before anything is shown the key gives the reason, and the twin goes on."""
    layer = store(0x07E0F800) + "layer(1, 2, 2, PIXELS, 0, 0, 2, 1);"
    code = f"{PROLOGUE} void main_(void) {{ clocks(); timing(); {layer} G(0x24) = 1; G(0x18) = 0x2221; }}"
    (tmp_path / "f.elf").write_bytes(build(code, PART))
    (tmp_path / "off.elf").write_bytes(build("void main_(void) { }", PART))
    script, pipe = "from spboot.cli import main; main()", subprocess.PIPE
    nothing, written = "twin: LTDC shows nothing: LTDCEN is clear", "twin: 6 x 4 pixels in screen.png"
    for image, ends, words in (("f.elf", 0, written), ("off.elf", 1, nothing)):
        command = [sys.executable, "-c", script, "twin", "DISCO-F469I", "--image", image, "--frame", "screen.png"]
        with subprocess.Popen(command, cwd=tmp_path, stdin=pipe, stdout=pipe, stderr=pipe) as process:
            assert process.stdin is not None and process.stderr is not None
            said = nothing
            for _ in range(200):  # it may be asked before the firmware has come so far
                process.stdin.write(b"\x14f")
                process.stdin.flush()
                said = process.stderr.readline().decode().strip()
                if said == words:
                    break
                assert said == nothing
                time.sleep(0.1)
            rest = process.communicate(b"\x1d", timeout=60)[1].decode()
        assert said == words and words.removeprefix("twin: ") in rest and process.returncode == ends, rest
    assert (tmp_path / "screen.png").read_bytes() == shown(layer).frame().png()


SET_UP = "clocks(); timing(); "
WRONG = {
    "its clock": ("G(0x18) = 1;", "LTDC_GCR accessed while the clock of LTDC is off"),
    "a pixel clock": ("REG(0x40023844) |= 1u << 26; (void)REG(0x40023844); timing(); G(0x18) = 1;",
                      "LTDCEN set without a pixel clock"),
    "factors": ("clocks(); timing(); REG(0x40023888) = 20 << 6 | 4 << 28; G(0x18) = 1;", "PLLSAI for LTDC: N 20, R 4"),
    "timings": ("clocks(); G(0x18) = 1;", "LTDCEN set with HSW 0, AHBP 0, AAW 0, TOTALW 0"),
    "an order": (SET_UP + "G(0x14) = 9 << 16 | 5; G(0x18) = 1;", "VSH 0, AVBP 2, AAH 6, TOTALH 5"),
    "a timing while it runs": (SET_UP + "G(0x18) = 1; G(0x0c) = 0;", "LTDC_BPCR changed while LTDCEN is set"),
    "a window": (SET_UP + "layer(1, 2, 2, PIXELS, 5, 0, 2, 1); G(0x24) = 1; G(0x18) = 1;",
                 "layer 1 from 7 to 8 in L1WHPCR"),
    "a line": (SET_UP + "layer(2, 2, 2, PIXELS, 0, 0, 2, 1); L(2, 0xb0) = 4 << 16 | 4; G(0x24) = 1; G(0x18) = 1;",
               "layer 2 has 1 lines of CFBLL 4, its window 1 of 4 bytes"),
    "lines": (SET_UP + "layer(1, 2, 2, PIXELS, 0, 0, 2, 2); L(1, 0xb4) = 1; G(0x24) = 1; G(0x18) = 1;",
              "layer 1 has 1 lines of CFBLL 7, its window 2 of 4 bytes"),
    "a CLUT": (SET_UP + "layer(1, 5, 1, PIXELS, 0, 0, 2, 2); G(0x24) = 1; G(0x18) = 1;", "L8 with CLUTEN clear"),
    "a factor": (SET_UP + "layer(1, 2, 2, PIXELS, 0, 0, 2, 2); L(1, 0xa0) = 0; G(0x24) = 1; G(0x18) = 1;",
                 "L1BFCR with"),
    "memory": (SET_UP + "layer(1, 2, 2, 0x10000000, 0, 0, 2, 2); G(0x24) = 1; G(0x18) = 1;",
               "layer 1: LTDC does not reach CCMRAM at 0x10000000"),
    "nothing there": (SET_UP + "G(0x18) = 1; layer(1, 2, 2, 0x30000000, 0, 0, 2, 2); G(0x24) = 1;",
                      "layer 1: nothing at 0x30000000 answers LTDC"),
    "bytes": (SET_UP + "*(volatile uint8_t *)0x40016898 = 1;", "LTDC_L1CACR written with 1 bytes"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_was_forgotten_is_told(what: str) -> None:
    code, message = WRONG[what]
    refuses(PART, code, message, before=PROLOGUE)


def test_a_layer_that_was_not_reloaded_is_told() -> None:
    twin = twin_of(
        PROLOGUE + """void main_(void) { clocks(); timing(); G(0x18) = 0x2221; layer(1, 2, 2, PIXELS, 0, 0, 2, 1); }""",
        PART,
    )
    finish(twin)
    with pytest.raises(TwinError, match="layer 1 was enabled and not reloaded: IMR or VBR of SRCR"):
        twin.frame()


def test_parts_without_one_say_so() -> None:
    for part in ("STM32L476RG", "STM32H745XI"):
        with pytest.raises(TwinError, match=f"{part} has no LTDC here"):
            Twin(part).frame()
