"""A USB host in C for tests, in the order of the manual: typed from RM0090 34 and RM0351 47, not from chip facts."""

from __future__ import annotations

from typing import Any, Final

from spboot import chips
from spboot.chips.usb import Usb
from spboot.twin import Twin
from spboot.twin.usb.quirks import Quirks
from spboot.twin.usb.stick import Stick

from .conftest import firmware

PARTS: Final = {"F429": "STM32F429ZI", "L496": "STM32L496ZG"}
TABLES: Final[dict[str, dict[str, Any]]] = {
    "F429": {"core": "USB_OTG_FS", "dm": "PA11", "dp": "PA12", "power": "PG6", "hse": "bypass", "hse_hz": 8_000_000},
    "L496": {"core": "USB_OTG_FS", "dm": "PA11", "dp": "PA12", "power": "PG6"},
}
_CLOCKS: Final = {
    "F429": """static void clocks(void) {
    REG(0x40023830) |= 0x41; REG(0x40023834) |= 0x80; (void)REG(0x40023834);
    REG(0x40023800) |= 5u << 16; while (!(REG(0x40023800) & 1u << 17)) {}
    REG(0x40023804) = 4 | 168u << 6 | 1u << 22 | 7u << 24; REG(0x40023800) |= 1u << 24;
    while (!(REG(0x40023800) & 1u << 25)) {} }
#define GPIOA 0x40020000u
#define GPIOG 0x40021800u
#define SENSING (1u << 21)
""",
    "L496": """static void clocks(void) {
    REG(0x4002104c) |= 0x1041; REG(0x40021058) |= 1u << 28; (void)REG(0x40021058);
    REG(0x40007000) |= 0x100; REG(0x40007004) |= 1u << 9; REG(0x40007004) |= 1u << 10;
    REG(0x40021090) |= 1; while (!(REG(0x40021090) & 2)) {}
    REG(0x40021000) |= 0x100; while (!(REG(0x40021000) & 0x400)) {}
    REG(0x40021008) = 1; while ((REG(0x40021008) & 12) != 4) {}
    REG(0x40021000) = 0x1bd; while (!(REG(0x40021000) & 2)) {}
    REG(0x40021088) = 3u << 26; }
#define GPIOA 0x48000000u
#define GPIOG 0x48001800u
#define SENSING 0u
""",
}
"""48 MHz for the core: PLL output Q from the HSE; the MSI, locked to the LSE."""
HOST: Final = """
#define O(off) REG(0x50000000 + (off))
#define GRSTCTL O(0x10)
#define GINTSTS O(0x14)
#define HPRT O(0x440)
#define HCCHAR O(0x500)
#define HCINT O(0x508)
#define HCTSIZ O(0x510)
#define FIFO O(0x1000)
#define ERROR (1u << 3 | 1u << 4 | 1u << 7 | 1u << 8 | 1u << 10)
#define B ((volatile uint8_t *)0x20000400)
static void pause(uint32_t ms) {
    SYST_RVR = 16000 - 1; SYST_CVR = 0; SYST_CSR = 5; while (ms > 0) if (SYST_CSR & 1u << 16) ms--; }
static void power(void) {
    REG(GPIOG) = (REG(GPIOG) & ~0x3000u) | 0x1000; REG(GPIOG + 0x18) = 1u << 6;
    REG(GPIOA) = (REG(GPIOA) & ~0x3c00000u) | 0x2800000;
    REG(GPIOA + 0x24) = (REG(GPIOA + 0x24) & ~0xff000u) | 0xaa000; }
static void core(void) {
    while (!(GRSTCTL & 1u << 31)) {}
    GRSTCTL = 1; while (GRSTCTL & 1) {} while (!(GRSTCTL & 1u << 31)) {}
    O(0x38) = 1u << 16 | SENSING;
    O(0x0c) = 1u << 6 | 1u << 29 | 6u << 10;
    while (!(GINTSTS & 1)) {}
    O(0xe00) = 0; O(0x400) = 5; O(0x404) = 48000;
    O(0x24) = 128; O(0x28) = 96u << 16 | 128; O(0x100) = 64u << 16 | 224;
    GRSTCTL = 0x10u << 6 | 1u << 5; while (GRSTCTL & 1u << 5) {}
    GRSTCTL = 1u << 4; while (GRSTCTL & 1u << 4) {}
    HPRT = 1u << 12; }
static void connect(void) {
    while (!(HPRT & 1)) {}
    pause(101);
    HPRT = 1u << 12 | 1u << 8;
    pause(11);
    HPRT = 1u << 12;
    while (!(HPRT & 1u << 2)) {}
    pause(11); }
static uint32_t pop(uint32_t at) {
    uint32_t status = O(0x20), size = status >> 4 & 0x7ff;
    if ((status >> 17 & 15) != 2) return 0;
    for (uint32_t i = 0; i < size; i += 4) { uint32_t word = FIFO; B[at + i] = word; B[at + i + 1] = word >> 8;
        B[at + i + 2] = word >> 16; B[at + i + 3] = word >> 24; }
    return size; }
static void halt(void) {
    HCCHAR |= 3u << 30;
    while (!(HCINT & 2)) if (GINTSTS & 0x10) pop(0); }
static uint32_t out(uint32_t type, uint32_t address, uint32_t endpoint, uint32_t pid, const uint32_t *words,
                    uint32_t size) {
    HCINT = ~0u; HCTSIZ = pid << 29 | 1u << 19 | size;
    HCCHAR = 1u << 31 | address << 22 | 1u << 20 | type << 18 | endpoint << 11 | 64;
    for (uint32_t i = 0; i < size; i += 4) FIFO = words[i / 4];
    while (!(HCINT & (ERROR | 1))) {}
    return HCINT; }
static uint32_t in(uint32_t type, uint32_t address, uint32_t endpoint, uint32_t pid, uint32_t count) {
    uint32_t got = 0;
    HCINT = ~0u; HCTSIZ = pid << 29 | count << 19 | 64 * count;
    HCCHAR = 1u << 31 | address << 22 | 1u << 20 | type << 18 | 1u << 15 | endpoint << 11 | 64;
    while (!(HCINT & (ERROR | 1))) if (GINTSTS & 0x10) got += pop(got);
    halt();
    return got; }
static uint32_t control(uint32_t address, uint32_t low, uint32_t high) {
    uint32_t setup[2] = {low, high}, got = 0;
    out(0, address, 0, 3, setup, 8);
    if (low & 0x80) { got = in(0, address, 0, 2, 1); out(0, address, 0, 2, setup, 0); } else in(0, address, 0, 2, 1);
    return got; }
"""
MAIN: Final = """
void main_(void) {
    clocks();
    power();
    core();
    connect();
    OUT[0] = HPRT;
    OUT[1] = control(0, 0x01000680, 18u << 16);
    for (int i = 0; i < 18; i++) OUT[2 + i] = B[i];
}
"""


def source(name: str, *edits: tuple[str, str]) -> str:
    """The program for board *name*; *edits*: words of it, and others in their place."""
    text = _CLOCKS[name] + HOST + MAIN
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def twin_of(name: str, *edits: tuple[str, str], stick: bool = True, table: dict[str, Any] | None = None) -> Twin:
    """A powered twin with that program, and a stick in its connector; *table*: changes to its table `usb`."""
    part = PARTS[name]
    usb = Usb.parse({**TABLES[name], **(table or {})}, chips.load(part))
    twin = Twin(part, usb=usb)
    twin.flash_load(0x08000000, firmware(source(name, *edits), part))
    if stick:
        twin.plug(Stick(bytes(4096), quirks=Quirks()))
    twin.power_on()
    return twin
