"""A watchdog that resets the device in the middle of a flash operation: unlike a power cut it leaves RAM as it is."""

from __future__ import annotations

from collections.abc import Iterator

from spboot.errors import SpbootError
from spboot.rehearsal.bench import Bench
from spboot.rehearsal.cuts import Depth
from spboot.rehearsal.replay import WATCHDOG, interrupted, torn_by_watchdog
from spboot.rehearsal.scenario import Track
from spboot.rehearsal.walk import Loss, Part


def sweep(bench: Bench, track: Track, depth: Depth, span: range, part: Part) -> None:
    """Reset the device once in `Depth.watchdog_ms` of the operations of *span*; *part* is told."""
    for number in _moments(track, span, depth.watchdog_ms / 1000):
        part.counts["watchdogs"] += 1
        words = reset_at(bench, track, number)
        if words:
            part.counts["losses"] += 1
            part.losses.append(Loss(f"{track.scenario}/{number}{WATCHDOG}", words))


def _moments(track: Track, span: range, seconds: float) -> Iterator[int]:
    """The operations that begin first after each so many *seconds*."""
    for number in span:
        before = track.times[number - 1] if number else -seconds
        if before // seconds != track.times[number] // seconds:
            yield number


def reset_at(bench: Bench, track: Track, number: int) -> str:
    """What is wrong with a device that was reset in operation *number*; nothing when it runs what it may."""
    try:
        interrupted(bench, track.scenario, torn_by_watchdog(number))
        bench.device.twin.survive("iwdg")
        found = bench.start(hasty=track.hasty)
    except SpbootError as error:
        return str(error)
    return "" if found in track.allowed else f"{found} runs"
