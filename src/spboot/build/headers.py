"""The C headers that a build generates: numbers of the spec, the board's configuration, the chip's registers.

core/   spb_spec.h, spb_config.h      all that core and loader may know
        spb_delta_prior.h
crypto/ spb_p256_generator.h
chip/   spb_chip.h                    for driver and boot"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from spboot import chips
from spboot.boards import Area, Board, Pin
from spboot.boards.clocks import clock_limit
from spboot.chips import Block, Chip
from spboot.errors import BoardError
from spboot.formats.comb import generator_header
from spboot.formats.manifest import name_id
from spboot.formats.spec import Record, patch_models, record, spec
from spboot.version import Version

WINDOW_MS: Final = 500
"""How long after a reset the word `load` is listened for."""

_RECORDS = (("manifest", ""), ("header", ""), ("journal", "mark_"), ("journal", "step_"), ("abi", ""), ("personal", ""))
_DRIVEN = ("FLASH", "RCC", "PWR", "IWDG")
_WRITE_SIZE: Final = {"flash_l0": 64}
"""Bytes an update gathers before it programs them, where that is more than a program unit: a half-page of L0 takes as
long as a word (RM0367 3.3.4)."""
_WRONG_BANKS: Final = "option bytes: the flash is not in {banks} bank{s} as the board file has it; change them"


def write(folder: Path, board: Board, boot_version: Version) -> None:
    """Write all generated headers for *board* below *folder*."""
    texts = {
        "core/spb_spec.h": spec_header(),
        "core/spb_config.h": config_header(board, boot_version),
        "core/spb_delta_prior.h": delta_prior_header(),
        "crypto/spb_p256_generator.h": generator_header(),
        "chip/spb_chip.h": chip_header(board),
    }
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def spec_header() -> str:
    """spec/spboot.toml as C: sizes, offsets, magics, status numbers."""
    facts = spec()
    lines = [_define("FORMAT", facts["format"])]
    for table, prefix in _RECORDS:
        lines += _record_lines(f"{table}_{prefix}".rstrip("_").upper(), record(table, prefix))
    for table, values in facts.items():
        if isinstance(values, dict) and table != "status":
            known = {"size", "mark_size", "step_size"} if table in {t for t, _ in _RECORDS} else set()
            lines += [_define(f"{table}_{k}", v) for k, v in values.items() if isinstance(v, int) and k not in known]
    lines += [_define("ABI_GATE_COUNT", len(facts["abi"]["gates"])), _gates(facts["abi"]["gates"])]
    return _guard("SPB_SPEC_H", [*lines, *_status_lines(facts["status"]["codes"])])


def config_header(board: Board, boot_version: Version) -> str:
    """What core must know of the device: geometry and names."""
    slot, memory = board.slot0, board.chip.memory_at(board.slot0.address)
    numbers = {
        "SINGLE_SLOT": int(board.slot1 is None),
        "SLOT_SIZE": slot.size,
        "PAGE_SIZE": board.page_size,
        "JOURNAL_SIZE": board.journal.size if board.journal else 0,
        "PROGRAM_UNIT": memory.program_unit,
        "WRITE_SIZE": max(memory.program_unit, _WRITE_SIZE.get(board.chip.block("FLASH").ip, 0)),
        "ERASED": memory.erased,
        "VECTOR_SIZE": board.vector_size,
        "BITMAP_SIZE": -(-slot.size // board.page_size // 8),
        "TARGET": name_id(board.name),
        "BOOT_VERSION": boot_version.pack(),
        "BOOT_SIZE": board.bootloader.size,
        "WINDOW_MS": WINDOW_MS,
    }
    lines = [_define(name, value) for name, value in numbers.items()]
    lines += [
        _define("BOARD_NAME", json.dumps(board.name)),
        _define("BOOT_VERSION_TEXT", json.dumps(str(boot_version))),
    ]
    return _guard("SPB_CONFIG_H", ['#include "spb_spec.h"', *lines])


def delta_prior_header() -> str:
    """spec/patch-models.toml as C: the states, and each model's state number, two in a byte, low half first."""
    digits = "".join(patch_models()["models"].values())
    numbers = [int(digit, 16) for digit in digits]
    packed = [low | high << 4 for low, high in itertools.zip_longest(numbers[::2], numbers[1::2], fillvalue=0)]
    states = ", ".join(map(str, patch_models()["states"]))
    lines = [f"#define SPB_DELTA_PRIOR_STATES {{{states}}}", f"#define SPB_DELTA_PRIOR {{{', '.join(map(str, packed))}}}"]
    return _guard("SPB_DELTA_PRIOR_H", lines)


