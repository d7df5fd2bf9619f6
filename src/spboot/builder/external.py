"""What the generated chip header tells the drivers of external flash: SPB_EXTERNAL_*, out of the board's table and the
data of its flash chip."""

from __future__ import annotations

from typing import Final

from spboot import chips
from spboot.boards.clocks import clock_limit
from spboot.builder.pins import pin_table
from spboot.chips import Block, Chip
from spboot.chips.external import SHARE, External
from spboot.chips.nor_flash import Choice, Command, NorFlash
from spboot.errors import BoardError
from spboot.formats.c_header import define

FASTEST_HZ: Final = 50_000_000
"""Of the lines.  The window gives 6 MB/s then, as much as is hashed in a second; no board has wires too long for it."""
SLOWEST_HZ: Final = 25_000_000
"""Of the lines while nobody knows what state a chip was left in."""
_SPI, _QPI, _OPI, _DOPI = "1-", "4-", "8-", "8d-"
"""How shapes begin that are understood in each protocol."""
_HALVED: Final = ("STM32H7",)
"""Families whose controller runs on an AHB of half the core's clock (rcc_h7.c)."""
_MANAGER: Final = "OCTOSPIM"
_HOME: Final = (0x0301_0111, 0x0705_0333)
"""PnCR that brings controller 1 or 2 to a port, all of its lines (RM0432 20.4.2)."""
_BAD_FLAGS: Final = ("erase_failed", "program_failed", "erase_suspended", "program_suspended", "protected")
_OPTIONAL: Final = {"WAKE": "wake", "END_CONTINUOUS": "end-continuous", "CLEAR_FLAGS": "clear-flags"}
"""Commands that not every chip has: 0 is none of any."""
_TWO_CHIPS: Final = 0x0101


