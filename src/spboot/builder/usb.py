"""What the generated chip header tells the driver of the OTG core: SPB_USB_*, by the board's table, and registers."""

from __future__ import annotations

import re
from typing import Final

from spboot import chips
from spboot.builder.pins import pin_table
from spboot.chips import Chip
from spboot.chips.usb import ULPI_CLOCK, Usb, senses_vbus
from spboot.formats.c_header import define

_SENSING: Final = 1 << 21
"""GCCFG.NOVBUSSENS."""
_UNUSED: Final = re.compile(r"D[IOCSAVT].*|HC[A-Z]+([1-9]|1\d)|FIFO[1-9]\d?|GCCFG_V[23]|ADPCTL|GI2CCTL|GLPMCFG")
"""Registers of a device, of other channels, and of other cores."""


def usb_lines(chip: Chip, usb: Usb) -> list[str]:
    """The lines of the header for *usb* at *chip*."""
    block = chip.block(usb.core)
    lines = [
        define("USB_BASE", block.address),
        define("USB_AT_BOOT_MS", usb.at_boot_ms),
        define("USB_NO_SENSING", _SENSING if senses_vbus(chip) else 0),
        define("USB_ULPI", int(usb.ulpi)),
    ]
    for name, register in chips.registers(block.ip).items():
        if _UNUSED.fullmatch(name):
            continue
        short = name.removesuffix("_V1")
        lines.append(f"#define OTG_{short}_OFF {register.offset:#x}u")
        for field, (low, width) in register.fields.items():
            lines.append(f"#define OTG_{short}_{field} {((1 << width) - 1) << low:#x}u")
            lines.append(f"#define OTG_{short}_{field}_POS {low}u")
    return lines + _pins(chip, usb)


def _pins(chip: Chip, usb: Usb) -> list[str]:
    """Data, the switch of VBUS, and its overload, as statements and expressions."""
    return _lines(chip, usb) + _power(chip, usb) + _overload(chip, usb)


def _lines(chip: Chip, usb: Usb) -> list[str]:
    """Two as statements, those of a PHY as a table of usb_ulpi.c, which has the clock of that as well."""
    if usb.ulpi:
        register, field = ULPI_CLOCK
        rcc = chips.registers(chip.block("RCC").ip)
        low, width = rcc[register].fields[field]
        return [
            define("USB_PHY_ENABLE", ((1 << width) - 1) << low),
            define("USB_PHY_ENABLE_OFF", rcc[register].offset),
            *pin_table(chip, "USB", usb.lines.values()),
            "#define SPB_USB_DATA_START()",
        ]
    data = ", ".join(f"{_at(chip, pin)}, {function}" for pin, function in usb.lines.values())
    return [f"#define SPB_USB_DATA_START() spb_gpio_functions({data})"]


def _power(chip: Chip, usb: Usb) -> list[str]:
    if usb.power is None:
        return ["#define SPB_USB_POWER_START()", "#define SPB_USB_POWER_WRITE(on) ((void)(on))"]
    off, on = ("false", "(on)") if usb.power_high else ("true", "!(on)")
    return [
        f"#define SPB_USB_POWER_START() spb_gpio_output({_at(chip, usb.power)}, {off})",
        f"#define SPB_USB_POWER_WRITE(on) spb_gpio_write({_at(chip, usb.power)}, {on})",
    ]


def _overload(chip: Chip, usb: Usb) -> list[str]:
    if usb.overcurrent is None:
        return ["#define SPB_USB_OVERLOAD_START()", "#define SPB_USB_OVERLOADED() (false)"]
    return [
        f"#define SPB_USB_OVERLOAD_START() spb_gpio_input({_at(chip, usb.overcurrent)}, SPB_PULL_UP)",
        f"#define SPB_USB_OVERLOADED() (!spb_gpio_read({_at(chip, usb.overcurrent)}))",
    ]


def _at(chip: Chip, pin: str) -> str:
    return f"{chip.block(f'GPIO{pin[1]}').address:#x}u, {int(pin[2:])}u"


def usb_ports(usb: Usb) -> set[str]:
    """The ports that its pins are in."""
    return {pin[1] for pin in usb.pins.values()}