def chip_header(board: Board) -> str:
    """Addresses, registers and bits of the blocks we drive, and where the board's parts hang."""
    chip = board.chip
    first, last = chip.flash[0], chip.flash[-1]
    banks = len({run.bank for run in chip.flash})
    lines = [
        _define("FLASH_ADDRESS", first.address),
        _define("FLASH_SIZE", last.end - first.address),
        _define("FLASH_BANK_SIZE", sum(run.size for run in chip.flash if run.bank == 1)),
        *_area_lines(board, "SLOT0", board.slot0),
        *_area_lines(board, "SLOT1", board.slot1 or board.slot0),
        *_area_lines(board, "JOURNAL", board.journal or board.slot0),
        _define("CLOCK_HZ", board.clock_hz),
        _define("VDD_MV", board.vdd_mv),
        _define("NEEDS_VDDIO2", int(board.needs_vddio2)),
        _define("CLOCK_MAX_HZ", clock_limit(chip)),
        f"#define SPB_WRONG_BANKS {json.dumps(_WRONG_BANKS.format(banks=banks, s='s' * (banks > 1)))}",
    ]
    for name in _DRIVEN:
        lines += [f"#define {name}_BASE {chip.block(name).address:#x}u", *_register_lines(name, chip.block(name).ip)]
    lines += _register_lines("USART", chip.block(board.console.port).ip)
    lines += _register_lines("GPIO", chip.block("GPIOA").ip)
    lines += _console_lines(board) + _port_lines(board) + _switch_lines(board)
    if chip.block("PWR").enable:
        lines += _bits(chip, "PWR", [chip.block("PWR")])
    return _guard("SPB_CHIP_H", ['#include "spb_config.h"', *lines])


def _area_lines(board: Board, name: str, area: Area) -> list[str]:
    """Where an area is and what it is erased by; a board with a single slot has it under all names."""
    return [
        _define(f"{name}_OFF", area.address - board.chip.flash[0].address),
        _define(f"{name}_UNIT", board.chip.memory_at(area.address).erase_unit),
    ]


def _define(name: str, value: int | str) -> str:
    text = value if isinstance(value, str) else f"{value:#x}u" if value > 9 else f"{value}u"
    return f"#define SPB_{name.upper()} {text}"


def _guard(name: str, lines: Iterable[str]) -> str:
    return "\n".join(
        ["/* Generated by spboot; do not edit. */", f"#ifndef {name}", f"#define {name}", *lines, "#endif", ""]
    )


def _record_lines(name: str, layout: Record) -> list[str]:
    lines = [_define(f"{name}_SIZE", layout.size)]
    for field in layout.fields:
        lines.append(_define(f"{name}_OFF_{field.name}", field.offset))
        lines.append(_define(f"{name}_SIZEOF_{field.name}", field.size))
    return lines


def _gates(names: list[str]) -> str:
    return "#define SPB_ABI_GATES(X) " + " ".join(f"X({name})" for name in names)


def _status_lines(codes: list[list[str]]) -> list[str]:
    """NONE and COMPLETED are not errors: core says SPB_OK."""
    names = [f"    SPB_E_{name} = -{number}," for number, (name, _) in enumerate(codes) if number > 1]
    texts = ", ".join(json.dumps(text) for _, text in codes)
    return [
        "enum spb_status {",
        "    SPB_OK = 0,",
        *names,
        "};",
        _define("STATUS_COUNT", len(codes)),
        f"#define SPB_STATUS_TEXTS {{{texts}}}",
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
    lines = []
    for kind in ("enable", "reset"):
        found = [_rcc(chip, getattr(block, kind), block.name) for block in blocks]
        if len({offset for offset, _ in found}) != 1:
            raise BoardError(f"{chip.name}: {', '.join(b.name for b in blocks)} do not share one {kind} register")
        mask = 0
        for _, bits in found:
            mask |= bits
        lines += [_define(f"{name}_{kind}_OFF", found[0][0]), _define(f"{name}_{kind}", mask)]
    return lines


def _console_lines(board: Board) -> list[str]:
    console = board.console
    block = board.chip.block(console.port)
    lines = [
        _define("CONSOLE_BASE", block.address),
        _define("CONSOLE_BAUD", console.baud),
        _define("CONSOLE_LOW_POWER", int(console.port.startswith("LPUART"))),
    ]
    for role, pin in (("TX", console.tx), ("RX", console.rx)):
        lines += [
            _define(f"CONSOLE_{role}_PORT", board.chip.block(f"GPIO{pin.port}").address),
            _define(f"CONSOLE_{role}_PIN", pin.number),
            _define(f"CONSOLE_{role}_FUNCTION", block.alternate(pin.name, role)),
        ]
    return lines + _bits(board.chip, "CONSOLE", [block])


def _port_lines(board: Board) -> list[str]:
    ports = sorted({pin.port for pin in board.pins.values()})
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