def external_lines(chip: Chip, external: External, clock_hz: int) -> list[str]:
    """The lines of the header for *external* at a part that runs at *clock_hz*.

    Raises BoardError for a flash chip that lacks a command the driver needs."""
    block, flash = chip.block(external.controller), external.chip
    kernel_hz, most_hz = (hz // 2 if chip.family in _HALVED else hz for hz in (clock_hz, clock_limit(chip)))
    least = divider(most_hz, _limit(flash))  # an application, in which it may be started, may run faster
    window = chip.window_of(external.controller)
    numbers = {
        "ADDRESS": window.start,
        "OFF": window.start - chip.flash[0].address,
        "WINDOW_SIZE": window.stop - window.start,
        "SIZE": external.size,
        "SIZE_POWER": external.size.bit_length() - 2,
        "CHIPS": external.count,
        "PAGE": flash.page * external.count,
        "UNIT": flash.sector * external.count,
        "DIVIDER": max(least, divider(kernel_hz, FASTEST_HZ)) - 1,
        "SLOW_DIVIDER": max(least, divider(kernel_hz, SLOWEST_HZ)) - 1,
        "TIMING": int(chip.family == "STM32H7"),
        "SLICES": int(external.share == SHARE[1]),
        "MPU_LAST": chip.of_family.mpu_regions - 1,
        **_commands(flash, external.count),
    }
    name = "QUADSPI" if external.controller.startswith("QUADSPI") else "OCTOSPI"
    return [
        *(define(f"EXTERNAL_{key}", value) for key, value in numbers.items()),
        *pin_table(chip, "EXTERNAL", (external.pins[signal] for signal in _driven(external))),
        define("EXTERNAL_BASE", block.address),
        *_registers(name, block),
        *_manager(chip, external),
    ]


def divider(kernel_hz: int, limit_hz: int) -> int:
    """What the clock of the controller is divided by, so that the lines have *limit_hz* at most."""
    return max(1, -(-kernel_hz // limit_hz))


def _registers(name: str, block: Block) -> list[str]:
    lines = []
    for register in chips.registers(block.ip).values():
        lines.append(f"#define {name}_{register.name}_OFF {register.offset:#x}u")
        for field, (low, width) in register.fields.items():
            lines.append(f"#define {name}_{register.name}_{field} {((1 << width) - 1) << low:#x}u")
            lines.append(f"#define {name}_{register.name}_{field}_POS {low}u")
    return lines


def _manager(chip: Chip, external: External) -> list[str]:
    """The IO manager: what its port registers have to be, in their order, where a reset leaves them otherwise."""
    number = int(external.controller[-1]) if external.controller[-1].isdigit() else 1
    route = _MANAGER in chip.blocks and external.port != number
    lines = [define("EXTERNAL_ROUTED", int(route))]
    if _MANAGER not in chip.blocks:  # names of code that is never reached
        lines += [define(f"EXTERNAL_MANAGER_{kind}", 0) for kind in ("ENABLE", "ENABLE_OFF", "RESET", "RESET_OFF")]
    base, ports = (chip.block(_MANAGER).address, [0, 0]) if route else (0, [0, 0])
    if route:
        ports[external.port - 1] = _HOME[number - 1]
    return [
        *lines,
        define("EXTERNAL_MANAGER", base),
        *(define(f"EXTERNAL_PORT{n + 1}", v) for n, v in enumerate(ports)),
    ]


def clocked(chip: Chip, external: External) -> list[tuple[str, list[Block]]]:
    """What has a clock of its own: name in the header, and its block."""
    names = [("EXTERNAL", external.controller)]
    if _MANAGER in chip.blocks and external.controller.startswith("OCTOSPI"):
        names.append(("EXTERNAL_MANAGER", _MANAGER))
    return [(name, [chip.block(block)]) for name, block in names]


def external_ports(external: External | None) -> set[str]:
    """The ports that its pins are in."""
    return set() if external is None else {external.pins[signal][0][1] for signal in _driven(external)}


def _driven(external: External) -> list[str]:
    """The signals that the bootloader drives: the strobe is for two bits a clock alone."""
    return [signal for signal in external.pins if signal != "DQS"]


def _limit(flash: NorFlash) -> int:
    """Hertz of the slowest of the commands that are sent, as the chip is after a reset."""
    sent = [
        c for c in flash.commands if c.shape.startswith(_SPI) and "4" not in c.shape and (c.does != "read" or c.dummy)
    ]
    return min(filter(None, (_value(flash, c.mhz) for c in sent))) * 1_000_000


def _value(flash: NorFlash, choice: Choice) -> int:
    """What a choice is after a reset; of several that will do the first one."""
    if isinstance(choice, str):
        return int(flash.choices[choice].of({name: register.value for name, register in flash.registers.items()}))
    return choice[0] if isinstance(choice, tuple) else choice


def _find(flash: NorFlash, does: str, shape: str, registers: tuple[str, ...] = (), size: int = 0) -> Command | None:
    """The command that does it, that with an address of four bytes where there is one."""
    found = [
        c
        for c in flash.commands
        if c.does == does and c.shape == shape and c.registers[:1] == registers and size in (0, c.size)
    ]
    if does == "read":
        found = [c for c in found if c.dummy]
    return max(found, key=lambda c: c.address if isinstance(c.address, int) else 0, default=None)


def _needed(flash: NorFlash, does: str, shape: str, registers: tuple[str, ...] = (), size: int = 0) -> Command:
    found = _find(flash, does, shape, registers, size)
    if found is None:
        raise BoardError(f"flash chip {flash.name}: no command does {does!r} as {shape}, which the bootloader needs")
    return found


def _commands(flash: NorFlash, count: int) -> dict[str, int]:
    """Opcodes, and what goes with them.  Masks of a status are for all chips in parallel."""
    both = _TWO_CHIPS if count > 1 else 1
    read, program = _needed(flash, "read", "1-1-1"), _needed(flash, "program", "1-1-1")
    erase = _needed(flash, "erase", "1-1-0", size=flash.sector)
    block = _needed(flash, "erase", "1-1-0", size=flash.block(count) or flash.sector)
    quad = _find(flash, "read-id", "4-0-4")
    address = read.address if isinstance(read.address, int) else flash.address
    if any(c.address not in (address, "mode") for c in (program, erase, block)):
        raise BoardError(f"flash chip {flash.name}: read, program and erase have addresses of different lengths")
    times = flash.times
    longest = max(erase.us[1], times.program[1], times.reset_from_erase[1])
    protect = sum(1 << bit for bit in flash.protect.bits) if flash.protect else 0
    resets = {c.shape.partition("-")[0] + "-" for c in flash.commands if c.does == "reset"}
    return {
        "ADDRESS_BYTES": address,
        "READ": read.op,
        "DUMMY": _value(flash, read.dummy),
        "PROGRAM": program.op,
        "ERASE": erase.op,
        "ERASE_BLOCK": block.op,
        "ID": int.from_bytes(flash.id, "big"),
        "READ_ID": _needed(flash, "read-id", "1-0-1").op,
        "READ_ID_QUAD": quad.op if quad else 0,
        "STATUS": _needed(flash, "get", "1-0-1", ("SR",)).op,
        "FLAGS": _needed(flash, "get", "1-0-1", ("FLAGS",)).op,
        "WRITE_ENABLE": _needed(flash, "write-enable", "1-0-0").op,
        "SUSPEND": _needed(flash, "suspend", "1-0-0").op,
        "RESUME": _needed(flash, "resume", "1-0-0").op,
        "RESET_COMMAND": _needed(flash, "reset", "1-0-0").op,
        "RESET_UNLOCK": _needed(flash, "reset-enable", "1-0-0").op,
        **{key: found.op if (found := _find(flash, does, "1-0-0")) else 0 for key, does in _OPTIONAL.items()},
        "QUAD_RESET": int(_QPI in resets),
        "OCTAL_RESET": int(_OPI in resets),
        "DOUBLE_RESET": int(_DOPI in resets),
        "STATUS_BUSY": both,
        "STATUS_WRITABLE": both << 1,
        "STATUS_PROTECTED": protect * both,
        "FLAGS_BAD": sum(1 << bit for name, bit in flash.flags.items() if name in _BAD_FLAGS) * both,
        "WAKE_US": times.wake[1],
        "RESET_US": times.reset[1],
        "LONGEST_MS": -(-longest // 1000),
        "BLOCK_WAITS": -(-block.us[1] // longest),
    }
