"""States that a flash chip keeps over a reset of the microcontroller, and how the twin's chip is brought into them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from spboot.twin.nor.frame import Frame, Phase
from tests.system.external_rig import Bench

PLACE: Final = 0x4000
"""Within each chip, of what is under way."""
_LINES: Final = {"spi": 1, "qpi": 4, "opi": 8, "dopi": 8}


def send(bench: Bench, does: str, at: int = PLACE) -> None:
    """A command to all chips, in their protocol."""
    chip = bench.chips[0]
    command = next(c for c in chip.facts.commands if c.does == does and c.protocol == chip.protocol)
    shape = command.shape.split("-")
    command_phase, where, data = (Phase(lines=int(p.rstrip("d")), double=p.endswith("d")) for p in shape)
    width = chip.address_bytes if command.address == "mode" else int(command.address)
    frame = Frame(
        op=command.op, op_bytes=1 + (command.op > 0xFF), command=command_phase, where=where, data=data,
        hertz=20_000_000, address=at * len(bench.chips), address_bytes=width if where.lines else 0,
    )  # fmt: skip
    bench.package.finish(bench.package.select(frame), frame, b"")


def _protocol(bench: Bench, protocol: str) -> None:
    for chip in bench.chips:
        field = chip.facts.protocol
        if field is None:
            chip.protocol = protocol  # type: ignore[assignment]
        else:
            chip._set_one(
                field.register, chip.registers[field.register] & ~3 | field.values.index(protocol) << field.low
            )


def _protocol_of_evcr(bench: Bench) -> None:
    for chip in bench.chips:
        chip._set_one("EVCR", 0x5F)


def quad(bench: Bench) -> None:
    """Commands on four lines."""
    if bench.chips[0].facts.protocol is not None:
        _protocol_of_evcr(bench)
    else:
        for chip in bench.chips:
            chip.protocol = "qpi"


def octal(bench: Bench) -> None:
    _protocol(bench, "opi")


def double(bench: Bench) -> None:
    _protocol(bench, "dopi")


def wide(bench: Bench) -> None:
    """Addresses of four bytes."""
    for chip in bench.chips:
        chip.address_bytes = 4


def asleep(bench: Bench) -> None:
    for chip in bench.chips:
        chip.asleep = True


def enabled(bench: Bench) -> None:
    """Write enable latch."""
    for chip in bench.chips:
        chip.write_enabled = True


def unlocked(bench: Bench) -> None:
    """A reset was enabled, and did not follow."""
    send(bench, "reset-enable")


def erasing(bench: Bench) -> None:
    enabled(bench)
    send(bench, "erase")


def suspended(bench: Bench) -> None:
    erasing(bench)
    send(bench, "suspend")


def continuous(bench: Bench) -> None:
    """A read that goes on without a command."""
    for chip in bench.chips:
        chip.continuing = next(c for c in chip.facts.commands if c.mode and c.shape == "1-4-4")


State = Callable[[Bench], None]


def _each(*states: State) -> State:
    def apply(bench: Bench) -> None:
        for state in states:
            state(bench)

    return apply


_ALL: Final = {"erasing": erasing, "suspended": suspended, "enabled": enabled, "unlocked": unlocked}
_QUAD: Final = {"quad": quad, "quad erasing": _each(quad, erasing), "quad suspended": _each(quad, suspended)}
_SLEEP: Final = {"asleep": asleep}
_GOES_ON: Final = {"continuous": continuous}
_OCTAL: Final = {
    "octal": octal, "double": double, "octal asleep": _each(octal, asleep), "double asleep": _each(double, asleep),
    "octal erasing": _each(octal, erasing), "double erasing": _each(double, erasing),
    "double suspended": _each(double, suspended), "wide": wide,
}  # fmt: skip
STATES: Final[dict[str, dict[str, State]]] = {
    "F469": {**_ALL, **_QUAD, **_GOES_ON},
    "L476": {**_ALL, **_QUAD, **_GOES_ON},
    "F769": {**_ALL, **_QUAD, **_SLEEP, **_GOES_ON, "wide": wide, "quad asleep": _each(quad, asleep)},
    "H745": {**_ALL, **_QUAD, **_SLEEP, **_GOES_ON, "wide": wide, "quad asleep": _each(quad, asleep)},
    "L496": {**_ALL, **_SLEEP, **_GOES_ON},
    "L4S5": {**_ALL, **_SLEEP, **_GOES_ON},
    "L4R9": {**_ALL, **_SLEEP, **_OCTAL},
    "L562": {**_ALL, **_SLEEP, **_OCTAL},
}
"""Board -> its states, by name."""
