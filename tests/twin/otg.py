"""A USB host in C for tests, in the order of the manual: typed from RM0090 34, RM0351 47, RM0399 and RM0410, not from
chip facts."""

from __future__ import annotations

from typing import Any, Final

from spboot import chips
from spboot.chips.usb import Usb
from spboot.twin import Twin
from spboot.twin.usb.quirks import Quirks
from spboot.twin.usb.stick import Stick

from .conftest import firmware

PARTS: Final = {"F429": "STM32F429ZI", "L496": "STM32L496ZG", "H745": "STM32H745XI", "F769": "STM32F769NI"}
TABLES: Final[dict[str, dict[str, Any]]] = {
    "F429": {"core": "USB_OTG_FS", "dm": "PA11", "dp": "PA12", "power": "PG6", "hse": "bypass", "hse_hz": 8_000_000},
    "L496": {"core": "USB_OTG_FS", "dm": "PA11", "dp": "PA12", "power": "PG6"},
    "H745": {"core": "USB_OTG_FS", "dm": "PA11", "dp": "PA12", "power": "PA5", "hse": "crystal", "hse_hz": 25_000_000},
    "F769": {
        "core": "USB_OTG_HS",
        "ulpi": {
            "ck": "PA5", "d0": "PA3", "d1": "PB0", "d2": "PB1", "d3": "PB10", "d4": "PB11", "d5": "PB12",
            "d6": "PB13", "d7": "PB5", "stp": "PC0", "nxt": "PH4", "dir": "PI11",
        },
    },
}  # fmt: skip
_CLOCKS: Final = {
    "F429": """static void clocks(void) {
    REG(0x40023830) |= 0x41; REG(0x40023834) |= 0x80; (void)REG(0x40023834);
    REG(0x40023800) |= 5u << 16; while (!(REG(0x40023800) & 1u << 17)) {}
    REG(0x40023804) = 4 | 168u << 6 | 1u << 22 | 7u << 24; REG(0x40023800) |= 1u << 24;
    while (!(REG(0x40023800) & 1u << 25)) {} }
#define GPIOA 0x40020000u
#define GPIOG 0x40021800u
#define SENSING (1u << 21)
#define OTG 0x50000000
#define MS 16000
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
#define OTG 0x50000000
#define MS 16000
""",
    "H745": """static void clocks(void) {
    REG(0x580244e0) |= 1; REG(0x580244d8) |= 1u << 27; (void)REG(0x580244d8);
    REG(0x5802480c) |= 1u << 24; while (!(REG(0x5802480c) & 1u << 26)) {}
    REG(0x58024400) |= 1u << 16; while (!(REG(0x58024400) & 1u << 17)) {}
    REG(0x58024428) = 2 | 5u << 20; REG(0x5802442c) = 2u << 10 | 1u << 23; REG(0x58024440) = 95 | 9u << 16;
    REG(0x58024400) |= 1u << 28; while (!(REG(0x58024400) & 1u << 29)) {}
    REG(0x58024454) = 2u << 20; }
#define GPIOA 0x58020000u
#define SENSING 0u
#define OTG 0x40080000
#define MS 64000
""",
    "F769": """static void clocks(void) {
    REG(0x40023830) |= 0x187 | 3u << 29; (void)REG(0x40023830);
    REG(0x40023c00) = 1; while ((REG(0x40023c00) & 15) != 1) {}
    REG(0x40023804) = 8 | 96u << 6 | 1u << 16 | 9u << 24 | 2u << 28;
    REG(0x40023800) |= 1u << 24; while (!(REG(0x40023800) & 1u << 25)) {}
    REG(0x40023808) = 4u << 10; REG(0x40023808) |= 2; while ((REG(0x40023808) & 12) != 8) {} }
#define OTG 0x40040000
#define MS 48000
""",
}
"""48 MHz for the core: PLL output Q from the HSE; the MSI, locked to the LSE; output Q of PLL3 from the HSE; none."""
_SWITCH: Final = """static void power(void) {
    REG(GPIOG) = (REG(GPIOG) & ~0x3000u) | 0x1000; REG(GPIOG + 0x18) = 1u << 6;
    REG(GPIOA) = (REG(GPIOA) & ~0x3c00000u) | 0x2800000;
    REG(GPIOA + 0x24) = (REG(GPIOA + 0x24) & ~0xff000u) | 0xaa000; }
"""
_POWER: Final = {
    "F429": _SWITCH,
    "L496": _SWITCH,
    "H745": """static void power(void) {
    REG(GPIOA) = (REG(GPIOA) & ~0x3c00c00u) | 0x2800400; REG(GPIOA + 0x18) = 1u << 5;
    REG(GPIOA + 0x24) = (REG(GPIOA + 0x24) & ~0xff000u) | 0xaa000; }
""",
    "F769": """static void line(uint32_t port, uint32_t pin) {
    REG(port) = (REG(port) & ~(3u << 2 * pin)) | 2u << 2 * pin; REG(port + 8) |= 3u << 2 * pin;
    REG(port + 0x20 + pin / 8 * 4) |= 10u << pin % 8 * 4; }
static void power(void) {
    line(0x40020000, 3); line(0x40020000, 5); line(0x40020400, 0); line(0x40020400, 1); line(0x40020400, 5);
    for (int pin = 10; pin <= 13; pin++) line(0x40020400, pin);
    line(0x40020800, 0); line(0x40021c00, 4); line(0x40022000, 11); }
""",
}
"""Pins, and the switch of VBUS where that hangs at one."""
_CHOICE: Final = "GRSTCTL = 1; while"
_OWN: Final = {
    "H745": ((_CHOICE, f"O(0x0c) = 1u << 6; {_CHOICE}"),),
    "F769": (
        (_CHOICE, f"O(0x0c) = 1u << 20; {_CHOICE}"), ("O(0x38) = 1u << 16 | SENSING;", "O(0x38) = 0;"),
        ("O(0x0c) = 1u << 6 | 1u << 29", "O(0x0c) = 1u << 20 | 1u << 29"), ("O(0x400) = 5;", "O(0x400) = 4;"),
        ("O(0x404) = 48000;", "O(0x404) = 60000;"),
    ),
}  # fmt: skip
"""Words of HOST and what stands in their place: a core for high speed begins with ULPI, which has its own clock."""
HOST: Final = """
#define O(off) REG(OTG + (off))
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
    SYST_RVR = MS - 1; SYST_CVR = 0; SYST_CSR = 5; while (ms > 0) if (SYST_CSR & 1u << 16) ms--; }
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
    text = _CLOCKS[name] + _POWER[name] + HOST + MAIN
    for old, new in (*_OWN.get(name, ()), *edits):
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
