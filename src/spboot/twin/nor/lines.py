"""The lines of a controller of serial flash: the pins that carry them, and the core that may read ahead."""

from __future__ import annotations

from spboot.chips.external import External
from spboot.twin.die import Die
from spboot.twin.nor.frame import Frame


def signals(frame: Frame, *, dual: bool, strobe: bool = False) -> list[str]:
    """Those that *frame* uses: on one line the answer comes on IO1; a second chip has its lines from IO4 on."""
    most = max(2, frame.command.lines, frame.where.lines, frame.between.lines, frame.data.lines)
    lines = [*range(most), *(range(4, 4 + most) if dual else ())]
    return ["CLK", "NCS", *(f"IO{line}" for line in lines), *(["DQS"] if strobe else [])]


def check_pins(die: Die, name: str, external: External, frame: Frame, used: list[str]) -> None:
    """Refuse *frame* of block *name* where a pin does not carry the signal it should."""
    for signal in used:
        place = external.pins.get(signal)
        if place is None:
            die.refuse(f"{name} sends {frame}, and no pin carries its {signal} here", "use fewer lines")
        pin, function = place
        if die.pins.alternate(pin) != function or not die.pins.supplied(pin):
            die.refuse(
                f"{name} sends {frame}, and {pin} is not its {signal}",
                f"give {pin} the alternate function {function}, and its port its supply, first",
            )


def check_ahead(die: Die, name: str, span: range) -> None:
    """A Cortex-M7 reads ahead in normal memory: into a window that is not mapped, or beyond its flash (AN4760)."""
    if die.chip.core != "cm7":
        return
    place = die.nvic.mpu.read_ahead(span)
    if place is not None:
        die.doubt(
            f"{name} is used, and the core may read ahead at {place:#010x}",
            f"forbid {span.start:#010x}..{span.stop:#010x} by a region of the MPU first (AN4760)",
        )
