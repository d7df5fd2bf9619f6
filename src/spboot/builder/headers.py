"""The C headers that a build generates: numbers of the spec, the board's configuration, the chip's registers.

core/   spb_spec.h, spb_config.h      all that core and loader may know
        spb_delta_prior.h
crypto/ spb_p256_generator.h
chip/   spb_chip.h                    for driver and boot"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from spboot import chips
from spboot.boards import Area, Board, Pin, Slot
from spboot.boards.clocks import clock_limit
from spboot.builder.drivers import drivers
from spboot.builder.external import clocked, external_lines, external_ports
from spboot.builder.production import LEVELS, Production
from spboot.builder.usb import usb_lines, usb_ports
from spboot.chips import Block, Chip
from spboot.chips.external import EXTERNAL
from spboot.delta.prior import delta_prior_header
from spboot.errors import BoardError
from spboot.formats.c_header import define, guarded, spec_header
from spboot.formats.comb import generator_header
from spboot.formats.manifest import name_id
from spboot.version import Version

WINDOW_MS: Final = 100
"""How long after the start of the bootloader the word `load` is listened for, unless a first byte prolongs that."""

_EXTERNAL_WRITE: Final = 64
"""Bytes that an update gathers before they are programmed outside: a command has a part that costs as much as 32."""
_DRIVEN = ("FLASH", "RCC", "PWR", "IWDG", "WWDG", "ICACHE", "DBGMCU")
"""Blocks whose registers the drivers name, where the part has them."""
_WRONG_BANKS: Final = "flash is not in {banks} bank{s}: change the option bytes"
_STACK_SIZES: Final = {"cm0p": 976}
_STACK_SIZE: Final = 1008
"""Bytes of reserved RAM for the stack of bootloader and engine, by core: the deepest path of a call, the frames of an
interrupt and of a task switch of the application (200 bytes with an FPU, 64 without) and the sentence of a status
below them (64); or the deepest path of the boot, which knows no interrupt."""
_SEALING_STACK: Final = 144
"""More of them where code is encrypted in SLOT1 (firmware/core/seal.h): a hash, at the depth of a program operation."""


def write(folder: Path, board: Board, boot_version: Version, production: Production | None = None) -> None:
    """Write all generated headers for *board* below *folder*, of a bootloader for *production* if that is given."""
    texts = {
        "core/spb_spec.h": spec_header(len(board.slot0.parts)),
        "core/spb_config.h": config_header(board, boot_version, production),
        "core/spb_delta_prior.h": delta_prior_header(),
        "crypto/spb_p256_generator.h": generator_header(),
        "chip/spb_chip.h": chip_header(board),
    }
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def config_header(board: Board, boot_version: Version, production: Production | None = None) -> str:
    """What core must know of the device: geometry and names."""
    slot, memory = board.slot0, board.memory_at(board.slot0.address)
    used = [board.memory_at(part.address) for slot in board.slots for part in slot.parts]
    outside = [memory for memory in used if memory.kind == EXTERNAL]
    write_size = max(memory.program_unit, drivers().write_size.get(board.chip.block("FLASH").ip, 0))
    numbers = {
        "SINGLE_SLOT": int(board.slot1 is None),
        "SLOT_SIZE": slot.whole,
        "MEMORIES": 2 if outside else 1,
        "PARTS": len(slot.parts),
        "PART_SIZE": slot.size,
        "PAGE_SIZE": board.page_size,
        "REST_PAGE_SIZE": board.rest_page_size,
        "REST_ADDRESS": slot.parts[-1].address,
        "SEALED": int(board.sealed),
        "VERIFY_REST": int(board.verify_at_boot),
        "JOURNAL_SIZE": board.journal.size if board.journal else 0,
        "PROGRAM_UNIT": memory.program_unit,
        "BLOCK": board.block,
        "BLOCK_PAGES": board.block_pages,
        "SLOT_UNIT": max(memory.program_unit for memory in used),
        "WRITE_SIZE": max(write_size, _EXTERNAL_WRITE if outside else 0),
        "ERASED": memory.erased,
        "VECTOR_SIZE": board.vector_size,
        "IMAGE_ADDRESS": board.image_address,
        "TARGET": name_id(board.name),
        "BOOT_VERSION": boot_version.pack(),
        "BOOT_SIZE": board.bootloader.size,
        "WINDOW_MS": WINDOW_MS,
        "TRIAL_STARTS": board.trial_starts,
        "PRODUCTION": int(production is not None),
        "PRODUCTION_LEVEL": LEVELS[production] if production else 0,
        "STICK": int(board.usb is not None),
        "STACK_END": board.ram.address + stack_size(board),
        "KEYS_RECORDS": board.key_records,
        "KEYS_AREA_SIZE": board.keys.size if board.keys else 0,
    }
    lines = [define(name, value) for name, value in numbers.items()]
    lines += [
        define("RAM_RANGES", _ram_ranges(board)),
        define("BOARD_NAME", json.dumps(board.name)),
        define("BOOT_VERSION_TEXT", json.dumps(str(boot_version))),
    ]
    return guarded("SPB_CONFIG_H", ['#include "spb_spec.h"', *lines])


def _ram_ranges(board: Board) -> str:
    """A brace list of {first, last}: an initial stack pointer is a multiple of 4 with first <= pointer <= last."""
    pairs = (f"{{{area.address + 4:#x}u, {area.end:#x}u}}" for area in board.stacks)
    return f"{{{', '.join(pairs)}}}"


def chip_header(board: Board) -> str:
    """Addresses, registers and bits of the blocks we drive, and where the board's parts hang."""
    chip = board.chip
    first, last = chip.flash[0], chip.flash[-1]
    banks = len({run.bank for run in chip.flash})
    lines = [
        define("FLASH_ADDRESS", first.address),
        define("FLASH_SIZE", last.end - first.address),
        define("FLASH_BANK_SIZE", sum(run.size for run in chip.flash if run.bank == 1)),
        *_area_lines(board, "SLOT0", board.slot0),
        *_area_lines(board, "SLOT1", board.slot1 or board.slot0),
        *_area_lines(board, "JOURNAL", board.journal or board.slot0),
        *_area_lines(board, "KEYS", board.keys or board.slot0),
        f'#define SPB_LAST_SIZE "{last_size(board)}"',
        define("SMALLEST_SECTOR", min(run.erase_unit for run in chip.flash)),
        define("DEVICE_ID", chip.device_id),
        define("CLOCK_HZ", board.clock_hz),
        define("VDD_MV", board.vdd_mv),
        define("SUPPLY_SMPS", int(board.core_supply == "smps")),
        define("NEEDS_VDDIO2", int(board.needs_vddio2)),
        define("DATA_CACHE", int(chip.core == "cm7")),
        define("STACK_LIMITS", int(chip.core == "cm33")),
        define("SECOND_CORE", int(chip.block("PWR").ip == "pwr_h7rm0399")),
        *_wwdg_lines(chip),
        define("CLOCK_MAX_HZ", clock_limit(chip)),
        f"#define SPB_WRONG_BANKS {json.dumps(_WRONG_BANKS.format(banks=banks, s='s' * (banks > 1)))}",
    ]
    for name in (name for name in _DRIVEN if name in chip.blocks):
        lines += [f"#define {name}_BASE {chip.block(name).address:#x}u", *_register_lines(name, chip.block(name).ip)]
    lines += _register_lines("USART", chip.block(board.console.port).ip)
    lines += _register_lines("GPIO", chip.block("GPIOA").ip)
    lines += _console_lines(board) + _port_lines(board) + _switch_lines(board)
    if board.usb is not None:
        lines += [
            define("HSE_HZ", board.usb.hse_hz),
            define("HSE_BYPASS", int(board.usb.hse_bypass)),
            *usb_lines(chip, board.usb),
            *_bits(chip, "USB", [chip.block(board.usb.core)]),
        ]
    if board.external is not None:
        lines += external_lines(chip, board.external, board.clock_hz)
        for name, blocks in clocked(chip, board.external):
            lines += _bits(chip, name, blocks)
    if chip.block("PWR").enable:
        lines += _kind_lines(chip, "PWR", "enable", [chip.block("PWR")])  # some have no reset bit
    return guarded("SPB_CHIP_H", ['#include "spb_config.h"', *lines])


