"""Texts and numbers that a build puts into an image and that differ from build to build: paths, dates, build ids,
versions, fill."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from spboot.explanation.difference import Difference
from spboot.explanation.pair import Pair
from spboot.explanation.places import LITERAL
from spboot.explanation.relink import Piece, relink

_MONTHS: Final = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_TIME: Final = re.compile(
    rb"%s [ 0-3]\d [12]\d{3}|(?<!\d)[0-2]\d:[0-5]\d:[0-5]\d(?!\d)|(?<!\d)20\d\d-[01]\d-[0-3]\d(?!\d)" % _MONTHS
)
"""__DATE__, __TIME__ (C11 6.10.8.1), and a date as ISO 8601 writes it."""
_PATH: Final = re.compile(rb"(?:[A-Za-z]:[\\/]|/)(?:[\w.+@ -]+[\\/])+[\w.+@-]+\.(?:c|cc|cpp|cxx|h|hh|hpp|s|S|rs)(?=\0)")
_STRING: Final = re.compile(rb"[\x20-\x7e\t\r\n]+\0")
_ALIGNED: Final = 4
_BUILD_ID: Final = re.compile(rb"\x04\0\0\0([\x08\x10\x14\x20])\0\0\0\x03\0\0\0GNU\0")
"""Head of a note with a build id: sizes of name and id, type 3, name (ld, --build-id)."""
_VERSION: Final = re.compile(rb"(?<![\d.])\d{1,3}\.\d{1,3}\.\d{1,5}(?![\d.])")
_FILLS: Final = (0x00, 0xFF)
_FILL_LEAST: Final = 8
"""Bytes of one value that are taken for fill."""
Match = re.Match[bytes]


def differences(pair: Pair) -> Iterator[Difference]:
    """All that are found."""
    for look in (_times, _paths, _build_id, _versions, _fill):
        found = look(pair)
        if found is not None and found.undone != pair.new:
            yield found


def _words(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _text(match: Match) -> str:
    return match[0].decode("ascii", "replace")


def _changed(pair: Pair, pattern: re.Pattern[bytes]) -> list[tuple[Match, Match]]:
    """Matches in OLD and NEW, in order, that differ; none when there are more of them in one than in the other."""
    old, new = list(pattern.finditer(pair.old)), list(pattern.finditer(pair.new))
    return [] if len(old) != len(new) else [(a, b) for a, b in zip(old, new, strict=True) if a[0] != b[0]]


def _replaced(data: bytes, changes: list[tuple[Match, Match]], keep: Callable[[int], bool] = lambda _: False) -> bytes:
    """*data* with texts of one length as they were, but for those to *keep*."""
    out = bytearray(data)
    for number, (old, new) in enumerate(changes):
        if len(old[0]) == len(new[0]) and not keep(number):
            out[new.start() : new.end()] = old[0]
    return bytes(out)


def _times(pair: Pair) -> Difference | None:
    changes = _changed(pair, _TIME)
    if not changes:
        return None
    return Difference(
        title="time of the build",
        found=f"{_words(len(changes), 'date or time')} in the image, as {_text(changes[0][1])!r}",
        advice="leave out __DATE__ and __TIME__, or fix them by SOURCE_DATE_EPOCH; the version says which build it is",
        undone=_replaced(pair.new, changes),
    )


def _paths(pair: Pair) -> Difference | None:
    """Texts of another length move what is behind them, so all of NEW is put together anew."""
    changes = _changed(pair, _PATH)
    if not changes:
        return None
    exact = all(len(old[0]) == len(new[0]) for old, new in changes)
    return Difference(
        title="paths of the build",
        found=f"{_words(len(changes), 'path')} in the image that differ, as {_text(changes[0][1])!r}",
        advice="compile with -ffile-prefix-map=$PWD=. (or -fmacro-prefix-map), in every release",
        undone=_replaced(pair.new, changes) if exact else _relinked(pair, changes),
        exact=exact,
    )


def _relinked(pair: Pair, changes: list[tuple[Match, Match]]) -> bytes:
    """NEW with the texts of OLD, which have other lengths."""
    pieces = [Piece(0, changes[0][1].start(), pair.new[: changes[0][1].start()])]
    ends = [new.start() for _, new in changes[1:]] + [len(pair.new)]
    for (old, new), end in zip(changes, ends, strict=True):
        pieces.append(Piece(new.start(), new.end(), old[0], 1))
        pieces += _behind(pair.new, new.end(), end)
    return relink(pair.new, pair.address, pieces)


def _behind(data: bytes, start: int, end: int) -> Iterator[Piece]:
    """What follows a text: its zero and more texts, which stand at any address, and the rest, which may not."""
    at = min(start + 1, end)
    while at < end and (match := _STRING.match(data, at, end)):
        at = match.end()
    yield Piece(start, at, data[start:at], 1)
    rest = at + -at % _ALIGNED
    if data[at:rest].strip(b"\0"):
        rest = at
    if rest < end:
        yield Piece(rest, end, data[rest:end], _ALIGNED if rest % _ALIGNED == 0 else 1)


def _build_id(pair: Pair) -> Difference | None:
    old, new = _BUILD_ID.search(pair.old), _BUILD_ID.search(pair.new)
    if old is None or new is None or old[1] != new[1]:
        return None
    size = new[1][0]
    was = pair.old[old.end() : old.end() + size]
    if was == pair.new[new.end() : new.end() + size]:
        return None
    return Difference(
        title="build id",
        found=f"a build id of {size} bytes, which is another one in each build",
        advice="link with -Wl,--build-id=none, or keep its section out of flash, from a release on",
        undone=pair.new[: new.end()] + was + pair.new[new.end() + size :],
        exact=False,
    )


def _versions(pair: Pair) -> Difference | None:
    """A version that OLD has as often as NEW has its own, more than once."""
    changes = [(a, b) for a, b in _changed(pair, _VERSION) if len(a[0]) == len(b[0])]
    if not changes:
        return None
    texts = Counter(new[0] for _, new in changes)
    text, count = max(texts.items(), key=lambda item: (item[1], item[0]))
    if count < 2:
        return None
    same = [(old, new) for old, new in changes if new[0] == text]
    return Difference(
        title="version more than once",
        found=f"the version {text.decode()} in {count} places",
        advice="have it in one place, which the others print",
        undone=_replaced(pair.new, same, keep=lambda number: number == 0),
    )


def _fill(pair: Pair) -> Difference | None:
    """Runs of the value that NEW fills with, where OLD filled with another one."""
    old, new = (_fills(data) for data in (pair.old, pair.new))
    if not old or not new:
        return None
    was, now = (max(runs, key=lambda value: sum(map(len, runs[value]))) for runs in (old, new))
    if was == now:
        return None
    out = bytearray(pair.new)
    runs = [run for run in new[now] if not pair.new_places.named or pair.new_places.at(run.start).kind == LITERAL]
    for run in runs:
        out[run.start : run.stop] = bytes([was]) * len(run)
    return Difference(
        title="fill",
        found=f"gaps are filled with {now:#04x}, those of the old image with {was:#04x}: {sum(map(len, runs)):,} bytes",
        advice=f"fill as before: --gap-fill {was:#04x} of objcopy, FILL of the linker script; or give the .elf",
        undone=bytes(out),
    )


def _fills(data: bytes) -> dict[int, list[range]]:
    """Runs of each value that gaps are filled with."""
    found: dict[int, list[range]] = {}
    for value in _FILLS:
        pattern = re.compile(re.escape(bytes([value])) + b"{%d,}" % _FILL_LEAST)
        runs = [range(match.start(), match.end()) for match in pattern.finditer(data)]
        if runs:
            found[value] = runs
    return found
