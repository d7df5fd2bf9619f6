"""Encoder of the patch stream: parse, learn what decisions cost, parse again, send.  Deterministic."""

from __future__ import annotations

from collections.abc import Callable

from spboot.delta.costs import Costs, Tally, first_guess
from spboot.delta.operations import Operation, Writer
from spboot.delta.parse import Finder, Parser
from spboot.delta.rangecoder import Encoder

Progress = Callable[[int, int], None]  # (done, total), in bytes of work

_PARSES = 3


def encode(old: bytes, new: bytes, progress: Progress | None = None) -> bytes:
    """The stream that makes *new* from *old* (empty: from nothing).  At least one byte long."""
    operations = _parse(old, new, progress or (lambda done, total: None))
    coder = Encoder()
    Writer(coder, len(old), new).put_all(operations)
    return coder.finish()


def _parse(old: bytes, new: bytes, progress: Progress) -> list[Operation]:
    finder = Finder(old, new)
    tally = first_guess(old, new)
    total = _PARSES * len(new)
    operations: list[Operation] = []
    for turn in range(_PARSES):

        def tick(pos: int, start: int = turn * len(new)) -> None:
            progress(start + pos, total)

        operations = Parser(finder, Costs(tally)).run(tick)
        tally = Tally()
        Writer(tally, len(old), new).put_all(operations)
    progress(total, total)
    return operations