def stack_size(board: Board) -> int:
    """Bytes of reserved RAM, the lowest, for the stack of bootloader and engine."""
    return _STACK_SIZES.get(board.chip.core, _STACK_SIZE) + _SEALING_STACK * board.sealed


def last_size(board: Board) -> int:
    """Bytes of reserved RAM that a boot leaves to the application's calls: struct spb_journal, and struct spb_keys."""
    return 56 if board.keys else 48 if board.slot0.rest else 40


def _area_lines(board: Board, name: str, area: Area) -> list[str]:
    """Where an area is and what it is erased by; a board with a single slot has it under all names."""
    parts = area.parts if isinstance(area, Slot) else (area,)
    first = board.chip.flash[0].address
    rows = []
    for part in parts:
        memory = board.memory_at(part.address)
        outside = f"{int(memory.kind == EXTERNAL)}u"
        rows.append(f"{{{outside}, {part.address - first:#x}u, {part.size:#x}u, {memory.erase_unit:#x}u}}")
    return [
        define(f"{name}_OFF", area.address - first),
        define(f"{name}_UNIT", board.memory_at(area.address).erase_unit),
        f"#define SPB_{name}_PARTS {', '.join(rows)}",
    ]


def _register_lines(block: str, ip: str) -> list[str]:
    lines = []
    for register in chips.registers(ip).values():
        lines.append(f"#define {block}_{register.name}_OFF {register.offset:#x}u")
        for field, (low, width) in register.fields.items():
            lines.append(f"#define {block}_{register.name}_{field} {((1 << width) - 1) << low:#x}u")
            if width > 1:
                lines.append(f"#define {block}_{register.name}_{field}_POS {low}u")
    return lines


