"""A complete board file for any part: what is not given is chosen, and every choice has its reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spboot.boards import Board, wiring
from spboot.boards.clocks import clock_limit, usual_clock
from spboot.boards.key_area import with_keys
from spboot.boards.model import DEBUG_PINS, Area, Slot, core_supplies
from spboot.boards.outside_plan import plan_outside
from spboot.boards.plan import Plan, plan
from spboot.boards.wiring import Wiring
from spboot.chips import Chip
from spboot.chips.external import External
from spboot.errors import BoardError

_BAUD: Final = 115_200

_USUAL: Final = (
    ("USART2", "PA2", "PA3"),
    ("USART1", "PA9", "PA10"),
    ("USART1", "PB6", "PB7"),
    ("USART3", "PD8", "PD9"),
    ("USART3", "PB10", "PB11"),
    ("LPUART1", "PA2", "PA3"),
)
"""Consoles that boards usually have, the likeliest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a user says about a new board; None is for us to choose.

    *console* is (port, TX pin, RX pin); *button* and *led* are (pin, "high" or "low")."""

    console: tuple[str, str, str] | None = None
    button: tuple[str, str] | None = None
    led: tuple[str, str] | None = None
    clock_hz: int | None = None
    vdd_mv: int | None = None
    core_supply: str | None = None
    keep_free: int = 0
    single_slot: bool = False
    keys: bool = False
    wiring: Wiring | None = None
    """External flash, in which SLOT1 is then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A new board: the text of its file, the board it describes, and what was chosen and why."""

    text: str
    board: Board
    choices: tuple[str, ...]


def draft(path: Path, chip: Chip, wish: Wish, driven: frozenset[str]) -> Draft:
    """A board file for *chip* to stand at *path*, whose stem is the board's name.

    *driven*: IP versions that have a driver, for the choice of a console.  Raises BoardError."""
    supplies = core_supplies(chip)
    if len(supplies) > 1 and wish.core_supply is None:
        ways = " or by ".join(supply.upper() for supply in supplies)
        raise BoardError(
            f"{chip.name} feeds its core by {ways}, and with a wrong choice it stops until its power is cut; "
            f"add --core-supply {' or '.join(supplies)}, as the board is wired"
        )
    console = wish.console or _console(chip, wish, driven)
    external = None
    if wish.wiring is not None:
        external = wish.wiring.external(chip, {*_taken(wish), console[1], console[2]}, path.parent)
    found, keys = _planned(chip, wish, external)
    clock_hz = wish.clock_hz or usual_clock(chip)
    choices = list(_choices(chip, wish, console, clock_hz, found))
    if wish.wiring is not None and external is not None:
        choices[-1:-1] = _pins_chosen(wish.wiring, external)
    text = _text(path.stem, chip, wish, console, clock_hz, found, keys, external)
    return Draft(text=text, board=Board.parse(path, text), choices=tuple(choices))


def _planned(chip: Chip, wish: Wish, external: External | None) -> tuple[Plan, Area | None]:
    def make(keep_free: int) -> Plan:
        if external is None or wish.wiring is None:
            return plan(chip, single_slot=wish.single_slot, keep_free=keep_free)
        return plan_outside(chip, external, rest=wish.wiring.slot0, keep_free=keep_free)

    if external is not None and wish.single_slot:
        raise BoardError("a single slot has no SLOT1, and external flash is for one: leave one of the two wishes")
    return with_keys(chip, make, wish.keep_free) if wish.keys else (make(wish.keep_free), None)


def _pins_chosen(wish: Wiring, external: External) -> list[str]:
    """Those that were not named."""
    chosen = [f"{signal} {pin}" for signal, (pin, _) in external.pins.items() if signal not in wish.pins]
    few = f"external flash at {', '.join(chosen)}: {external.controller} can have no other free pins for them"
    return [few] if chosen else []


def _taken(wish: Wish) -> set[str]:
    """Pins that are not free for anything else."""
    return {*DEBUG_PINS, *(switch[0] for switch in (wish.button, wish.led) if switch)}


def consoles(chip: Chip) -> Iterator[tuple[str, str, str]]:
    """Every (port, TX pin, RX pin) of *chip*, the usual ones first, then by name; one pin has one duty."""
    usual = [console for console in _USUAL if _possible(chip, console)]
    yield from usual
    for name in sorted(chip.blocks):
        if not name.startswith(("USART", "UART", "LPUART")):
            continue
        pins = chip.block(name).pins
        for tx in (pin for pin, signal, _ in pins if signal == "TX"):
            for rx in (pin for pin, signal, _ in pins if signal == "RX"):
                if tx != rx and (name, tx, rx) not in usual:
                    yield name, tx, rx


def _possible(chip: Chip, console: tuple[str, str, str]) -> bool:
    port, tx, rx = console
    signals = {(pin, signal) for pin, signal, _ in chip.blocks[port].pins} if port in chip.blocks else set()
    return {(tx, "TX"), (rx, "RX")} <= signals


def _console(chip: Chip, wish: Wish, driven: frozenset[str]) -> tuple[str, str, str]:
    taken = _taken(wish) | (set(wish.wiring.pins.values()) if wish.wiring else set())
    free = [c for c in consoles(chip) if not taken & {c[1], c[2]}]
    if not free:
        raise BoardError(f"{chip.name} has no USART, UART or LPUART with free pins for TX and RX")
    return next((c for c in free if chip.block(c[0]).ip in driven), free[0])


def _choices(chip: Chip, wish: Wish, console: tuple[str, str, str], clock_hz: int, found: Plan) -> Iterator[str]:
    if wish.console is None:
        port, tx, rx = console
        others = len({c[0] for c in consoles(chip)}) - 1
        yield f"console {port} on {tx} (TX) and {rx} (RX), the usual place; {chip.name} has {others} other ports"
    if wish.clock_hz is None:
        fast = (
            "the most it can" if clock_hz == clock_limit(chip) else f"of {clock_limit(chip) // 1_000_000} MHz at most"
        )
        yield f"clock {clock_hz // 1_000_000} MHz, {fast}, from its internal oscillator"
    yield from found.reasons
    if chip.alternatives:
        banks = max(run.bank for run in chip.flash)
        yield (
            f"flash as {chip.name} is shipped, {banks} bank{'s' if banks > 1 else ''}; "
            "with other option bytes its erase units differ and this plan is wrong"
        )
    yield f"reserved RAM {found.ram.size} bytes at {found.ram.address:#010x}, the start of the application's RAM"
    missing = [name for name, switch in (("button", wish.button), ("LED", wish.led)) if switch is None]
    if missing:
        yield f"no {' and no '.join(missing)}: none was named"


def _grouped(value: int) -> str:
    """An address as TOML allows it: 0x0800_6000."""
    return f"0x{value >> 16:04x}_{value & 0xFFFF:04x}"


def _area(name: str, area: Area | None) -> Iterator[str]:
    if area is not None:
        parts = area.parts if isinstance(area, Slot) else (area,)
        texts = [f"{{ address = {_grouped(part.address)}, size = {part.size:#x} }}" for part in parts]
        listed = ", ".join(texts)
        yield f"{name} = {listed}" if len(texts) == 1 else f"{name} = [{listed}]"


def _text(
    name: str,
    chip: Chip,
    wish: Wish,
    console: tuple[str, str, str],
    clock_hz: int,
    found: Plan,
    keys: Area | None,
    external: External | None,
) -> str:
    lines = [
        f"# {name}: written by `spboot board new`; check it against the board's schematic.",
        f'part = "{chip.name}"',
        f"clock_hz = {clock_hz:_}",
    ]
    if wish.vdd_mv is not None:
        lines.append(f"vdd_mv = {wish.vdd_mv}")
    if wish.core_supply is not None:
        lines.append(f'core_supply = "{wish.core_supply}"')
    lines += ["", "[console]", f'port = "{console[0]}"', f'tx = "{console[1]}"', f'rx = "{console[2]}"']
    lines.append(f"baud = {_BAUD:_}")
    for table, switch in (("button", wish.button), ("led", wish.led)):
        if switch is not None:
            lines += ["", f"[{table}]", f'pin = "{switch[0]}"', f'active = "{switch[1]}"']
    if external is not None and wish.wiring is not None:
        lines += wiring.lines(external, wish.wiring.chip)
    lines += ["", *(f"# {reason[0].upper()}{reason[1:]}." for reason in found.reasons), "[flash]"]
    for key in ("bootloader", "slot0", "slot1", "journal"):
        lines += _area(key, getattr(found, key))
    lines += _area("keys", keys)
    lines += ["", "[ram]", f"reserved = {{ address = {_grouped(found.ram.address)}, size = {found.ram.size} }}", ""]
    return "\n".join(lines)
