"""What a device goes through in a rehearsal, and the flash operations that this takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from spboot.device import Through
from spboot.errors import DeviceError, SpbootError, TwinError
from spboot.rehearsal.bench import LIFE_S, Bench, Operation, operations
from spboot.rehearsal.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """*play* takes a device that has started what the factory gave it to its end, and returns what runs then; *lacks*
    says in words what a subject has not that it needs, or nothing."""

    about: str
    play: Callable[[Bench], str]
    lacks: Callable[[Subject], str] = lambda _: ""
    hasty: bool = False
    """After a cut, too, an image on trial has no time to confirm itself: in the end the old one runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """The flash operations of a scenario, when nothing befalls the device."""

    scenario: str
    operations: tuple[Operation, ...] = field(repr=False)
    times: tuple[float, ...] = field(repr=False)
    """When each of them began, in seconds."""
    allowed: frozenset[str]
    """What may run after a cut: versions, and "loader" where there is a single slot."""
    hasty: bool
    """As in `Scenario`."""


def _update(bench: Bench, file: str, through: Through = "loader") -> str:
    """It takes an update, and confirms it if it is on trial."""
    update = bench.subject.update(file)
    assert update is not None
    bench.device.update(update, through=through, key=bench.subject.key or None)
    bench.device.wait(bench.subject.settle)
    found = bench.device.version or ""
    bench.device.power_on()
    again = bench.start()
    if again != found:
        raise DeviceError(
            f"{found} ran for {bench.subject.settle:g} s, at the next start it is {again}: did it confirm itself?"
        )
    return found


def _give_up(bench: Bench) -> str:
    """It takes an update, loses its power as that starts, before it confirms itself, and goes back."""
    subject, device = bench.subject, bench.device
    update = subject.update(_smallest(bench))
    assert update is not None
    device.reset()
    device.call()
    device.send(update)
    if not device.twin.run(until=f"] starting {subject.new}\r".encode(), seconds=LIFE_S):
        raise DeviceError(f"it did not start {subject.new} within {LIFE_S:g} s")
    device.power_on()
    found = bench.start()
    if found != str(subject.old):
        raise DeviceError(f"{subject.new} was not confirmed, and {found} runs at the next start, not {subject.old}")
    return found


def _smallest(bench: Bench) -> str:
    """The name of the update from the old version to the new one that is sent where any would do."""
    return "patch" if bench.subject.update("patch") else "image"


def _chain(bench: Bench) -> str:
    _update(bench, _smallest(bench))
    return _update(bench, "further")


def _again(bench: Bench) -> str:
    _give_up(bench)
    return _update(bench, "image")


def _needs(name: str) -> Callable[[Subject], str]:
    return lambda subject: "" if subject.update(name) else _LACKS[name]


_LACKS: Final = {
    "patch": "there is no patch between the two versions",
    "further": "without a signing key there is no image above the newer version",
}


def _needs_trial(subject: Subject) -> str:
    return "" if subject.trial else f"{subject.new} is on no trial: the board has no room, or it never confirms itself"


def _needs_key(subject: Subject) -> str:
    if subject.board.slot1 is None:
        return "with a single slot the application takes no update"
    return "" if subject.key else "nobody says which key makes the application call for an update: give --key"


SCENARIOS: Final[dict[str, Scenario]] = {
    "image": Scenario(
        about="a full image through the loader, installed and confirmed",
        play=lambda bench: _update(bench, "image"),
    ),
    "patch": Scenario(
        about="a patch through the loader, installed and confirmed",
        play=lambda bench: _update(bench, "patch"),
        lacks=_needs("patch"),
    ),
    "application": Scenario(
        about="an update through the application",
        play=lambda bench: _update(bench, _smallest(bench), "application"),
        lacks=_needs_key,
    ),
    "chain": Scenario(about="an update, and the next one behind it", play=_chain, lacks=_needs("further")),
    "revert": Scenario(
        about="an update that does not confirm itself, and goes back", play=_give_up, lacks=_needs_trial, hasty=True
    ),
    "again": Scenario(about="the same, and an update after it", play=_again, lacks=_needs_trial),
}
"""Name -> scenario."""


def play(bench: Bench, name: str) -> str:
    """Switch the device of *bench* on and take it through scenario *name*: what runs in the end.  Raises SpbootError,
    and PowerCut where one is armed."""
    bench.device.power_on()
    bench.start()
    return SCENARIOS[name].play(bench)


def track(bench: Bench, name: str) -> Track:
    """Play scenario *name* without a fault.  Raises SpbootError: what went wrong without any."""
    subject = bench.subject
    device = bench.fresh()
    first = len(device.twin.log)
    try:
        play(bench, name)
    except SpbootError as error:
        raise DeviceError(f"scenario {name!r}, without any cut: {error}") from None
    log = device.twin.log
    if any(operation.kind == "options" for operation in log):
        raise TwinError(
            "the bootloader sets option bytes, which a rehearsal does not cut: rehearse the one that is built without "
            "--production; docs/production.md says what a cut of option bytes does"
        )
    hasty = SCENARIOS[name].hasty
    versions = {subject.old, *([] if hasty else [subject.new]), *([subject.further] if name == "chain" else [])}
    return Track(
        scenario=name,
        operations=operations(device, first),
        times=tuple(log[number].time for number in range(first, len(log))),
        allowed=frozenset(map(str, versions)) | ({"loader"} if subject.board.slot1 is None else set()),
        hasty=hasty,
    )