def _rcc(chip: Chip, where: tuple[str, str] | None, owner: str) -> tuple[int, int]:
    """(register offset, mask) of a clock enable or reset bit."""
    if where is None:
        raise BoardError(f"{chip.name}: {owner} has no clock or reset bit")
    register = chips.registers(chip.block("RCC").ip)[where[0]]
    low, width = register.fields[where[1]]
    return register.offset, ((1 << width) - 1) << low


def _bits(chip: Chip, name: str, blocks: list[Block]) -> list[str]:
    """SPB_<name>_{ENABLE,RESET}{_OFF,}: the bits of all *blocks*, which must share the registers."""
    return [line for kind in ("enable", "reset") for line in _kind_lines(chip, name, kind, blocks)]


def _kind_lines(chip: Chip, name: str, kind: str, blocks: list[Block]) -> list[str]:
    """Those of one *kind*."""
    found = [_rcc(chip, getattr(block, kind), block.name) for block in blocks]
    if len({offset for offset, _ in found}) != 1:
        raise BoardError(f"{chip.name}: {', '.join(b.name for b in blocks)} do not share one {kind} register")
    mask = 0
    for _, bits in found:
        mask |= bits
    return [define(f"{name}_{kind}_OFF", found[0][0]), define(f"{name}_{kind}", mask)]


def _wwdg_lines(chip: Chip) -> list[str]:
    """Where one sees whether the window watchdog is clocked: only then it has registers."""
    offset, mask = _rcc(chip, chip.block("WWDG").enable, "WWDG")
    return [define("WWDG_ENABLE_OFF", offset), define("WWDG_ENABLE", mask)]


def _console_lines(board: Board) -> list[str]:
    console = board.console
    block = board.chip.block(console.port)
    lines = [
        define("CONSOLE_BASE", block.address),
        define("CONSOLE_BAUD", console.baud),
        define("CONSOLE_LOW_POWER", int(console.port.startswith("LPUART"))),
    ]
    for role, pin in (("TX", console.tx), ("RX", console.rx)):
        lines += [
            define(f"CONSOLE_{role}_PORT", board.chip.block(f"GPIO{pin.port}").address),
            define(f"CONSOLE_{role}_PIN", pin.number),
            define(f"CONSOLE_{role}_FUNCTION", block.alternate(pin.name, role)),
        ]
    return lines + _bits(board.chip, "CONSOLE", [block])


def _port_lines(board: Board) -> list[str]:
    more = usb_ports(board.usb) if board.usb is not None else set()
    ports = sorted({pin.port for pin in board.pins.values()} | external_ports(board.external) | more)
    return _bits(board.chip, "PORTS", [board.chip.block(f"GPIO{port}") for port in ports])


def _switch_lines(board: Board) -> list[str]:
    """Button and LED as expressions, so that a board without one costs nothing."""

    def at(pin: Pin) -> str:
        return f"{board.chip.block(f'GPIO{pin.port}').address:#x}u, {pin.number}u"

    lines = ["#define SPB_BUTTON_START()", "#define SPB_BUTTON_PRESSED() (false)"]
    if board.button:
        pull = "SPB_PULL_DOWN" if board.button.active_high else "SPB_PULL_UP"
        pressed = "" if board.button.active_high else "!"
        lines = [
            f"#define SPB_BUTTON_START() spb_gpio_input({at(board.button)}, {pull})",
            f"#define SPB_BUTTON_PRESSED() ({pressed}spb_gpio_read({at(board.button)}))",
        ]
    if not board.led:
        return [*lines, "#define SPB_LED_START()", "#define SPB_LED_WRITE(on) ((void)(on))"]
    off, on = ("false", "(on)") if board.led.active_high else ("true", "!(on)")
    return [
        *lines,
        f"#define SPB_LED_START() spb_gpio_output({at(board.led)}, {off})",
        f"#define SPB_LED_WRITE(on) spb_gpio_write({at(board.led)}, {on})",
    ]
